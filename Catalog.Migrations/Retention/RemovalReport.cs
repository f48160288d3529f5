using Catalog.Data.Organizations;

namespace Catalog.Migrations.Retention;

/// <summary>Of what to remove.</summary>
/// <param name="Kinds">Of these kinds.</param>
/// <param name="Organization">Of this organization alone; null: of all.</param>
public sealed record RemovalScope(IReadOnlySet<RetentionKind> Kinds, string? Organization = null)
{
    /// <summary>All that is old.</summary>
    public static RemovalScope All { get; } = new(Enum.GetValues<RetentionKind>().ToHashSet());
}

/// <summary>How gently old rows are removed.</summary>
public sealed record RemovalLimits
{
    /// <summary>The rows of one transaction, at most; a run or a pipeline goes in one piece with what belongs to it.</summary>
    public int Batch { get; init; } = 5_000;

    /// <summary>The shortest rest between two transactions; it lasts at least as long as the one before it took.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a statement waits for a lock on a table.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a transaction is tried that waited in vain.</summary>
    public int Attempts { get; init; } = 10;

    /// <summary>How long to wait for another removal to finish.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>What goes, or has gone, of one kind of one organization.</summary>
/// <param name="Organization">Whose.</param>
/// <param name="Kind">What.</param>
/// <param name="KeptDays">For how long it is kept.</param>
/// <param name="Before">What is from before this instant goes.</param>
/// <param name="Rows">The rows by table, that of the kind first.</param>
public sealed record Removed(string Organization, RetentionKind Kind, int KeptDays, DateTimeOffset Before, IReadOnlyList<TableRows> Rows)
{
    /// <summary>Of all tables.</summary>
    public long AllRows => Rows.Sum(table => table.Rows);
}

/// <summary>Rows of one table.</summary>
public sealed record TableRows(string Table, long Rows);

/// <summary>What a removal did or would do.</summary>
/// <param name="Items">By organization and kind, those that lose anything.</param>
/// <param name="Bounds">How many pairs of organization and kind are kept for a time and not for ever.</param>
/// <param name="Interrupted">Whether it was told to stop before all was done.</param>
public sealed record RemovalReport(IReadOnlyList<Removed> Items, int Bounds, bool Interrupted)
{
    /// <summary>Of all organizations, kinds and tables.</summary>
    public long AllRows => Items.Sum(item => item.AllRows);
}
