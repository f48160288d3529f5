namespace Catalog.Migrations.Replay;

/// <summary>What a replay found and, with apply, changed.</summary>
/// <param name="Organizations">One entry for each replayed organization.</param>
public sealed record ReplayReport(IReadOnlyList<ReplayedOrganization> Organizations)
{
    /// <summary>Whether any row differs.</summary>
    public bool Differs => Organizations.Any(organization => organization.Tables.Any(table => table.Differs));
}

/// <summary>The replay of one organization.</summary>
public sealed record ReplayedOrganization
{
    public required string Organization { get; init; }

    /// <summary>The number of events that were folded.</summary>
    public required long Events { get; init; }

    /// <summary>The seconds that it took to read and fold the events.</summary>
    public required double FoldSeconds { get; init; }

    /// <summary>The number of events whose stored body could not be read; they are not folded.</summary>
    public required long Unreadable { get; init; }

    /// <summary>
    /// Events whose receipt and event time are both before this time are not folded: retention removed them, or
    /// <c>--since</c> leaves them out. Rows that were first reported before this time stay as they are. Null if the
    /// whole log is folded.
    /// </summary>
    public DateTimeOffset? Horizon { get; init; }

    /// <summary>Whether retention set the horizon.</summary>
    public bool IsHorizonOfRetention { get; init; }

    /// <summary>The tables with a difference.</summary>
    public required IReadOnlyList<ReplayedTable> Tables { get; init; }

    /// <summary>The number of runs that were folded again; 0 in a dry run.</summary>
    public int Runs { get; init; }

    /// <summary>For how many seconds new events of all organizations had to wait; 0 in a dry run.</summary>
    public double LockedSeconds { get; init; }
}

/// <summary>The differences of one table.</summary>
/// <param name="Table">Name of the table.</param>
/// <param name="Live">The number of rows in the live table that come from the log, from the horizon on.</param>
/// <param name="Replayed">The number of rows that the replay made.</param>
/// <param name="OnlyLive">The number of rows that only the live table has; apply deletes them.</param>
/// <param name="OnlyReplayed">The number of rows that the live table lacks; apply inserts them.</param>
/// <param name="Different">The number of rows that have other values in the live table; apply replaces them.</param>
/// <param name="Examples">The keys of the first rows, such as <c>only live: nightly, orders</c>.</param>
public sealed record ReplayedTable(
    string Table, long Live, long Replayed, long OnlyLive, long OnlyReplayed, long Different, IReadOnlyList<string> Examples)
{
    /// <summary>Whether any row differs.</summary>
    public bool Differs => OnlyLive + OnlyReplayed + Different > 0;
}
