using Catalog.Data.Warehouses;
using Catalog.Data.Warehouses.Sql;

namespace Catalog.Data.Executions.Kinds;

/// <summary>What a kind of check measures, for one definition.</summary>
internal sealed record CheckKind
{
    /// <summary>
    /// The aggregates that the kind needs from the table. They are part of the one statement for all checks of the
    /// table. Null for a kind with a statement of its own.
    /// </summary>
    public Func<ScanContext, ScanPlan>? Scan { get; init; }

    /// <summary>The statement of the kind, when it cannot be part of a scan.</summary>
    public Func<StatementContext, StatementPlan>? Statement { get; init; }

    /// <summary>The condition in SQL that a row violates the check; null for kinds that judge no rows.</summary>
    public Func<WarehouseSql, string>? Violation { get; init; }

    /// <summary>The columns that a sample of violating rows shows.</summary>
    public IReadOnlyList<string> SampleColumns { get; init; } = [];

    /// <summary>What is expected, as JSON; null when the thresholds say all.</summary>
    public string? Expected { get; init; }

    /// <summary>Whether the definition has bounds, which hold beside its thresholds.</summary>
    public bool HasBounds { get; init; }

    /// <summary>Whether the measure is a number of rows of a total, so that a threshold may be a percentage.</summary>
    public bool CountsRows { get; init; }

    /// <summary>Whether <c>params.where</c> selects the rows; false for statements of users and for schemas.</summary>
    public bool HasWhere { get; init; } = true;

    /// <summary>Whether the definition must have a threshold, because the kind has no rule of its own.</summary>
    public bool NeedsThreshold { get; init; }

    /// <summary>Compares a measure with earlier results; null for kinds without history.</summary>
    public HistoryRule? History { get; init; }

    /// <summary>A second table whose rows are counted; null for other kinds.</summary>
    public OtherTable? Other { get; init; }

    /// <summary>Whether the measured value is a value of the column, such as the greatest one.</summary>
    public bool ShowsValue { get; init; }

    /// <summary>The unit of the measured number, to be shown; null when it has none.</summary>
    public string? Unit { get; init; }

    /// <summary>The unit of the number that is compared when it is another one, to be shown.</summary>
    public string? JudgedUnit { get; init; }

    /// <summary>Whether the thresholds are ages, which may be written as <c>2h</c>.</summary>
    public bool HasAges { get; init; }

    /// <summary>Whether the unit of a threshold is percent when it names none.</summary>
    public bool IsPercent { get; init; }
}

/// <summary>A comparison with earlier results of the same check.</summary>
/// <param name="Points">The number of results to read.</param>
/// <param name="Compare">Judges a measure by the earlier results, newest first.</param>
internal sealed record HistoryRule(int Points, Func<Measure, IReadOnlyList<HistoryPoint>, Measure> Compare);

/// <summary>The second table of a comparison of row counts.</summary>
/// <param name="ConnectionId">Its connection; null for the connection of the check.</param>
/// <param name="Table">Its name.</param>
/// <param name="Where">A condition on its rows; null for all.</param>
internal sealed record OtherTable(string? ConnectionId, string Table, string? Where);

/// <summary>Aggregates and how their values become a measure.</summary>
/// <param name="Expressions">The aggregates in SQL.</param>
/// <param name="Read">Reads their values, in the same order.</param>
internal sealed record ScanPlan(IReadOnlyList<string> Expressions, Func<ReadOnlyMemory<object?>, Measure> Read);

/// <summary>A statement and how its rows become a measure.</summary>
/// <param name="Sql">The statement.</param>
/// <param name="Read">Reads its rows.</param>
internal sealed record StatementPlan(string Sql, Func<WarehouseRows, Measure> Read);

/// <summary>Builds aggregates over the rows that a check judges.</summary>
/// <param name="Sql">How SQL is written.</param>
/// <param name="Where">The condition on the rows of the check; null when the statement has it already, or for all rows.</param>
internal sealed record ScanContext(WarehouseSql Sql, string? Where)
{
    /// <summary>The number of rows of the check.</summary>
    public string Rows => Where is null ? "count(*)" : Count("1 = 1");

    /// <summary>The number of rows of the check for which a condition holds.</summary>
    public string Count(string condition) =>
        Where is null ? $"count(case when {condition} then 1 end)" : $"count(case when ({Where}) and ({condition}) then 1 end)";

    /// <summary>A value of the rows of the check, null for other rows.</summary>
    public string Value(string expression) => Where is null ? expression : $"case when ({Where}) then {expression} end";
}

/// <summary>Builds the statement of one check.</summary>
/// <param name="Sql">How SQL is written.</param>
/// <param name="Name">The table as the definition names it; empty when it names none.</param>
/// <param name="Where">The condition on its rows; null for all rows.</param>
internal sealed record StatementContext(WarehouseSql Sql, string Name, string? Where)
{
    /// <summary>The quoted table.</summary>
    public string Table => Sql.Table(Name);

    /// <summary>The clause that selects the rows of the check for which a condition holds.</summary>
    public string Filter(string? condition) => (Where, condition) switch
    {
        (null, null) => "",
        (null, _) => $" where {condition}",
        (_, null) => $" where ({Where})",
        _ => $" where ({Where}) and ({condition})",
    };
}

/// <summary>What a check measured.</summary>
internal sealed record Measure
{
    /// <summary>The number that thresholds are compared with; null when nothing was measured.</summary>
    public double? Number { get; init; }

    /// <summary>The number that thresholds are compared with when it is not the measured one, such as a change.</summary>
    public double? Judged { get; init; }

    /// <summary>
    /// The number that thresholds are compared with, without rounding; null when the warehouse gives a floating-point
    /// number.
    /// </summary>
    public decimal? Exact { get; init; }

    /// <summary>The number of violating rows; null for kinds that judge no rows.</summary>
    public long? Failed { get; init; }

    /// <summary>The number of judged rows; null for kinds that judge no rows.</summary>
    public long? Total { get; init; }

    /// <summary>The measured value as JSON; null when it is the number.</summary>
    public string? Observed { get; init; }

    /// <summary>Whether the kind's own rule is violated.</summary>
    public bool Violated { get; init; }

    /// <summary>Why the check could not be evaluated; null when it was.</summary>
    public string? Problem { get; init; }

    /// <summary>Why the check passes without a comparison; null when it was compared.</summary>
    public string? NotCompared { get; init; }

    /// <summary>Further facts for the metadata: JSON by name.</summary>
    public IReadOnlyDictionary<string, string>? Facts { get; init; }

    /// <summary>A measure of rows: some of them violate the check.</summary>
    public static Measure OfRows(object? failed, object? total) => OfRows(MeasuredValues.Count(failed), MeasuredValues.Count(total));

    /// <inheritdoc cref="OfRows(object?, object?)" />
    public static Measure OfRows(long failed, long total) =>
        new() { Number = failed, Exact = failed, Failed = failed, Total = total, Violated = failed > 0 };

    /// <summary>A measure of one value with bounds.</summary>
    public static Measure OfValue(object? value, Bounds? bounds)
    {
        // No row has a value to compare, so the check is violated.
        if (value is null or double.NaN)
        {
            return new() { Number = double.NaN, Observed = "null", Violated = true };
        }

        var outside = bounds?.IsOutside(value);
        return bounds is not null && outside is null
            ? new() { Problem = "the measured value cannot be compared with min or max: they are of another type." }
            : new()
            {
                Number = MeasuredValues.Number(value),
                Exact = MeasuredValues.Exact(value),
                Observed = MeasuredValues.Json(value),
                Violated = outside ?? false,
            };
    }
}
