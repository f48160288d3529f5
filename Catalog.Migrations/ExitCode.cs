using Catalog.Data.Migrations;

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

    /// <summary>Scripts, journal and schema do not say the same.</summary>
    public const int Drift = 4;

    /// <summary>A lock was not obtained: another migrator's, or a table's.</summary>
    public const int LockNotObtained = 5;

    /// <summary>A script that runs without a transaction was interrupted, and its state cannot be told.</summary>
    public const int HalfApplied = 6;

    /// <summary>The database cannot be reached.</summary>
    public const int Unreachable = 7;

    /// <summary>The code for a fault.</summary>
    public static int For(MigrationFault fault) => fault switch
    {
        MigrationFault.UnknownTarget or MigrationFault.NotConfirmed => Usage,
        MigrationFault.RevisionsDiffer => Pending,
        MigrationFault.ConnectionLost or MigrationFault.SourceUnusable => Unreachable,
        MigrationFault.ChainBroken or MigrationFault.JournalUnreadable or MigrationFault.ChecksumMismatch or MigrationFault.NewerSchema or MigrationFault.UnknownRevision
            or MigrationFault.HistoryGap or MigrationFault.OutOfOrder or MigrationFault.DuplicateRevision or MigrationFault.Drift
            or MigrationFault.NotMovable => Drift,
        MigrationFault.LockNotObtained => LockNotObtained,
        MigrationFault.HalfApplied => HalfApplied,
        _ => Failed,
    };
}
