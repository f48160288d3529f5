namespace Catalog.Data;

/// <summary>
/// The times by which runs are sorted, as SQL. The indexes contain these expressions exactly as written here. They use
/// <c>case</c> instead of <c>coalesce</c>: under row-level security Postgres uses no index for a comparison with
/// <c>coalesce</c>, because it does not regard <c>coalesce</c> as leakproof. A statement that also reads other tables
/// must select the runs in a subquery, because these expressions have no table name.
/// </summary>
internal static class RunSortTimes
{
    /// <summary>The start of a run, or its arrival if it has no start.</summary>
    public const string Started = "case when started_at is null then created_at else started_at end";

    /// <summary>The end of a run, or <see cref="Never"/> if it has no end.</summary>
    public const string Ended = $"case when completed_at is null then {Never} else completed_at end";

    /// <summary>The last possible instant.</summary>
    public const string Never = "'9999-12-31T23:59:59.999999Z'";
}
