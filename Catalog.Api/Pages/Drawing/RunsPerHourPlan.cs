namespace Catalog.Api.Pages.Drawing;

/// <summary>The runs of one hour.</summary>
/// <param name="Hour">The start of the hour.</param>
/// <param name="Total">The number of all runs, including the failed ones.</param>
/// <param name="Failed">The number of failed runs.</param>
/// <param name="Href">The target of the bar's link; null for a bar without a link.</param>
public sealed record HourRuns(DateTimeOffset Hour, long Total, long Failed, string? Href = null);

/// <summary>The bars of runs by hour.</summary>
/// <param name="Time">The horizontal axis.</param>
/// <param name="Values">The vertical axis.</param>
/// <param name="Bars">The bars from left to right. Hours without runs have no bar.</param>
/// <param name="Hours">The number of hours that one bar covers.</param>
/// <param name="Label">The chart in one sentence.</param>
public sealed record RunsPerHourPlan(TimeAxis Time, ValueAxis Values, IReadOnlyList<RunsPerHourPlan.Bar> Bars, int Hours, string Label)
{
    /// <summary>The maximum number of bars. For a longer period, one bar adds up several hours.</summary>
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
            var title = $"{time.DateAndTime(at)}: {DisplayText.Of(bar.Total, "run")}, {DisplayText.Count(bar.Failed)} failed";
            var href = bar.Href is null ? null : DisplayText.Clean(bar.Href);
            var left = time.Share(at);
            return new Bar(left, Math.Min(width, 1 - left), Y(axis, bar.Total), Y(axis, Math.Min(bar.Failed, bar.Total)), title, href);
        }).ToList();
        return new RunsPerHourPlan(time, axis, drawn, each, $"{DisplayText.Of(bars.Sum(bar => bar.Total), "run")}, "
            + $"{DisplayText.Count(bars.Sum(bar => bar.Failed))} failed, {time.DateAndTime(time.From)} to {time.DateAndTime(time.To)}");
    }

    // Each count is limited, so that the sum cannot overflow.
    private static long Sum(IEnumerable<long> counts) => counts.Sum(count => Math.Clamp(count, 0, 1_000_000_000_000));

    private static double Y(ValueAxis axis, long count) => (1 - axis.Share(count)) * Height;

    /// <summary>One bar.</summary>
    /// <param name="Left">The left edge of the bar, 0 to 1.</param>
    /// <param name="Width">The width of the bar and of the space to the next bar, 0 to 1.</param>
    /// <param name="Top">The distance of the bar's top from the top of the chart, in pixels.</param>
    /// <param name="FailedTop">
    /// The same distance for the part with the failed runs, which is at the bottom of the bar.
    /// </param>
    /// <param name="Title">The text of the tooltip.</param>
    /// <param name="Href">The target of the bar's link, or null.</param>
    public sealed record Bar(double Left, double Width, double Top, double FailedTop, string Title, string? Href);
}
