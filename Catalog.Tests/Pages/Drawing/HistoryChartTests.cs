using System.Globalization;
using Catalog.Api.Pages.Drawing;

namespace Catalog.Tests.Pages.Drawing;

/// <summary>The measured numbers of a check over time.</summary>
[Trait("Category", "Fast")]
public sealed class HistoryChartTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private static HistorySeries Series(HistoryLimits? limits, params (double Hour, string Status, double? Value)[] points) =>
        new([.. points.Select(point => new HistoryPoint(Start.AddHours(point.Hour), point.Status, point.Value))],
            limits ?? new HistoryLimits(), null, null, TimeZoneInfo.Utc, "rows");

    [Fact]
    public void The_label_says_what_the_chart_shows()
    {
        var plan = HistoryPlan.Of(Series(null, (2, "fail", 1200), (0, "pass", 3), (1, "pass", 7), (3, "error", null)));

        Assert.Equal("4 results from 1 Nov 2026 00:00:00 to 1 Nov 2026 03:00:00: 2 pass, 1 error, 1 fail; "
            + "values from 3 to 1,200 rows, last 1,200", plan.Label);
        Assert.Equal("No results", HistoryPlan.Of(Series(null)).Label);
    }

    [Fact]
    public void The_line_breaks_where_no_result_came_for_long()
    {
        var plan = HistoryPlan.Of(Series(null, [.. new double[] { 0, 1, 2, 3, 20, 21, 22 }.Select(hour => (hour, "pass", (double?)hour))]));

        var gap = Assert.Single(plan.Gaps);
        Assert.Equal("no results for 17 h", gap.Title);
        Assert.Equal(3.0 / 22, gap.Left, 6);
        Assert.Equal(2, plan.Line.Count(letter => letter == 'M'));
    }

    [Fact]
    public void Limits_are_bands_unless_they_would_flatten_the_values()
    {
        var plan = HistoryPlan.Of(Series(new() { WarnAbove = 8, FailAbove = 1e9, FailBelow = 1 }, (0, "pass", 5), (1, "warn", 9)));

        Assert.Equal(["warn above 8", "fail below 1"], plan.Limits.Select(limit => limit.Label));
        Assert.Equal("fail above 1,000,000,000 (off the scale), warn above 8, fail below 1", plan.LimitText);
        Assert.All(plan.Limits, limit => Assert.InRange(limit.Y, 0, 200));
    }

    [Fact]
    public async Task Labels_of_limits_stand_beside_the_plot_and_not_on_each_other()
    {
        var series = Series(new() { FailAbove = 10, WarnAbove = 9.9, WarnBelow = 0.1, FailBelow = 0 }, (0, "pass", 5), (1, "fail", 10));

        var labels = HistoryPlan.Of(series).Limits.Select(limit => limit.LabelY).ToList();
        Assert.All(labels.Zip(labels.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 13));
        Assert.All(labels, label => Assert.InRange(label, 0, 200));
        var root = await Rendered.Xml<HistoryChart>((nameof(HistoryChart.Series), series));
        var beside = root.Named("text").Where(text => text.Value is "fail" or "warn").ToList();
        Assert.Equal(["fail", "warn", "warn", "fail"],
            beside.OrderBy(text => double.Parse(text.Get("y"), CultureInfo.InvariantCulture)).Select(text => text.Value));
        Assert.All(beside, text => Assert.Equal("100%", text.Get("x")));
        Assert.Single(root.OfClass("chart-limited"));
    }

    [Theory]
    [InlineData(new double[0], "0 1")]
    [InlineData(new double[] { 3 }, "2 3 4")]
    [InlineData(new[] { 0.0, 97 }, "0 20 40 60 80 100")]
    [InlineData(new[] { 1000.0, 1004 }, "1000 1001 1002 1003 1004")]
    [InlineData(new[] { -5.0, 0.25 }, "-6 -4 -2 0 2")]
    [InlineData(new[] { 0.1, 0.3 }, "0 0.1 0.2 0.3")]
    [InlineData(new[] { double.NaN, double.MaxValue }, "9E+149 9.5E+149 1E+150 1.05E+150 1.1E+150")]
    public void Value_axes_have_round_ticks(double[] values, string ticks) => Assert.Equal(ticks, string.Join(' ',
        ValueAxis.Of(values).Ticks.Select(tick => tick.ToString(System.Globalization.CultureInfo.InvariantCulture))));

    [Fact]
    public void Every_value_is_on_its_axis()
    {
        var random = new Random(5);
        for (var round = 0; round < 3000; round++)
        {
            var values = Enumerable.Range(0, random.Next(1, 6))
                .Select(_ => (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-12, 200))).ToList();
            var axis = ValueAxis.Of(values);
            Assert.True(axis.Top > axis.Bottom);
            Assert.InRange(axis.Ticks.Count, 2, 21);
            Assert.All(values.Where(value => Math.Abs(value) < 1e150), value =>
                Assert.InRange(value, axis.Bottom, axis.Top + ((axis.Top - axis.Bottom) * 1e-6)));
        }
    }

    [Fact]
    public async Task Points_have_shapes_by_status_and_the_zone_is_printed()
    {
        var root = await Rendered.Xml<HistoryChart>((nameof(HistoryChart.Series),
            Series(new() { FailAbove = 8 }, (0, "pass", 5), (1, "warn", 7), (2, "fail", 9), (3, "error", null))));

        Assert.Single(root.OfClass("chart-point"));
        Assert.Equal(3, root.OfClass("chart-mark").Count);
        Assert.Equal("fail: 9 rows, 1 Nov 2026 02:00:00", root.OfClass("status-fail")[0].Named("title")[0].Value);
        Assert.Equal("UTC", root.OfClass("axis-zone")[0].Value);
        Assert.Single(root.OfClass("band-fail"));
        Assert.Equal("img", root.OfClass("chart-plot")[0].Get("role"));
    }

    [Fact]
    public async Task Many_and_hostile_results_are_bounded_and_stay_text()
    {
        var many = Enumerable.Range(0, 20_000).Select(index => ((double)index, index % 3 == 0 ? "fail" : "pass", (double?)index)).ToArray();
        var html = await Rendered.Html<HistoryChart>((nameof(HistoryChart.Series), Series(null, many)));
        Assert.InRange(html.Length, 1, 300_000);
        Assert.Contains("of 20,000 results are drawn", html, StringComparison.Ordinal);

        foreach (var hostile in Rendered.Hostile)
        {
            HistoryPoint[] points =
            [
                new(DateTimeOffset.MinValue, hostile, double.NaN, hostile), new(DateTimeOffset.MaxValue, "fail", double.NegativeInfinity),
                new(Start, hostile, double.MaxValue), new(Start, "pass", -double.MaxValue),
            ];
            var limits = new HistoryLimits { FailAbove = double.NaN, WarnAbove = double.MaxValue, FailBelow = double.NegativeInfinity };
            var series = new HistorySeries(points, limits, null, null, TimeZoneInfo.Utc, hostile);
            await Rendered.Xml<HistoryChart>((nameof(HistoryChart.Series), series));
        }
    }
}
