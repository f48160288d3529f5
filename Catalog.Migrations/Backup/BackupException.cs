namespace Catalog.Migrations.Backup;

/// <summary>A failed backup or restore.</summary>
/// <param name="exit">See <see cref="ExitCode"/>.</param>
/// <param name="code">Stable error code in snake_case.</param>
/// <param name="message">The error and what to do about it; contains no secret.</param>
/// <param name="cause">The inner exception; null for none.</param>
internal sealed class BackupException(int exit, string code, string message, Exception? cause = null) : Exception(message, cause)
{
    public int Exit { get; } = exit;

    public string Code { get; } = code;

    /// <summary>Creates the exception for a backup that differs from its manifest.</summary>
    public static BackupException Damaged(string message) => new(ExitCode.Drift, "damaged", message);
}
