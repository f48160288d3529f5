namespace Catalog.Data.Executions.Kinds;

/// <summary>The kinds that compare one number of a table or column with bounds or thresholds. Nulls are left out.</summary>
internal static class AggregateKinds
{
    /// <summary>The number of rows. If the definition has no bounds and no thresholds, an empty table fails.</summary>
    public static CheckKind RowCount(CheckParameters parameters)
    {
        var bounds = Bounds.Read(parameters);
        return new()
        {
            Scan = scan => new([scan.Rows], values =>
            {
                var rows = MeasuredValues.Count(values.Span[0]);
                var measure = Measure.OfValue(rows, bounds);
                return measure with { Total = rows, Violated = bounds is null ? rows == 0 : measure.Violated };
            }),
            Expected = bounds?.ToJson(),
            HasBounds = bounds is not null,
            Unit = "rows",
        };
    }

    public static CheckKind Min(CheckParameters parameters) =>
        Column(parameters, (scan, name) => $"min({scan.Value(name)})") with { ShowsValue = true };

    public static CheckKind Max(CheckParameters parameters) =>
        Column(parameters, (scan, name) => $"max({scan.Value(name)})") with { ShowsValue = true };

    public static CheckKind Sum(CheckParameters parameters) => Column(parameters, (scan, name) => scan.Sql.Sum(scan.Value(name)));

    public static CheckKind Average(CheckParameters parameters) =>
        Column(parameters, (scan, name) => $"avg({scan.Sql.AsDouble(scan.Value(name))})");

    public static CheckKind StandardDeviation(CheckParameters parameters) =>
        Column(parameters, (scan, name) => scan.Sql.StandardDeviation(scan.Value(name)));

    public static CheckKind Median(CheckParameters parameters) => AtQuantile(parameters, 0.5);

    public static CheckKind Quantile(CheckParameters parameters)
    {
        var quantile = parameters.Number("quantile");
        if (quantile is not (>= 0 and <= 1))
        {
            parameters.Wrong("quantile", "is required: a number from 0 to 1.");
        }

        return AtQuantile(parameters, quantile ?? 0.5);
    }

    /// <summary>The number of different values that are not null; 0 for an empty table.</summary>
    public static CheckKind DistinctCount(CheckParameters parameters) =>
        Column(parameters, (scan, name) => $"count(distinct {scan.Value(name)})");

    /// <summary>
    /// The number of different values divided by the number of values that are not null; 0 if all are null.
    /// </summary>
    public static CheckKind DistinctShare(CheckParameters parameters)
    {
        var (column, bounds) = (parameters.Column(), Bounds.Read(parameters));
        return new()
        {
            Scan = scan => new(
                [$"count(distinct {scan.Value(scan.Sql.Quote(column))})", scan.Count($"{scan.Sql.Quote(column)} is not null")],
                values => MeasuredValues.Count(values.Span[1]) is > 0 and var total
                    ? Measure.OfValue((double)MeasuredValues.Count(values.Span[0]) / total, bounds)
                    : Measure.OfValue(0.0, bounds)),
            Expected = bounds?.ToJson(),
            HasBounds = bounds is not null,
            NeedsThreshold = bounds is null,
        };
    }

    private static CheckKind Column(CheckParameters parameters, Func<ScanContext, string, string> aggregate)
    {
        var (column, bounds) = (parameters.Column(), Bounds.Read(parameters));
        return new()
        {
            Scan = scan => new([aggregate(scan, scan.Sql.Quote(column))], values => Measure.OfValue(values.Span[0], bounds)),
            Expected = bounds?.ToJson(),
            HasBounds = bounds is not null,
            NeedsThreshold = bounds is null,
        };
    }

    private static CheckKind AtQuantile(CheckParameters parameters, double quantile)
    {
        var kind = Column(parameters, (scan, name) => scan.Sql.Quantile(scan.Value(name), quantile));
        var (column, bounds) = (parameters.Column(), Bounds.Read(parameters));
        return kind with
        {
            ShowsValue = true,
            Statement = context =>
            {
                // Engines without an aggregate for quantiles run this statement. It reads the values on both sides of
                // the position of the quantile, and Between interpolates between them.
                var name = context.Sql.Quote(column);
                var sql = $"select max(case when r - 1 <= p and r > p then v end), max(case when r - 1 >= p and r - 2 < p then v end), "
                    + "max(p) from (select "
                    + $"{context.Sql.AsDouble(name)} as v, row_number() over (order by {name}) as r, "
                    + FormattableString.Invariant($"{quantile} * (count(*) over () - 1) as p from {context.Table}")
                    + $"{context.Filter($"{name} is not null")}) as ranked";
                return new(sql, rows => rows.Rows is [[{ } lower, var upper, { } position]]
                    ? Measure.OfValue(Between(lower, upper, position), bounds) : Measure.OfValue(null, bounds));
            },
        };
    }

    private static double? Between(object lower, object? upper, object position)
    {
        var (low, at) = (MeasuredValues.Number(lower)!.Value, MeasuredValues.Number(position)!.Value);
        return low + (((MeasuredValues.Number(upper) ?? low) - low) * (at - Math.Floor(at)));
    }
}
