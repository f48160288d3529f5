using System.Globalization;
using System.Text;

namespace Catalog.Api.Pages.Drawing;

/// <summary>What a chart of a check's results shows.</summary>
/// <param name="Points">The results in any order.</param>
/// <param name="Limits">The limits of the check.</param>
/// <param name="From">The time at the left end; null for the time of the first result.</param>
/// <param name="To">The time at the right end; null for the time of the last result.</param>
/// <param name="Zone">The zone of all times.</param>
/// <param name="Unit">The unit of the values, such as "rows"; null when the values have no unit.</param>
public sealed record HistorySeries(
    IReadOnlyList<HistoryPoint> Points, HistoryLimits Limits, DateTimeOffset? From, DateTimeOffset? To, TimeZoneInfo Zone, string? Unit);

/// <summary>The marks, lines, bands and axes of a chart of a check's results.</summary>
public sealed class HistoryPlan
{
    /// <summary>The maximum number of points.</summary>
    public const int MaximumPoints = 500;

    internal const double Height = 200;
    internal const double Width = 1000;
    private const double LabelHeight = 13;

    private HistoryPlan(TimeAxis time, ValueAxis values)
    {
        Time = time;
        Values = values;
    }

    /// <summary>The horizontal axis.</summary>
    public TimeAxis Time { get; }

    /// <summary>The vertical axis.</summary>
    public ValueAxis Values { get; }

    /// <summary>The marks. Marks other than passes come last, so that they lie on top.</summary>
    public IReadOnlyList<Mark> Marks { get; private init; } = [];

    /// <summary>
    /// The path of the line in a rectangle of <see cref="Width"/> and <see cref="Height"/>. The line has breaks in the
    /// gaps.
    /// </summary>
    public string Line { get; private init; } = "";

    /// <summary>The long periods without a result.</summary>
    public IReadOnlyList<Gap> Gaps { get; private init; } = [];

    /// <summary>The limits that the chart draws as lines.</summary>
    public IReadOnlyList<Limit> Limits { get; private init; } = [];

    /// <summary>
    /// The limits in words, such as "warn above 10, fail above 100 (off the scale)"; null without limits.
    /// </summary>
    public string? LimitText { get; private init; }

    /// <summary>The chart in one sentence.</summary>
    public string Label { get; private init; } = "";

    /// <summary>Plans the chart.</summary>
    public static HistoryPlan Of(HistorySeries series)
    {
        var sorted = series.Points.OrderBy(point => point.At).ToList();
        var points = Downsample.To(sorted, MaximumPoints);
        var values = points.Select(point => point.Value).OfType<double>().Where(double.IsFinite).ToList();
        var limits = LimitsOf(series.Limits);
        var near = limits.Where(limit => IsNear(limit.Value, values)).ToList();
        var axis = ValueAxis.Of(values.Concat(near.Select(limit => limit.Value)));
        var from = series.From ?? (sorted.Count > 0 ? sorted[0].At : series.To?.AddDays(-1) ?? default);
        var time = TimeAxis.Of(from, series.To ?? (sorted.Count > 0 ? sorted[^1].At : from.AddDays(1)), series.Zone, 5);
        var gaps = GapsOf(points);
        var plan = new HistoryPlan(time, axis);
        return new HistoryPlan(time, axis)
        {
            Marks = [.. points.Select(point => plan.MarkOf(point, series.Unit)).OrderBy(mark => mark.Look.Class != "status-pass")],
            Line = plan.LineOf(points, [.. gaps.Select(gap => gap.To)]),
            Gaps = [.. gaps.Select(gap => plan.GapOf(gap.From, gap.To))],
            Limits = Spread([.. near.Select(limit => limit with { Y = plan.Y(limit.Value) }).OrderBy(limit => limit.Y)]),
            LimitText = limits.Count == 0 ? null : string.Join(", ", limits.Select(limit => Words(limit, near.Contains(limit)))),
            Label = LabelOf(sorted, time, series.Unit),
        };
    }

    // The labels stand beside the plot, where no mark can cover them. If limits are close, their labels are moved
    // apart.
    private static List<Limit> Spread(List<Limit> limits)
    {
        for (var at = 0; at < limits.Count; at++)
        {
            var lowest = Height - (LabelHeight * (limits.Count - 1 - at));
            var label = Math.Max(limits[at].Y, at == 0 ? 0 : limits[at - 1].LabelY + LabelHeight);
            limits[at] = limits[at] with { LabelY = Math.Min(label, lowest) };
        }

        return limits;
    }

    private static string Words(Limit limit, bool drawn) => limit.Label + (drawn ? "" : " (off the scale)");

    private double Y(double value) => (1 - Values.Share(value)) * Height;

    private Mark MarkOf(HistoryPoint point, string? unit)
    {
        var look = StatusLook.Of(point.Status);
        var measured = point.Value is { } value ? $"{DisplayText.Value(value)}{Of(unit)}" : "no value";
        // A point without a value stands at the bottom.
        var y = point.Value is { } number && !double.IsNaN(number) ? Y(number) : Height;
        return new Mark(Time.Share(point.At), y, look, $"{look.Word}: {measured}, {Time.DateAndTime(point.At)}",
            point.Href is null ? null : DisplayText.Clean(point.Href));
    }

    private Gap GapOf(DateTimeOffset from, DateTimeOffset to) =>
        new(Time.Share(from), Time.Share(to), $"no results for {DisplayText.Duration(to - from)}");

    private string LineOf(IReadOnlyList<HistoryPoint> points, HashSet<DateTimeOffset> afterGap)
    {
        var line = new StringBuilder();
        var pen = false;
        foreach (var point in points)
        {
            pen &= !afterGap.Contains(point.At);
            if (point.Value is { } value && !double.IsNaN(value))
            {
                line.Append(CultureInfo.InvariantCulture,
                    $"{(pen ? 'L' : 'M')}{DisplayText.Number(Time.Share(point.At) * Width)} {DisplayText.Number(Y(value))}");
                pen = true;
            }
        }

        return line.ToString();
    }

    // A gap is more than three times as long as the median time between results, and more than 1/50 of the time from
    // the first result to the last.
    private static List<(DateTimeOffset From, DateTimeOffset To)> GapsOf(IReadOnlyList<HistoryPoint> points)
    {
        if (points.Count < 4)
        {
            return [];
        }

        var between = points.Skip(1).Zip(points, (next, point) => (From: point.At, To: next.At)).ToList();
        var usual = between.Select(pair => pair.To - pair.From).Order().ElementAt(between.Count / 2);
        var visible = (points[^1].At - points[0].At) / 50;
        return [.. between.Where(pair => pair.To - pair.From > usual * 3 && pair.To - pair.From > visible)];
    }

    private static List<Limit> LimitsOf(HistoryLimits limits)
    {
        List<Limit> all = [];
        Add(limits.FailAbove, fail: true, above: true);
        Add(limits.WarnAbove, fail: false, above: true);
        Add(limits.WarnBelow, fail: false, above: false);
        Add(limits.FailBelow, fail: true, above: false);
        return all;

        void Add(double? limit, bool fail, bool above)
        {
            if (limit is { } value && double.IsFinite(value))
            {
                var words = $"{(fail ? "fail" : "warn")} {(above ? "above" : "below")} {DisplayText.Value(value)}";
                all.Add(new Limit(value, 0, fail, above, words));
            }
        }
    }

    // The axis leaves out a limit far away from the values, because it would make the line of the values flat.
    private static bool IsNear(double limit, List<double> values)
    {
        if (values.Count == 0)
        {
            return true;
        }

        var (low, high) = (Math.Min(0, values.Min()), Math.Max(0, values.Max()));
        var room = Math.Max((high - low) * 4, 1);
        return limit >= low - room && limit <= high + room;
    }

    private static string LabelOf(List<HistoryPoint> points, TimeAxis time, string? unit)
    {
        if (points.Count == 0)
        {
            return "No results";
        }

        var counts = points.GroupBy(point => StatusLook.Of(point.Status).Word).OrderByDescending(group => group.Count())
            .ThenBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{DisplayText.Count(group.Count())} {group.Key}");
        var values = points.Select(point => point.Value).OfType<double>().Where(double.IsFinite).ToList();
        var range = values.Count == 0 ? "no values"
            : $"values from {DisplayText.Value(values.Min())} to {DisplayText.Value(values.Max())}{Of(unit)}, "
                + $"last {DisplayText.Value(values[^1])}";
        return $"{DisplayText.Of(points.Count, "result")} from {time.DateAndTime(points[0].At)} to {time.DateAndTime(points[^1].At)}: "
            + $"{string.Join(", ", counts)}; {range}";
    }

    private static string Of(string? unit) => string.IsNullOrEmpty(unit) ? "" : " " + DisplayText.Clean(unit);

    /// <summary>A result.</summary>
    /// <param name="X">The horizontal position of the mark, 0 (left) to 1.</param>
    /// <param name="Y">The distance of the mark from the top, in pixels.</param>
    /// <param name="Look">The look of the result's status.</param>
    /// <param name="Title">The text of the tooltip.</param>
    /// <param name="Href">The target of the mark's link, or null.</param>
    public sealed record Mark(double X, double Y, StatusLook Look, string Title, string? Href);

    /// <summary>A long period without a result.</summary>
    /// <param name="Left">The position where the period begins, 0 to 1.</param>
    /// <param name="Right">The position where the period ends, 0 to 1.</param>
    /// <param name="Title">The length of the period in words.</param>
    public sealed record Gap(double Left, double Right, string Title);

    /// <summary>A limit of the check.</summary>
    /// <param name="Value">The number.</param>
    /// <param name="Y">The distance of the line from the top, in pixels.</param>
    /// <param name="Fail">Whether a value beyond the limit fails; otherwise it warns.</param>
    /// <param name="Above">Whether values above the limit are beyond it; otherwise values below it are.</param>
    /// <param name="Label">The limit in words.</param>
    public sealed record Limit(double Value, double Y, bool Fail, bool Above, string Label)
    {
        /// <summary>The distance of the middle of the label from the top, in pixels.</summary>
        public double LabelY { get; init; }
    }
}
