using Catalog.Data.Warehouses;
using Catalog.Data.Warehouses.Sql;

namespace Catalog.Data.Executions.Kinds;

/// <summary>What a kind of check measures, for one definition.</summary>
internal sealed record CheckKind
{
    /// <summary>
    /// The aggregates that the kind needs from the table. They are part of the statement that all checks of the table
    /// share. Null for a kind that always needs its own statement.
    /// </summary>
    public Func<ScanContext, ScanPlan>? Scan { get; init; }

    /// <summary>
    /// The kind's own statement. It runs when <see cref="Scan"/> is null, or when the engine cannot compute the
    /// aggregates. Null for kinds that never need it.
    /// </summary>
    public Func<StatementContext, StatementPlan>? Statement { get; init; }

    /// <summary>
    /// The SQL condition that is true for a violating row; null for kinds that do not judge single rows.
    /// </summary>
    public Func<WarehouseSql, string>? Violation { get; init; }

    /// <summary>The columns that a sample of violating rows shows.</summary>
    public IReadOnlyList<string> SampleColumns { get; init; } = [];

    /// <summary>The rule of the kind as JSON; null when only the thresholds say what is expected.</summary>
    public string? Expected { get; init; }

    /// <summary>
    /// Whether the definition has bounds. A check outside its bounds fails, whatever its thresholds are.
    /// </summary>
    public bool HasBounds { get; init; }

    /// <summary>Whether the measure counts rows of a total. Then a threshold can be a percentage.</summary>
    public bool CountsRows { get; init; }

    /// <summary>Whether <c>params.where</c> selects the rows; false for statements of users and for schemas.</summary>
    public bool HasWhere { get; init; } = true;

    /// <summary>Whether the definition must have a threshold, because the kind has no rule of its own.</summary>
    public bool NeedsThreshold { get; init; }

    /// <summary>Compares a measure with earlier results; null for kinds without history.</summary>
    public HistoryRule? History { get; init; }

    /// <summary>
    /// The second table of a comparison of row counts; null for kinds that do not compare row counts.
    /// </summary>
    public OtherTable? Other { get; init; }

    /// <summary>Whether the measured value is a value of the column, such as the greatest one.</summary>
    public bool ShowsValue { get; init; }

    /// <summary>The unit in which messages show the measured number; null when the number has no unit.</summary>
    public string? Unit { get; init; }

    /// <summary>
    /// The unit in which messages show <see cref="Measure.Judged"/>; null for kinds without that number.
    /// </summary>
    public string? JudgedUnit { get; init; }

    /// <summary>Whether the thresholds are ages. An age can be written as a duration such as <c>2h</c>.</summary>
    public bool HasAges { get; init; }

    /// <summary>
    /// Whether the compared number is itself a percentage. Then a threshold is compared with it as it is, whatever its
    /// unit.
    /// </summary>
    public bool IsPercent { get; init; }
}

/// <summary>A comparison with earlier results of the same check.</summary>
/// <param name="Points">The number of results to read.</param>
/// <param name="Compare">Judges a measure by the earlier results, newest first.</param>
internal sealed record HistoryRule(int Points, Func<Measure, IReadOnlyList<HistoryPoint>, Measure> Compare);

/// <summary>The second table of a comparison of row counts.</summary>
/// <param name="ConnectionId">The connection of the table; null for the connection of the check.</param>
/// <param name="Table">The name of the table.</param>
/// <param name="Where">The condition on the rows of the table; null for all rows.</param>
internal sealed record OtherTable(string? ConnectionId, string Table, string? Where);

/// <summary>Aggregates, and how their values become a measure.</summary>
/// <param name="Expressions">The aggregates in SQL.</param>
/// <param name="Read">Turns the values of the aggregates, in the same order, into a measure.</param>
internal sealed record ScanPlan(IReadOnlyList<string> Expressions, Func<ReadOnlyMemory<object?>, Measure> Read);

/// <summary>A statement, and how its rows become a measure.</summary>
/// <param name="Sql">The statement.</param>
/// <param name="Read">Turns the rows of the statement into a measure.</param>
internal sealed record StatementPlan(string Sql, Func<WarehouseRows, Measure> Read);

/// <summary>Builds aggregates over the rows that a check judges.</summary>
/// <param name="Sql">Writes the SQL of the engine.</param>
/// <param name="Where">
/// The condition on the rows of the check; null when the check judges all rows, or when the statement already has a
/// where clause with the condition.
/// </param>
internal sealed record ScanContext(WarehouseSql Sql, string? Where)
{
    /// <summary>The number of rows of the check.</summary>
    public string Rows => Where is null ? "count(*)" : Count("1 = 1");

    /// <summary>The number of rows of the check for which a condition holds.</summary>
    public string Count(string condition) =>
        Where is null ? $"count(case when {condition} then 1 end)" : $"count(case when ({Where}) and ({condition}) then 1 end)";

    /// <summary>An expression for the rows of the check; it is null for other rows.</summary>
    public string Value(string expression) => Where is null ? expression : $"case when ({Where}) then {expression} end";
}

/// <summary>Builds the statement of one check.</summary>
/// <param name="Sql">Writes the SQL of the engine.</param>
/// <param name="Name">The table as the definition names it; empty when the definition names no table.</param>
/// <param name="Where">The condition on the rows of the table; null for all rows.</param>
internal sealed record StatementContext(WarehouseSql Sql, string Name, string? Where)
{
    /// <summary>The quoted table.</summary>
    public string Table => Sql.Table(Name);

    /// <summary>
    /// The where clause that selects the rows of the check that meet a further condition; null for all rows.
    /// </summary>
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
    /// <summary>
    /// The measured number; NaN when no row has a value, null when the measured value is not a number. Thresholds are
    /// compared with it when <see cref="Judged"/> is null.
    /// </summary>
    public double? Number { get; init; }

    /// <summary>
    /// The number that thresholds are compared with instead of <see cref="Number"/>, such as a change; null when they
    /// are compared with <see cref="Number"/>.
    /// </summary>
    public double? Judged { get; init; }

    /// <summary>
    /// The number that thresholds are compared with, without rounding; null when only the floating-point number is
    /// known.
    /// </summary>
    public decimal? Exact { get; init; }

    /// <summary>The number of violating rows; null for kinds that do not count violating rows.</summary>
    public long? Failed { get; init; }

    /// <summary>
    /// The number of judged rows, or of the rows of the other table in a comparison of row counts; null for other
    /// kinds.
    /// </summary>
    public long? Total { get; init; }

    /// <summary>The measured value as JSON; null when <see cref="Number"/> is the measured value.</summary>
    public string? Observed { get; init; }

    /// <summary>Whether the kind's own rule is violated.</summary>
    public bool Violated { get; init; }

    /// <summary>Why the check could not be evaluated; null when it was evaluated.</summary>
    public string? Problem { get; init; }

    /// <summary>Why the check passes without a comparison; null when the measure is compared.</summary>
    public string? NotCompared { get; init; }

    /// <summary>Further facts for the metadata: JSON by name.</summary>
    public IReadOnlyDictionary<string, string>? Facts { get; init; }

    /// <summary>The measure of a check from the numbers of violating and of judged rows.</summary>
    public static Measure OfRows(object? failed, object? total) => OfRows(MeasuredValues.Count(failed), MeasuredValues.Count(total));

    /// <inheritdoc cref="OfRows(object?, object?)" />
    public static Measure OfRows(long failed, long total) =>
        new() { Number = failed, Exact = failed, Failed = failed, Total = total, Violated = failed > 0 };

    /// <summary>
    /// The measure of a check from one value. It is violated when the value is null or outside the bounds.
    /// </summary>
    public static Measure OfValue(object? value, Bounds? bounds)
    {
        // No row has a value to compare, so the check is violated.
        if (value is null or double.NaN)
        {
            return new() { Number = double.NaN, Observed = "null", Violated = true };
        }

        var outside = bounds?.IsOutside(value);
        return bounds is not null && outside is null
            ? new()
            {
                Problem = "the measured value cannot be compared with params.min or params.max, because they have another type. "
                    + "Correct them.",
            }
            : new()
            {
                Number = MeasuredValues.Number(value),
                Exact = MeasuredValues.Exact(value),
                Observed = MeasuredValues.Json(value),
                Violated = outside ?? false,
            };
    }
}
