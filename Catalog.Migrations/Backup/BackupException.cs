namespace Catalog.Migrations.Backup;

/// <summary>A backup or a restore that could not be carried out. The message says what to do and holds no secret.</summary>
/// <param name="exit">See <see cref="ExitCode"/>.</param>
/// <param name="code">The word for programs, in snake_case.</param>
/// <param name="message">In plain words.</param>
/// <param name="cause">What was thrown; null when nothing was.</param>
internal sealed class BackupException(int exit, string code, string message, Exception? cause = null) : Exception(message, cause)
{
    public int Exit { get; } = exit;

    public string Code { get; } = code;

    /// <summary>The backup is not what it says it is.</summary>
    public static BackupException Damaged(string message) => new(ExitCode.Drift, "damaged", message);
}
