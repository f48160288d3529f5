namespace Catalog.Migrations.Doctor;

/// <summary>How grave a finding is.</summary>
public enum Severity
{
    /// <summary>Something does not work, or is about to stop.</summary>
    Error,

    /// <summary>It works, and should not be left like this.</summary>
    Warning,

    /// <summary>Good to know.</summary>
    Note,
}

/// <summary>Something that an examination found.</summary>
/// <param name="Code">Stable, in snake_case.</param>
/// <param name="Severity">How grave it is.</param>
/// <param name="Message">What it is, in sentences; without a secret.</param>
/// <param name="Action">What to do, with the command as it is typed where there is one; null when there is nothing to do.</param>
public sealed record Finding(string Code, Severity Severity, string Message, string? Action);

/// <summary>From where on something is worth a word.</summary>
public sealed record DoctorThresholds
{
    /// <summary>How long a migration's statement may run, and a transaction be idle.</summary>
    public TimeSpan Slow { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a statement may wait for a lock.</summary>
    public TimeSpan Waiting { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the statistics must reach back before an index without a scan is called unused.</summary>
    public TimeSpan UnusedFor { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The size in bytes from which an unused index is worth a word.</summary>
    public long UnusedBytes { get; init; } = 1024 * 1024;

    /// <summary>Dead rows that a table may hold, however many live ones there are.</summary>
    public long DeadRows { get; init; } = 10_000;

    /// <summary>The age in transactions from which a database nears the wraparound at 2,147,483,648, where it stops taking writes.</summary>
    public long TransactionAge { get; init; } = 1_000_000_000;

    /// <summary>Bytes of write-ahead log that a replication slot may hold back.</summary>
    public long SlotBytes { get; init; } = 1024 * 1024 * 1024;
}
