namespace Catalog.Migrations.Doctor;

/// <summary>What an examination of a database brought to light.</summary>
public sealed class DoctorReport
{
    /// <summary>Whether the migrator's address could be reached; otherwise nothing else is known.</summary>
    public bool Reached { get; internal set; }

    /// <summary>In the order they were found.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>Those that took most of the server's time, most first; null where it is not measured.</summary>
    public IReadOnlyList<SlowStatement>? SlowestStatements { get; internal set; }

    /// <summary>What other connections do now, the longest first.</summary>
    public IReadOnlyList<ActiveStatement> ActiveStatements { get; internal set; } = [];

    /// <summary>The largest first, after those whose size is not known.</summary>
    public IReadOnlyList<TableState> Tables { get; internal set; } = [];

    /// <summary>Those that are invalid or unused, the largest first.</summary>
    public IReadOnlyList<IndexState> Indexes { get; internal set; } = [];

    /// <summary>The file on SQLite; null on Postgres, and when there is none yet.</summary>
    public FileState? File { get; internal set; }

    internal void Add(string code, Severity severity, string message, string? action) => Findings.Add(new(code, severity, message, action));
}

/// <summary>A statement as the server has measured it.</summary>
public sealed record SlowStatement
{
    public required long Calls { get; init; }

    public required double MeanMilliseconds { get; init; }

    public required double TotalSeconds { get; init; }

    /// <summary>The text's beginning on one line.</summary>
    public required string Query { get; init; }
}

/// <summary>What one server process does for its client.</summary>
public sealed record ActiveStatement
{
    public required int Pid { get; init; }

    /// <summary>The login; null for a process of the server's own.</summary>
    public string? User { get; init; }

    public required string Application { get; init; }

    /// <summary><c>active</c>, <c>idle in transaction</c> and so on; null when this role may not see it.</summary>
    public string? State { get; init; }

    /// <summary>What it waits for, such as <c>Lock: relation</c>; null when it works.</summary>
    public string? Wait { get; init; }

    /// <summary>Since the statement began; of an idle transaction, since it was left alone.</summary>
    public double? Seconds { get; init; }

    /// <summary>Since the transaction began; null outside one.</summary>
    public double? TransactionSeconds { get; init; }

    /// <summary>The processes that it waits for; 0 stands for a prepared transaction.</summary>
    public int[] BlockedBy { get; init; } = [];

    /// <summary>The text's beginning on one line; of an idle transaction, its last statement.</summary>
    public required string Query { get; init; }
}

/// <summary>A table and what it holds.</summary>
public sealed record TableState
{
    public required string Name { get; init; }

    /// <summary>With its indexes; null while somebody holds it exclusively or waits to, and on SQLite, which does not say.</summary>
    public long? Bytes { get; init; }

    /// <summary>An estimate on Postgres; null when counting took too long.</summary>
    public long? LiveRows { get; init; }

    /// <summary>Rows that were deleted or replaced and still take room; null on SQLite, which has none.</summary>
    public long? DeadRows { get; init; }

    /// <summary>When it was last cleared of dead rows; null when never.</summary>
    public DateTimeOffset? LastVacuum { get; init; }

    /// <summary>When the server last did so by itself; null when never.</summary>
    public DateTimeOffset? LastAutovacuum { get; init; }
}

/// <summary>An index that is invalid or unused.</summary>
public sealed record IndexState
{
    public required string Name { get; init; }

    public required string Table { get; init; }

    public required bool Valid { get; init; }

    /// <summary>How often it was read since <see cref="Since"/>.</summary>
    public required long Scans { get; init; }

    /// <summary>As the server last measured it.</summary>
    public required long Bytes { get; init; }

    /// <summary>Since when scans are surely counted.</summary>
    public required DateTimeOffset Since { get; init; }
}

/// <summary>A SQLite file.</summary>
public sealed record FileState
{
    public required string Path { get; init; }

    public required long Bytes { get; init; }

    /// <summary>Of the write-ahead log beside it; 0 without one.</summary>
    public required long WalBytes { get; init; }

    /// <summary><c>wal</c>, as the service sets it, or another.</summary>
    public required string JournalMode { get; init; }

    /// <summary>Bytes that deleted rows have left and new ones will fill.</summary>
    public required long FreeBytes { get; init; }

    /// <summary>As the system calls it, such as <c>ext4</c>; null where it does not say.</summary>
    public string? FileSystem { get; init; }
}
