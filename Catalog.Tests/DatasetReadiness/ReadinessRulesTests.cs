using Catalog.Data.DatasetReadiness;

namespace Catalog.Tests.DatasetReadiness;

/// <summary>The rules, without a database. Each fact is tested alone, and a missing fact never gives ready.</summary>
[Trait("Category", "Fast")]
public sealed class ReadinessRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 2, 2, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_dataset_whose_last_run_ended_well_is_ready() => Assert.Equal("ready: written", Judge(Writer(Write("a", "completed"))));

    [Theory]
    [InlineData("failed", "not_ready: write_failed")]
    [InlineData("cancelled", "not_ready: write_cancelled")]
    [InlineData("running", "not_ready: being_written")]
    [InlineData("pending", "not_ready: being_written")]
    [InlineData("paused", "unknown: run_unknown")]
    [InlineData(null, "unknown: run_unknown")]
    public void The_latest_run_must_have_ended_well(string? status, string expected) =>
        Assert.Equal(expected, Judge(Writer(Write("a", "completed", -2), Write("b", status, -1))));

    [Fact]
    public void A_skipped_run_wrote_nothing()
    {
        Assert.Equal("ready: written", Judge(Writer(Write("a", "completed", -2), Write("b", "skipped", -1))));
        Assert.Equal("not_ready: write_failed", Judge(Writer(Write("a", "failed", -2), Write("b", "skipped", -1))));
        Assert.Equal("unknown: no_run", Judge(Writer(Write("b", "skipped", -1))));
    }

    [Fact]
    public void A_failure_before_the_latest_good_run_does_not_matter() =>
        Assert.Equal("ready: written", Judge(Writer(Write("a", "failed", -2), Write("b", "completed", -1))));

    [Fact]
    public void An_earlier_run_that_is_open_may_still_write() =>
        Assert.Equal("unknown: older_run_open written", Judge(Writer(Write("a", "running", -2), Write("b", "completed", -1))));

    [Fact]
    public void Each_pipeline_that_writes_must_have_ended_well()
    {
        var good = Writer(Write("a", "completed", -1));
        var failed = Writer(Write("b", "failed", -2)) with { PipelineId = "q" };

        Assert.Equal("not_ready: write_failed written", Judge(good, failed));
        Assert.Equal("unknown: no_run written", Judge(good, Writer() with { PipelineId = "q" }));
        Assert.Equal("ready: written", Judge(good, failed with { IsCurrent = false }));
        // No run has written the dataset after the failed run.
        Assert.Equal("not_ready: write_failed", Judge(good, failed with { IsCurrent = false, Writes = [Write("b", "failed", 0)] }));
    }

    [Fact]
    public void A_pipeline_without_runs_is_unknown() => Assert.Equal("unknown: no_run", Judge(Writer()));

    [Theory]
    [InlineData(-7, "not_ready: late written")] // The run starts at 05:00, before the scheduled time.
    [InlineData(-6, "ready: written")]
    [InlineData(-1, "ready: written")]
    public void The_latest_time_of_the_schedule_must_have_a_good_run(int start, string expected) =>
        Assert.Equal(expected, Judge(Writer(Write("a", "completed", start)) with { Schedule = "0 6 * * *" }));

    [Fact]
    public void A_failed_run_of_the_scheduled_time_is_late_too() => Assert.Equal("not_ready: late write_failed",
        Judge(Writer(Write("a", "completed", -24), Write("b", "failed", -6)) with { Schedule = "0 6 * * *" }));

    [Fact]
    public void A_time_of_the_schedule_before_the_registration_does_not_count() => Assert.Equal("ready: written",
        Judge(Writer(Write("a", "completed", -7)) with { Schedule = "0 6 * * *", RegisteredAt = Now.AddHours(-5) }));

    [Fact]
    public void A_schedule_that_cannot_be_read_is_unknown() => Assert.Equal("unknown: schedule_unreadable written",
        Judge(Writer(Write("a", "completed")) with { Schedule = "every day" }));

    [Fact]
    public void As_of_moves_the_time_for_which_the_data_must_be_fresh()
    {
        var daily = Writer(Write("a", "completed", -6)) with { Schedule = "0 6 * * *" };
        Assert.Equal("ready: written", Judge(Now.AddHours(-1), daily));
        Assert.Equal("not_ready: late written", Judge(Now.AddHours(20), daily));

        var unscheduled = daily with { Schedule = null };
        Assert.Equal("ready: written", Judge(Now.AddHours(-6), unscheduled));
        Assert.Equal("not_ready: older_than_asked written", Judge(Now.AddHours(-5), unscheduled));
    }

    [Theory]
    [InlineData("pass", "error", "ready: written")]
    [InlineData("warn", "error", "ready: check_warns written")]
    [InlineData("fail", "error", "not_ready: check_failed written")]
    [InlineData("error", "error", "unknown: check_error written")]
    [InlineData("pass", "warn", "ready: written")]
    [InlineData("warn", "warn", "ready: check_warns written")]
    [InlineData("fail", "warn", "ready: check_warns written")]
    [InlineData("error", "warn", "ready: check_error written")]
    public void The_latest_results_decide(string status, string severity, string expected) =>
        Assert.Equal(expected, Judge([Check(status, severity, 0)], Writer(Write("a", "completed"))));

    [Theory]
    [InlineData("pass", "error", "unknown: check_outdated written")]
    [InlineData("warn", "error", "unknown: check_outdated written")]
    [InlineData("fail", "error", "not_ready: check_failed written")]
    [InlineData("pass", "warn", "ready: written")]
    public void A_good_result_of_an_earlier_version_says_nothing(string status, string severity, string expected) =>
        Assert.Equal(expected, Judge([Check(status, severity, -2)], Writer(Write("a", "completed", -1))));

    [Fact]
    public void A_result_within_the_run_that_it_names_is_of_its_version()
    {
        var write = Write("a", "completed", -1) with { StartedAt = Now.AddHours(-3) };
        var check = Check("pass", "error", -2) with { RunId = "a" };

        Assert.Equal("ready: written", Judge([check], Writer(write)));
        Assert.Equal("unknown: check_outdated written", Judge([check with { RunId = "b" }], Writer(write)));
        // The result is of an earlier attempt of the same run.
        Assert.Equal("unknown: check_outdated written", Judge([check with { ExecutedAt = Now.AddHours(-4) }], Writer(write)));
        Assert.Equal("unknown: check_outdated written", Judge([check], Writer(write with { StartedAt = null })));
    }

    [Fact]
    public void Checks_that_were_not_all_read_are_unknown() => Assert.Equal("unknown: checks_unread written", Of(ReadinessRules.Judge(
        new() { Dataset = "d", Writers = [Writer(Write("a", "completed"))], AreChecksComplete = false }, null, Now)));

    [Fact]
    public void A_dataset_that_no_pipeline_writes_is_judged_by_its_checks()
    {
        Assert.Equal("unknown: no_writer", Judge());
        Assert.Equal("ready: judged_by_checks", Judge([Check("pass", "error", -23)]));
        Assert.Equal("unknown: no_writer", Judge([Check("pass", "error", -25)]));
        Assert.Equal("unknown: no_writer", Judge([Check("pass", "warn", -1)]));
        Assert.Equal("not_ready: check_failed judged_by_checks", Judge([Check("pass", "error", -1), Check("fail", "error", -1)]));
    }

    [Fact]
    public void A_walk_that_was_cut_is_never_ready()
    {
        Assert.Equal("unknown", ReadinessRules.Status([], truncated: true));
        Assert.Equal("ready", ReadinessRules.Status([], truncated: false));
    }

    private static string Judge(params WriterFacts[] writers) => Judge([], writers);

    private static string Judge(DateTimeOffset asOf, params WriterFacts[] writers) =>
        Of(ReadinessRules.Judge(new() { Dataset = "d", Writers = writers }, asOf, Now));

    private static string Judge(CheckFacts[] checks, params WriterFacts[] writers) =>
        Of(ReadinessRules.Judge(new() { Dataset = "d", Writers = writers, Checks = checks }, null, Now));

    private static string Of(List<ReadinessReason> reasons) =>
        $"{ReadinessRules.Status(reasons, false)}: {string.Join(' ', reasons.Select(reason => reason.Code).Order(StringComparer.Ordinal))}";

    private static WriterFacts Writer(params WriteFacts[] writes) => new() { PipelineId = "p", Writes = writes };

    private static WriteFacts Write(string id, string? status, int hour = -1) =>
        new() { RunId = id, Status = status, StartedAt = Now.AddHours(hour), At = Now.AddHours(hour) };

    private static CheckFacts Check(string status, string severity, int hour) =>
        new() { CheckId = status + severity, Status = status, Severity = severity, ExecutedAt = Now.AddHours(hour) };
}
