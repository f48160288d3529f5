using Catalog.Api.Pages.Drawing;

namespace Catalog.Tests.Pages.Drawing;

/// <summary>The last runs of a pipeline as bars.</summary>
[Trait("Category", "Fast")]
public sealed class SparklineTests
{
    private static SparklineRun Run(string status, double? minutes, string title = "run", string? href = null) =>
        new(status, minutes is { } value ? TimeSpan.FromMinutes(value) : null, title, href);

    [Fact]
    public void The_label_counts_runs_and_failures_and_names_the_median_of_completed_runs()
    {
        Assert.Equal("No runs", SparklinePlan.Of([]).Label);
        Assert.Equal("1 run, none failed", SparklinePlan.Of([Run("pending", null)]).Label);
        Assert.Equal("4 runs, 2 failed, median 4 min",
            SparklinePlan.Of([Run("completed", 4), Run("failed", 1), Run("failed", 90), Run("completed", 6)]).Label);
    }

    [Fact]
    public void The_last_30_runs_are_drawn_and_the_longest_is_the_highest()
    {
        var plan = SparklinePlan.Of([Run("failed", 1000), .. Enumerable.Range(1, 30).Select(minutes => Run("completed", minutes))]);

        Assert.Equal(30, plan.Bars.Count);
        Assert.StartsWith("30 runs, none failed", plan.Label, StringComparison.Ordinal);
        Assert.EndsWith("v-24", plan.Bars[^1].Path, StringComparison.Ordinal);
        Assert.EndsWith("v-3.7", plan.Bars[0].Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_compact_one_has_one_path_for_each_look_and_no_links()
    {
        var image = await Rendered.Xml<Sparkline>(
            (nameof(Sparkline.Runs), new[] { Run("completed", 2, href: "/x"), Run("failed", 1), Run("completed", 2) }),
            (nameof(Sparkline.Compact), true));

        Assert.Equal(("img", 2), (image.Named("svg")[0].Get("role"), image.Named("path").Count));
        Assert.Empty(image.Named("a"));
        Assert.Equal("3 runs, 1 failed, median 2 min", image.Named("svg")[0].Get("aria-label"));
        var bars = Assert.Single(Assert.Single(image.OfClass("status-completed")).OfClass("bar-solid"));
        Assert.Equal(2, bars.Get("d").Count(letter => letter == 'M'));
    }

    [Fact]
    public async Task Failed_runs_differ_by_stripes_and_links_make_it_a_group()
    {
        var image = await Rendered.Xml<Sparkline>((nameof(Sparkline.Runs), new[] { Run("completed", 2), Run("failed", 1) }));
        Assert.Equal("img", image.Named("svg")[0].Get("role"));
        Assert.Single(Assert.Single(image.OfClass("status-failed")).OfClass("bar-striped"));
        Assert.Single(Assert.Single(image.OfClass("status-completed")).OfClass("bar-solid"));

        var group = await Rendered.Xml<Sparkline>((nameof(Sparkline.Runs), new[] { Run("failed", 1, "run 7, failed", "/ui/runs/7") }));
        Assert.Equal("group", group.Named("svg")[0].Get("role"));
        Assert.Equal("/ui/runs/7", Assert.Single(group.Named("a")).Get("href"));
        Assert.Equal("run 7, failed", Assert.Single(group.Named("title")).Value);
    }

    [Fact]
    public async Task Hostile_runs_stay_text()
    {
        foreach (var hostile in Rendered.Hostile)
        {
            await Rendered.Xml<Sparkline>((nameof(Sparkline.Runs), new[] { Run(hostile, -1, hostile, hostile), Run("failed", 1e9) }));
        }
    }
}
