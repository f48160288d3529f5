using System.Diagnostics;
using Catalog.Data.Executions.Kinds;
using Catalog.Data.Warehouses;
using Catalog.Data.Warehouses.Sql;

namespace Catalog.Data.Executions;

/// <summary>
/// Evaluates checks that measure with aggregates. All such checks of a table share one statement, except a check with
/// groups.
/// </summary>
internal static class CheckScan
{
    // Engines limit the number of columns in a result. This number is below every such limit.
    private const int MaxExpressions = 150;

    /// <summary>Splits checks so that each part fits into one statement.</summary>
    public static IEnumerable<List<CheckDefinition>> Parts(IReadOnlyList<CheckDefinition> checks, WarehouseSql sql)
    {
        List<CheckDefinition> part = [];
        var expressions = 0;
        foreach (var check in checks)
        {
            var own = check.Kind.Scan!(new(sql, null)).Expressions.Count;
            if (expressions + own > MaxExpressions)
            {
                yield return part;
                (part, expressions) = ([], 0);
            }

            part.Add(check);
            expressions += own;
        }

        yield return part;
    }

    /// <summary>Measures checks of one table with one statement.</summary>
    /// <returns>The measures, in the order of the checks, and the time that the statement took.</returns>
    /// <exception cref="WarehouseException">The statement failed, so no check has a measure.</exception>
    public static async Task<(List<Measure> Measures, TimeSpan Duration)> Run(WarehouseSession session,
        IReadOnlyList<CheckDefinition> checks, CancellationToken ct)
    {
        // If all checks have the same condition, it becomes the where clause, so the server reads fewer rows.
        var shared = checks[0].Where is { } where && checks.All(check => check.Where == where) ? where : null;
        var plans = checks.Select(check => check.Kind.Scan!(new(session.Sql, shared is null ? check.Where : null))).ToList();
        var (distinct, places) = Distinct(plans);
        var sql = $"select {string.Join(", ", distinct.Select((expression, place) => $"{expression} as v{place}"))} "
            + $"from {session.Sql.Table(checks[0].Table)}{(shared is null ? "" : $" where {shared}")}";
        var clock = Stopwatch.StartNew();
        var rows = await session.Query(sql, ct);
        var values = rows.Rows[0];
        return ([.. plans.Zip(places, (plan, own) => plan.Read(Array.ConvertAll(own, place => values[place])))], clock.Elapsed);
    }

    /// <summary>Runs the statement of one check with groups.</summary>
    /// <param name="session">The warehouse.</param>
    /// <param name="check">The check.</param>
    /// <param name="hidden">Columns whose values are hidden.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>
    /// For each group its values as a JSON array and its measure; null when there are too many groups.
    /// </returns>
    public static async Task<List<(string Group, Measure Measure)>?> RunGroups(WarehouseSession session, CheckDefinition check,
        HiddenColumns hidden, CancellationToken ct)
    {
        var plan = check.Kind.Scan!(new(session.Sql, null));
        string Group(object? value, int place) =>
            hidden.Contains(check.GroupBy[place]) ? "\"(hidden)\"" : MeasuredValues.Json(CheckSamples.Cut(value));
        var names = string.Join(", ", check.GroupBy.Select(session.Sql.Quote));
        var columns = check.GroupBy.Select((name, place) => $"{session.Sql.Quote(name)} as g{place}")
            .Concat(plan.Expressions.Select((expression, place) => $"{expression} as v{place}"));
        var filter = check.Where is null ? "" : $" where ({check.Where})";
        var rows = await session.Query(session.Sql.Limit(
            $"select {string.Join(", ", columns)} from {session.Sql.Table(check.Table)}{filter} group by {names}",
            check.MaxGroups + 1), ct);
        var groups = check.GroupBy.Count;
        return rows.Truncated || rows.Rows.Count > check.MaxGroups ? null
            : [.. rows.Rows.Select(row => ($"[{string.Join(',', row.Take(groups).Select(Group))}]", plan.Read(row.AsMemory(groups))))];
    }

    // Several checks can need the same expression, such as the number of rows. Each expression is computed once.
    private static (List<string> Expressions, List<int[]> Places) Distinct(List<ScanPlan> plans)
    {
        List<string> expressions = [];
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        return (expressions, plans.ConvertAll(plan => plan.Expressions.Select(expression =>
        {
            if (!known.TryGetValue(expression, out var place))
            {
                known.Add(expression, place = expressions.Count);
                expressions.Add(expression);
            }

            return place;
        }).ToArray()));
    }
}
