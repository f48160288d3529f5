namespace Catalog.Migrations.Doctor;

/// <summary>The results of the doctor's checks.</summary>
public sealed class DoctorReport
{
    /// <summary>True if the migrator's address was reached; otherwise the report contains only connection errors.</summary>
    public bool Reached { get; internal set; }

    /// <summary>The findings, in the order of the checks.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>
    /// The statements with the most total time, in descending order; null if pg_stat_statements cannot be read.
    /// </summary>
    public IReadOnlyList<SlowStatement>? SlowestStatements { get; internal set; }

    /// <summary>The statements of other connections, longest-running first.</summary>
    public IReadOnlyList<ActiveStatement> ActiveStatements { get; internal set; } = [];

    /// <summary>
    /// The tables, the largest first: on Postgres by size, on SQLite by number of rows. Before them come those whose
    /// size or number of rows is unknown.
    /// </summary>
    public IReadOnlyList<TableState> Tables { get; internal set; } = [];

    /// <summary>The invalid or unused indexes, largest first.</summary>
    public IReadOnlyList<IndexState> Indexes { get; internal set; } = [];

    /// <summary>The SQLite file; null on Postgres and if the file does not exist.</summary>
    public FileState? File { get; internal set; }

    internal void Add(string code, Severity severity, string message, string? action) => Findings.Add(new(code, severity, message, action));
}

/// <summary>A statement in pg_stat_statements.</summary>
public sealed record SlowStatement
{
    public required long Calls { get; init; }

    public required double MeanMilliseconds { get; init; }

    public required double TotalSeconds { get; init; }

    /// <summary>The shortened text on one line.</summary>
    public required string Query { get; init; }
}

/// <summary>The current statement of a server process.</summary>
public sealed record ActiveStatement
{
    public required int Pid { get; init; }

    /// <summary>The login; null for a background process of the server.</summary>
    public string? User { get; init; }

    public required string Application { get; init; }

    /// <summary><c>active</c>, <c>idle in transaction</c> and so on; null if hidden from this role.</summary>
    public string? State { get; init; }

    /// <summary>
    /// The wait event, such as <c>Lock: relation</c>; null if the process does not wait or is not active.
    /// </summary>
    public string? Wait { get; init; }

    /// <summary>
    /// Seconds since the statement started; for an idle transaction, since it became idle. Null if unknown.
    /// </summary>
    public double? Seconds { get; init; }

    /// <summary>Seconds since the transaction started; null without a transaction.</summary>
    public double? TransactionSeconds { get; init; }

    /// <summary>The ids of the processes that block this process. The id 0 stands for a prepared transaction.</summary>
    public int[] BlockedBy { get; init; } = [];

    /// <summary>
    /// The shortened text on one line. For an idle transaction, this is the text of its last statement.
    /// </summary>
    public required string Query { get; init; }
}

/// <summary>Size and row counts of a table.</summary>
public sealed record TableState
{
    public required string Name { get; init; }

    /// <summary>
    /// Size in bytes with indexes; null on SQLite, and while a session holds an exclusive lock on the table or waits
    /// for one.
    /// </summary>
    public long? Bytes { get; init; }

    /// <summary>Number of rows, estimated on Postgres; null if counting took too long.</summary>
    public long? LiveRows { get; init; }

    /// <summary>Number of dead row versions; null on SQLite, which has none.</summary>
    public long? DeadRows { get; init; }

    /// <summary>Time of the last manual vacuum; null for never.</summary>
    public DateTimeOffset? LastVacuum { get; init; }

    /// <summary>Time of the last autovacuum; null for never.</summary>
    public DateTimeOffset? LastAutovacuum { get; init; }
}

/// <summary>An index that is invalid or unused.</summary>
public sealed record IndexState
{
    public required string Name { get; init; }

    public required string Table { get; init; }

    public required bool Valid { get; init; }

    /// <summary>Number of index scans since <see cref="Since"/>.</summary>
    public required long Scans { get; init; }

    /// <summary>Size in bytes at the last vacuum or analyze of the table.</summary>
    public required long Bytes { get; init; }

    /// <summary>The time since which the server counts scans.</summary>
    public required DateTimeOffset Since { get; init; }
}

/// <summary>A SQLite file.</summary>
public sealed record FileState
{
    public required string Path { get; init; }

    public required long Bytes { get; init; }

    /// <summary>Size of the write-ahead log in bytes; 0 if there is no log.</summary>
    public required long WalBytes { get; init; }

    /// <summary>The journal mode; the service sets <c>wal</c>.</summary>
    public required string JournalMode { get; init; }

    /// <summary>Bytes of free pages, which new rows reuse.</summary>
    public required long FreeBytes { get; init; }

    /// <summary>The file system, such as <c>ext4</c>; null if unknown.</summary>
    public string? FileSystem { get; init; }
}
