namespace Catalog.Migrations.Transfer;

/// <summary>One value that cannot be moved as it is.</summary>
/// <param name="Table">Where it lies.</param>
/// <param name="Key">The row's primary key as text, shortened.</param>
/// <param name="RowId">SQLite's number of the row; null where the table has none.</param>
/// <param name="Column">Which value of the row; null when it is about the whole row.</param>
/// <param name="Stored">How SQLite stores it: integer, real, text, blob or null; null when it is about the whole row.</param>
/// <param name="Reason">What stands against it, to follow on "it".</param>
public sealed record TransferFinding(string Table, string Key, long? RowId, string? Column, string? Stored, string Reason);

/// <summary>How one table fared, in the order of loading.</summary>
/// <param name="Table">Its name.</param>
/// <param name="Rows">In the source.</param>
/// <param name="Present">Of these, how many were in the target before.</param>
/// <param name="Copied">How many were loaded now.</param>
/// <param name="Seconds">How long loading took.</param>
/// <param name="SourceHash">SHA-256 over the rows in the order of their key, as Postgres' binary COPY writes them; lower-case hexadecimal.</param>
/// <param name="TargetHash">The same over what was read back from the target; null when it was not.</param>
public sealed record TransferredTable(string Table, long Rows, long Present, long Copied, double Seconds, string SourceHash, string? TargetHash);

/// <summary>The first row of a table in which two databases differ.</summary>
/// <param name="Table">The table.</param>
/// <param name="Key">The row's primary key as text.</param>
/// <param name="What">What of it, as a sentence.</param>
public sealed record Difference(string Table, string Key, string What);

/// <summary>What has to be known of the key that seals connections' secrets: they are moved as they are.</summary>
/// <param name="Connections">How many connections hold secrets.</param>
/// <param name="Opened">How many of them the key opens that was found.</param>
/// <param name="KeyFile">The file that the key was read from; null when it came from the environment or was not found.</param>
/// <param name="FromEnvironment">Whether DATAXPIPE_SECRET_KEY is set here.</param>
public sealed record SealedSecrets(long Connections, long Opened, string? KeyFile, bool FromEnvironment);

/// <summary>What a transfer found and did.</summary>
public sealed record TransferReport
{
    /// <summary>The revision of both databases.</summary>
    public required string Revision { get; init; }

    /// <summary>In the order of loading.</summary>
    public required IReadOnlyList<TransferredTable> Tables { get; init; }

    /// <summary>How many values cannot be moved; with one nothing was written.</summary>
    public required long Findings { get; init; }

    /// <summary>The findings themselves, at most <see cref="DataTransfer.ListedAtMost"/>.</summary>
    public required IReadOnlyList<TransferFinding> Listed { get; init; }

    /// <summary>Where the databases differ after loading; empty when they hold the same.</summary>
    public required IReadOnlyList<Difference> Differences { get; init; }

    /// <summary>Null when no connection holds secrets.</summary>
    public required SealedSecrets? Secrets { get; init; }
}

/// <summary>What a transfer is doing, for whoever watches.</summary>
/// <param name="Phase"><c>checking</c>, <c>comparing</c>, <c>copying</c> or <c>verifying</c>.</param>
/// <param name="Table">Which table.</param>
/// <param name="Done">Rows so far.</param>
/// <param name="Total">Rows in all.</param>
public sealed record TransferStep(string Phase, string Table, long Done, long Total);
