namespace Catalog.Api.Pages.Drawing;

/// <summary>The runs of one hour.</summary>
/// <param name="Hour">The start of the hour.</param>
/// <param name="Total">All runs, the failed ones among them.</param>
/// <param name="Failed">The failed runs.</param>
/// <param name="Href">Where the bar leads; null for a bar without a link.</param>
public sealed record HourRuns(DateTimeOffset Hour, long Total, long Failed, string? Href = null);

/// <summary>The bars of runs by hour.</summary>
/// <param name="Time">The horizontal axis.</param>
/// <param name="Values">The vertical axis.</param>
/// <param name="Bars">The bars from left to right; an hour without runs has none.</param>
/// <param name="Hours">How many hours one bar counts.</param>
/// <param name="Label">The chart in one sentence.</param>
public sealed record RunsPerHourPlan(TimeAxis Time, ValueAxis Values, IReadOnlyList<RunsPerHourPlan.Bar> Bars, int Hours, string Label)
{
    /// <summary>The maximum number of bars; more hours are added up.</summary>
    public const int MaximumBars = 100;

    internal const double Height = 160;

    /// <summary>Plans the bars of the hours from <paramref name="from"/> to <paramref name="to"/>.</summary>
    public static RunsPerHourPlan Of(IReadOnlyList<HourRuns> runs, DateTimeOffset from, DateTimeOffset to, TimeZoneInfo zone)
    {
        var time = TimeAxis.Of(from, to, zone, 7);
        var each = (int)Math.Min(int.MaxValue, Math.Ceiling((time.To - time.From).TotalHours / MaximumBars));
        var width = TimeSpan.FromHours(each) / (time.To - time.From);
        var bars = runs.Where(hour => hour.Hour >= time.From && hour.Hour < time.To)
            .GroupBy(hour => (long)((hour.Hour - time.From).TotalHours / each))
            .Select(group => (group.Key, Total: Sum(group.Select(hour => hour.Total)), Failed: Sum(group.Select(hour => hour.Failed)),
                Href: each == 1 ? group.First().Href : null)).OrderBy(group => group.Key).ToList();
        var axis = ValueAxis.Of(bars.Select(bar => (double)bar.Total).Append(0), 4);
        var drawn = bars.Select(bar =>
        {
            var at = time.From.AddHours((double)bar.Key * each);
            var title = $"{time.DateAndTime(at)}: {DrawingText.Of(bar.Total, "run")}, {DrawingText.Count(bar.Failed)} failed";
            var href = bar.Href is null ? null : DrawingText.Clean(bar.Href);
            var left = time.Share(at);
            return new Bar(left, Math.Min(width, 1 - left), Y(axis, bar.Total), Y(axis, Math.Min(bar.Failed, bar.Total)), title, href);
        }).ToList();
        return new RunsPerHourPlan(time, axis, drawn, each, $"{DrawingText.Of(bars.Sum(bar => bar.Total), "run")}, "
            + $"{DrawingText.Count(bars.Sum(bar => bar.Failed))} failed, {time.DateAndTime(time.From)} to {time.DateAndTime(time.To)}");
    }

    // Counts are never negative; the limit keeps a sum of hostile ones finite.
    private static long Sum(IEnumerable<long> counts) => counts.Sum(count => Math.Clamp(count, 0, 1_000_000_000_000));

    private static double Y(ValueAxis axis, long count) => (1 - axis.Share(count)) * Height;

    /// <summary>One bar.</summary>
    /// <param name="Left">Its left edge, 0 to 1.</param>
    /// <param name="Width">Its width with the space to the next bar.</param>
    /// <param name="Top">The top of all runs in pixels.</param>
    /// <param name="FailedTop">The top of the failed runs, which stand at the bottom.</param>
    /// <param name="Title">The text on hover.</param>
    /// <param name="Href">Where it leads, or null.</param>
    public sealed record Bar(double Left, double Width, double Top, double FailedTop, string Title, string? Href);
}
