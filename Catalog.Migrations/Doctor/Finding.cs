namespace Catalog.Migrations.Doctor;

/// <summary>The severity of a finding.</summary>
public enum Severity
{
    /// <summary>Something does not work or will soon fail.</summary>
    Error,

    /// <summary>Everything works, but this should be fixed.</summary>
    Warning,

    /// <summary>Information only.</summary>
    Note,
}

/// <summary>One result of a check.</summary>
/// <param name="Code">Stable code in snake_case.</param>
/// <param name="Severity">The severity.</param>
/// <param name="Message">The problem in full sentences; contains no secret.</param>
/// <param name="Action">How to fix it, with the command if there is one; null if nothing needs to be done.</param>
public sealed record Finding(string Code, Severity Severity, string Message, string? Action);

/// <summary>The thresholds above which the doctor reports a finding.</summary>
public sealed record DoctorThresholds
{
    /// <summary>
    /// Run time of a migration's statement, idle time of an open transaction, and age of a prepared transaction.
    /// </summary>
    public TimeSpan Slow { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Wait time for a lock.</summary>
    public TimeSpan Waiting { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Minimum age of the statistics to report an index without scans as unused.</summary>
    public TimeSpan UnusedFor { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Minimum size in bytes of a reported unused index.</summary>
    public long UnusedBytes { get; init; } = 1024 * 1024;

    /// <summary>Number of dead rows in a table. A table with fewer dead rows is never reported.</summary>
    public long DeadRows { get; init; } = 10_000;

    /// <summary>
    /// Age of the oldest row, in transactions. Shortly before an age of 2,147,483,648 (wraparound), the server rejects
    /// writes.
    /// </summary>
    public long TransactionAge { get; init; } = 1_000_000_000;

    /// <summary>Bytes of write-ahead log retained by a replication slot.</summary>
    public long SlotBytes { get; init; } = 1024 * 1024 * 1024;
}
