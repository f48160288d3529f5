namespace Catalog.Migrations;

/// <summary>What the console's exit says to a script. The numbers are stable.</summary>
internal static class ExitCode
{
    /// <summary>At head, or done.</summary>
    public const int Ok = 0;

    /// <summary>It failed; what was begun was undone.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a setting cannot be used.</summary>
    public const int Usage = 2;

    /// <summary>Scripts are pending.</summary>
    public const int Pending = 3;

    /// <summary>The database cannot be reached.</summary>
    public const int Unreachable = 7;
}
