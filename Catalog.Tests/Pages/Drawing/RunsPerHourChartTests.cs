using Catalog.Api.Pages.Drawing;

namespace Catalog.Tests.Pages.Drawing;

/// <summary>Runs by hour, stacked.</summary>
[Trait("Category", "Fast")]
public sealed class RunsPerHourChartTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private static Task<System.Xml.Linq.XElement> Xml(DateTimeOffset to, params HourRuns[] runs) => Rendered.Xml<RunsPerHourChart>(
        (nameof(RunsPerHourChart.Runs), runs), (nameof(RunsPerHourChart.From), Start), (nameof(RunsPerHourChart.To), to),
        (nameof(RunsPerHourChart.Zone), TimeZoneInfo.FindSystemTimeZoneById("Asia/Kolkata")));

    [Fact]
    public void Failed_runs_stand_below_the_others()
    {
        var plan = RunsPerHourPlan.Of([new(Start.AddHours(1), 10, 5), new(Start, 4, 0), new(Start.AddHours(-1), 99, 0)], Start,
            Start.AddHours(24), TimeZoneInfo.Utc);

        Assert.Equal("14 runs, 5 failed, 1 Nov 2026 00:00:00 to 2 Nov 2026 00:00:00", plan.Label);
        Assert.Equal([(0, 160), (1.0 / 24, 80)], plan.Bars.Select(bar => (bar.Left, bar.FailedTop)));
        Assert.True(plan.Bars[0].Top > plan.Bars[1].Top);
    }

    [Fact]
    public void A_month_of_hours_is_added_up_to_at_most_100_bars()
    {
        var plan = RunsPerHourPlan.Of([.. Enumerable.Range(0, 720).Select(hour => new HourRuns(Start.AddHours(hour), 2, 1, "/x"))], Start,
            Start.AddHours(720), TimeZoneInfo.Utc);

        Assert.Equal(90, plan.Bars.Count);
        Assert.Equal(8, plan.Hours);
        Assert.Equal("1 Nov 2026 00:00:00: 16 runs, 8 failed", plan.Bars[0].Title);
        Assert.StartsWith("1,440 runs, 720 failed", plan.Label, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failed_runs_are_striped_and_the_zone_is_printed()
    {
        var root = await Xml(Start.AddHours(24), new HourRuns(Start, 4, 1), new HourRuns(Start.AddHours(2), 4, 0));

        Assert.Single(root.OfClass("chart-plot")[0].OfClass("hours-failed"));
        Assert.Equal("Asia/Kolkata, UTC+05:30", root.OfClass("axis-zone")[0].Value);
    }

    [Fact]
    public async Task Empty_and_hostile_counts_are_drawn()
    {
        await Xml(Start);
        await Xml(DateTimeOffset.MaxValue, new(Start, long.MaxValue, long.MaxValue, "\0\""), new(Start, long.MinValue, 7));
    }
}
