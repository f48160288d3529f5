using Catalog.Data.Organizations;

namespace Catalog.Migrations.Retention;

/// <summary>The scope of a removal.</summary>
/// <param name="Kinds">The kinds to remove.</param>
/// <param name="Organization">Id of the only organization; null for all organizations.</param>
public sealed record RemovalScope(IReadOnlySet<RetentionKind> Kinds, string? Organization = null)
{
    /// <summary>All kinds of all organizations.</summary>
    public static RemovalScope All { get; } = new(Enum.GetValues<RetentionKind>().ToHashSet());
}

/// <summary>Batch size and time limits of a removal.</summary>
public sealed record RemovalLimits
{
    /// <summary>
    /// Maximum number of rows per transaction. A run, an execution or a pipeline is always removed together with its
    /// dependent rows, even if they are more than the maximum.
    /// </summary>
    public int Batch { get; init; } = 5_000;

    /// <summary>Minimum pause between two transactions. The pause is at least as long as the previous transaction took.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Maximum wait of a statement for a table lock; Postgres only.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Maximum attempts per transaction after lock time-outs.</summary>
    public int Attempts { get; init; } = 10;

    /// <summary>Maximum wait for another removal to finish.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>The removed rows of one kind of one organization; in a count, the rows to remove.</summary>
/// <param name="Organization">Id of the organization.</param>
/// <param name="Kind">The kind.</param>
/// <param name="KeptDays">Retention in days.</param>
/// <param name="Before">Rows from before this time are removed.</param>
/// <param name="Rows">Number of rows per table, the kind's own table first.</param>
public sealed record Removed(string Organization, RetentionKind Kind, int KeptDays, DateTimeOffset Before, IReadOnlyList<TableRows> Rows)
{
    /// <summary>Total number of rows in all tables.</summary>
    public long AllRows => Rows.Sum(table => table.Rows);
}

/// <summary>Number of rows of a table.</summary>
public sealed record TableRows(string Table, long Rows);

/// <summary>The result of a removal or of a count.</summary>
/// <param name="Items">The rows per organization and kind. Pairs without rows are left out.</param>
/// <param name="Bounds">Number of pairs of organization and kind with a limited retention.</param>
/// <param name="Interrupted">True if the removal was cancelled.</param>
public sealed record RemovalReport(IReadOnlyList<Removed> Items, int Bounds, bool Interrupted)
{
    /// <summary>Total number of rows of all organizations, kinds and tables.</summary>
    public long AllRows => Items.Sum(item => item.AllRows);
}
