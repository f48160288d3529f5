namespace Catalog.Migrations.Transfer;

/// <summary>A value or row that cannot be transferred unchanged.</summary>
/// <param name="Table">Name of the table.</param>
/// <param name="Key">The row's primary key as shortened text.</param>
/// <param name="RowId">SQLite's rowid; null if the table has none.</param>
/// <param name="Column">Name of the column; null for a finding about the whole row.</param>
/// <param name="Stored">SQLite's storage class: integer, real, text, blob or null; null for a finding about the whole row.</param>
/// <param name="Reason">The reason, as a predicate without subject: "is not a UUID".</param>
public sealed record TransferFinding(string Table, string Key, long? RowId, string? Column, string? Stored, string Reason);

/// <summary>The result for one table.</summary>
/// <param name="Table">Name of the table.</param>
/// <param name="Rows">Number of rows in the source.</param>
/// <param name="Present">Number of these rows that were already in the target.</param>
/// <param name="Copied">Number of rows loaded by this transfer.</param>
/// <param name="Seconds">Duration of the loading in seconds.</param>
/// <param name="SourceHash">SHA-256 of the source's rows in the order of their key, in the format of Postgres' binary
/// COPY; lower-case hexadecimal.</param>
/// <param name="TargetHash">The same hash of the rows that were read back from the target; null if they were not
/// read.</param>
public sealed record TransferredTable(string Table, long Rows, long Present, long Copied, double Seconds, string SourceHash,
    string? TargetHash);

/// <summary>The first difference between source and target in a table.</summary>
/// <param name="Table">Name of the table.</param>
/// <param name="Key">The row's primary key as text.</param>
/// <param name="What">Description of the difference.</param>
public sealed record Difference(string Table, string Key, string What);

/// <summary>The result of a transfer.</summary>
public sealed record TransferReport
{
    /// <summary>The revision of both databases.</summary>
    public required string Revision { get; init; }

    /// <summary>The results per table, in the order of loading.</summary>
    public required IReadOnlyList<TransferredTable> Tables { get; init; }

    /// <summary>Number of findings. If it is not 0, nothing was written.</summary>
    public required long Findings { get; init; }

    /// <summary>The findings, at most <see cref="DataTransfer.MaxListed"/>.</summary>
    public required IReadOnlyList<TransferFinding> Listed { get; init; }

    /// <summary>The differences after loading, at most one per table; empty if the databases are equal.</summary>
    public required IReadOnlyList<Difference> Differences { get; init; }

    /// <summary>The secrets of connections; null if there are none.</summary>
    public required SealedSecrets? Secrets { get; init; }
}

/// <summary>The progress of a transfer.</summary>
/// <param name="Phase"><c>checking</c>, <c>comparing</c>, <c>copying</c> or <c>verifying</c>.</param>
/// <param name="Table">Name of the table.</param>
/// <param name="Done">Number of processed rows.</param>
/// <param name="Total">Total number of rows.</param>
public sealed record TransferStep(string Phase, string Table, long Done, long Total);
