using System.Globalization;

namespace Catalog.Data.Executions.Kinds;

/// <summary>The kinds that compare a measure with earlier results of the same check.</summary>
internal static class HistoryKinds
{
    private const double MostStandardDeviations = 3;

    // Results with the status error are left out, so more results are read than are needed.
    private const int MoreForErrors = 20;

    /// <summary>
    /// Compares the number of rows with the mean of earlier results. The judged number is the change in percent. The
    /// check passes until there is an earlier result.
    /// </summary>
    public static CheckKind VolumeChange(CheckParameters parameters)
    {
        var window = parameters.Whole("window", 1, 1000, 1);
        parameters.RefuseBounds();
        var direction = parameters.Word("direction", "both", "increase", "decrease");
        return AggregateKinds.RowCount(parameters) with
        {
            History = new(window + MoreForErrors, (measure, points) =>
            {
                var numbers = Numbers(points, window);
                if (numbers.Count == 0)
                {
                    return measure with { Violated = false, NotCompared = "there is no earlier result to compare with" };
                }

                var baseline = numbers.Average();
                var change = baseline == 0 ? (measure.Number is 0 ? 0 : 100) : ((measure.Number ?? 0) - baseline) / baseline * 100;
                return measure with
                {
                    Judged = Directed(change, direction),
                    Exact = null,
                    Violated = false,
                    Facts = Facts(("change_percent", change), ("baseline", baseline)),
                };
            }),
            NeedsThreshold = true,
            IsPercent = true,
            JudgedUnit = "percent",
        };
    }

    /// <summary>
    /// Compares a metric with the mean of its earlier results. The judged number is the distance in standard
    /// deviations. The check passes until there are enough earlier results.
    /// </summary>
    public static CheckKind Anomaly(CheckParameters parameters)
    {
        parameters.RefuseBounds();
        var least = parameters.Whole("min_points", 3, 1000, 7);
        var window = parameters.Whole("window", 3, 1000, 30);
        var sensitivity = parameters.Number("standard_deviations") ?? MostStandardDeviations;
        var direction = parameters.Word("direction", "both", "increase", "decrease");
        var ignoreBelow = parameters.Number("ignore_change_below_percent") ?? 0;
        var metric = parameters.Word("metric", "row_count", "avg", "sum", "min", "max", "stddev", "distinct_count");
        var kind = metric switch
        {
            "avg" => AggregateKinds.Average(parameters),
            "sum" => AggregateKinds.Sum(parameters),
            "min" => AggregateKinds.Min(parameters),
            "max" => AggregateKinds.Max(parameters),
            "stddev" => AggregateKinds.StandardDeviation(parameters),
            "distinct_count" => AggregateKinds.DistinctCount(parameters),
            _ => AggregateKinds.RowCount(parameters),
        };
        return kind with
        {
            History = new(Math.Max(window, least) + MoreForErrors, (measure, points) =>
            {
                if (measure.Observed == "null")
                {
                    return new() { Problem = "there are no rows with a value to measure." };
                }

                var numbers = Numbers(points, Math.Max(window, least));
                if (numbers.Count < least || measure.Number is not { } number)
                {
                    return measure with
                    {
                        Violated = false,
                        NotCompared = string.Create(
                            CultureInfo.InvariantCulture, $"only {numbers.Count} earlier results exist; the comparison needs {least}"),
                    };
                }

                var mean = numbers.Average();
                var deviation = Math.Sqrt(numbers.Sum(value => (value - mean) * (value - mean)) / (numbers.Count - 1));
                // If all earlier numbers are equal, every change is an anomaly. The mean of equal numbers can differ
                // from them in its last digit, so a difference of that size is not a change.
                var noise = Math.Abs(mean) * 1e-9;
                var score = Math.Abs(number - mean) <= noise ? 0
                    : deviation > noise ? (number - mean) / deviation : double.MaxValue * Math.Sign(number - mean);
                var change = mean == 0 ? 100 : Math.Abs((number - mean) / mean * 100);
                return measure with
                {
                    Judged = change >= ignoreBelow ? Math.Min(Directed(score, direction), 1e6) : 0,
                    Exact = null,
                    Violated = Directed(score, direction) > sensitivity && change >= ignoreBelow,
                    Facts = Facts(("z_score", Math.Clamp(score, -1e6, 1e6)), ("mean", mean), ("standard_deviation", deviation)),
                };
            }),
            NeedsThreshold = false,
            JudgedUnit = "standard deviations",
        };
    }

    private static double Directed(double value, string direction) => direction switch
    {
        "increase" => Math.Max(0, value),
        "decrease" => Math.Max(0, -value),
        _ => Math.Abs(value),
    };

    private static List<double> Numbers(IReadOnlyList<HistoryPoint> points, int window) =>
        [.. points.Where(point => point.Status != Checks.CheckStatus.Error).Select(point => point.Number).OfType<double>().Take(window)];

    private static Dictionary<string, string> Facts(params (string Name, double Value)[] facts) =>
        facts.ToDictionary(fact => fact.Name, fact => MeasuredValues.Json(Math.Round(fact.Value, 6)), StringComparer.Ordinal);
}
