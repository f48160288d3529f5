using Catalog.Api.Pages.Drawing;

namespace Catalog.Tests.Pages.Drawing;

/// <summary>The stages of a run as bars in time.</summary>
[Trait("Category", "Fast")]
public sealed class TimelineTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    private static DateTimeOffset? At(double? minutes) => minutes is { } value ? Start.AddMinutes(value) : null;

    private static TimelineStage Stage(string name, string? status, double? from, double? to) => new(name, status, At(from), At(to));

    private static TimelineRun Run(double? ended, double now, params TimelineStage[] stages) =>
        new(stages, Start, At(ended), At(now)!.Value, TimeZoneInfo.Utc);

    [Fact]
    public void A_stage_is_queued_from_the_end_of_the_stage_before_or_from_the_start_of_the_run()
    {
        var plan = TimelinePlan.Of(Run(10, 60,
            Stage("b", "completed", 6, 10), Stage("a", "completed", 1, 5), Stage("c", "completed", 0, 2)), 200);

        Assert.Equal(["c", "a", "b"], plan.Rows.Select(row => row.Name));
        Assert.Equal([null, new(0, 0.1), new(0.5, 0.6)], plan.Rows.Select(row => row.Queued));
        Assert.Equal([new(0, 0.2), new(0.1, 0.5), new(0.6, 1)], plan.Rows.Select(row => row.Busy!));
        Assert.Null(plan.Now);
    }

    [Fact]
    public void A_running_run_has_a_line_for_now_and_room_to_grow()
    {
        var run = Run(null, 7, Stage("a", "completed", 0, 4), Stage("b", "running", 5, null), Stage("c", "pending", null, null));
        var plan = TimelinePlan.Of(run, 200);

        Assert.Equal(0.7, plan.Now!.Value, 6);
        Assert.True(plan.Rows[1].IsOpen);
        Assert.Equal(0.7, plan.Rows[1].Busy!.Right, 6);
        Assert.Equal(new(0.4, 0.7), plan.Rows[2].Queued);
        Assert.Null(plan.Rows[2].Busy);
        Assert.Equal(plan.Axis.To, TimelinePlan.Of(run with { Now = Start.AddMinutes(9) }, 200).Axis.To);
    }

    [Fact]
    public void A_stage_without_an_end_stops_at_the_end_of_its_run()
    {
        var row = TimelinePlan.Of(Run(10, 600, Stage("a", "running", 5, null)), 200).Rows[0];

        Assert.False(row.IsOpen);
        Assert.Equal("5 min", row.Duration);
        Assert.Equal(1, row.Busy!.Right);
    }

    [Fact]
    public void A_stage_that_ends_before_its_start_has_no_duration_and_delays_no_other_stage()
    {
        var plan = TimelinePlan.Of(Run(60, 600, Stage("a", "completed", 0, 10), Stage("b", "completed", 40, 20)), 200);

        Assert.Equal("not known", plan.Rows[1].Duration);
        Assert.Contains("end is before the start", plan.Rows[1].Title, StringComparison.Ordinal);
        Assert.Equal(plan.Axis.Share(At(10)!.Value), plan.Rows[1].Queued!.Left);
    }

    [Fact]
    public void Too_many_stages_are_folded_with_failed_and_running_ones_first()
    {
        var stages = Enumerable.Range(0, 900).Select(index => Stage($"s{index:000}",
            index == 850 ? "failed" : index == 860 ? "running" : "completed", index, index + 1)).ToArray();
        var plan = TimelinePlan.Of(Run(null, 900, stages), 200);

        Assert.Equal(["s850", "s860", "s000", "s001"], plan.Rows.Take(4).Select(row => row.Name));
        Assert.Equal(200, plan.Rows.Count);
        Assert.Equal("700 more completed stages", plan.Folded);

        var small = Run(9, 9, Stage("a", "failed", 0, 1), Stage("b", "failed", 0, 1), Stage("c", "completed", 0, 1));
        Assert.Equal("2 more stages: 1 completed, 1 failed", TimelinePlan.Of(small, 1).Folded);
    }

    [Fact]
    public void The_critical_path_goes_back_from_the_last_end_to_the_stage_that_ended_last_before()
    {
        var path = CriticalPath.Of(Run(20, 60, Stage("extract", "completed", 0, 4), Stage("small", "completed", 0, 1),
            Stage("load", "completed", 5, 12), Stage("check", "completed", 4, 6), Stage("publish", "completed", 12, 19),
            Stage("never", "skipped", null, null), Stage("instant", "completed", 12, 12)))!;

        Assert.Equal(["extract", "load", "publish"], path.Stages.Select(stage => stage.Name));
        Assert.Equal((TimeSpan.FromMinutes(19), TimeSpan.FromMinutes(1), false), (path.Length, path.Waiting, path.IsOpen));
    }

    [Fact]
    public void A_running_stage_ends_the_critical_path_and_stages_side_by_side_have_none()
    {
        var running = CriticalPath.Of(Run(null, 9, Stage("a", "completed", 0, 4), Stage("b", "running", 5, null)))!;
        Assert.Equal(["a", "b"], running.Stages.Select(stage => stage.Name));
        Assert.True(running.IsOpen);

        Assert.Null(CriticalPath.Of(Run(9, 9, Stage("a", "completed", 0, 4), Stage("b", "completed", 1, 9))));
        Assert.Null(CriticalPath.Of(Run(9, 9, Stage("a", "completed", 0, 4))));
        // Stages without a duration at the same time follow each other in one direction only, so the path has no cycle.
        TimelineStage[] instant = [.. Enumerable.Range(0, 900).Select(i => Stage($"{i}", "completed", 0, 0))];
        Assert.Equal(900, CriticalPath.Of(Run(0, 0, instant))!.Stages.Count);
    }

    [Fact]
    public async Task The_critical_path_is_a_sentence_a_word_in_each_row_and_a_line()
    {
        var stages = new[] { Stage("load", "completed", 0, 4), Stage("side", "completed", 0, 2), Stage("publish", "completed", 5, 9) };
        var root = await Rendered.Xml<Timeline>((nameof(Timeline.Run), Run(9, 60, stages)));

        var sentence = string.Join(' ', root.OfClass("timeline-path")[0].Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("Critical path: load → publish, 9 min, of which 1 min waiting.", sentence, StringComparison.Ordinal);
        Assert.Equal(["critical", "", "critical"], root.Named("tbody")[0].Named("tr")
            .Select(row => row.OfClass("timeline-critical").SingleOrDefault()?.Value.Trim() ?? ""));
        Assert.Equal(2, root.Named("tbody")[0].OfClass("timeline-path-line").Count);

        var many = await Rendered.Xml<Timeline>(
            (nameof(Timeline.Run), Run(900, 900, [.. Enumerable.Range(0, 900).Select(i => Stage($"s{i}", "completed", i, i + 1))])));
        Assert.Contains("894 more stages", many.OfClass("timeline-path")[0].Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_table_says_what_the_bars_show()
    {
        var stages = new[]
        {
            Stage("load", "completed", 0, 4), Stage("check <b>", "failed", 5, 9), Stage("publish", "skipped", null, null),
        };
        var root = await Rendered.Xml<Timeline>((nameof(Timeline.Run), Run(9, 60, stages)));

        var rows = root.Named("tbody")[0].Named("tr");
        Assert.Equal(["stage-load", "stage-check_0020_003Cb_003E", "stage-publish"], rows.Select(row => row.Get("id")));
        Assert.Equal(["completed", "failed", "skipped"], rows.Select(row => row.OfClass("status-word")[0].Value));
        Assert.Single(rows[1].OfClass("timeline-mark"));
        Assert.Empty(rows[0].OfClass("timeline-mark"));
        Assert.Equal("2026-11-27T12:05:00Z", rows[1].Named("time")[0].Get("datetime"));
        Assert.Contains("UTC", root.OfClass("axis-zone")[0].Value, StringComparison.Ordinal);
        Assert.Equal("Timeline of 3 stages, times in UTC", root.Named("caption")[0].Value);
    }

    [Fact]
    public async Task Nine_hundred_stages_are_bounded_in_bytes()
    {
        var stages = Enumerable.Range(0, 900).Select(index => Stage($"stage_{index}", "completed", index, index + 1)).ToArray();
        var html = await Rendered.Html<Timeline>((nameof(Timeline.Run), Run(900, 900, stages)), (nameof(Timeline.MoreHref), "/ui/more"));

        Assert.InRange(html.Length, 1, 260_000);
        Assert.Contains("700 more completed stages</a>", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hostile_names_times_and_an_empty_run_are_drawn()
    {
        var stages = Rendered.Hostile.Select((name, index) => new TimelineStage(name, name,
            index % 2 == 0 ? DateTimeOffset.MinValue : Start, index % 3 == 0 ? DateTimeOffset.MaxValue : null, -1, name)).ToList();
        await Rendered.Xml<Timeline>((nameof(Timeline.Run), new TimelineRun(stages, Start, null, Start, TimeZoneInfo.Utc)));
        await Rendered.Xml<Timeline>((nameof(Timeline.Run), new TimelineRun([], null, null, Start, TimeZoneInfo.Utc)));
    }
}
