namespace Catalog.Data;

/// <summary>
/// The times by which runs are sorted, as SQL. The indexes contain these expressions exactly as written here. They use
/// <c>case</c>: under row-level security Postgres searches no index for a comparison with <c>coalesce</c>, which it
/// does not know to be free of leaks. A statement that reads other tables too must select the runs in a subquery,
/// because these expressions have no table name.
/// </summary>
internal static class RunSortTimes
{
    /// <summary>The start; the arrival of a run without a start.</summary>
    public const string Started = "case when started_at is null then created_at else started_at end";

    /// <summary>The end; <see cref="Never"/> for a run without an end.</summary>
    public const string Ended = $"case when completed_at is null then {Never} else completed_at end";

    /// <summary>The last possible instant.</summary>
    public const string Never = "'9999-12-31T23:59:59.999999Z'";
}
