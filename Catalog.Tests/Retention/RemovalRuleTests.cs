using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Catalog.Migrations.Retention;
using Catalog.Tests.Support;

namespace Catalog.Tests.Retention;

public sealed class RemovalRuleOnSqlite() : RemovalRuleTests(new SqliteTestDatabase());

public sealed class RemovalRuleOnPostgres() : RemovalRuleTests(new PostgresTestDatabase());

/// <summary>Which rows retention removes.</summary>
public abstract class RemovalRuleTests(TestDatabase database) : RetentionSteps(database)
{
    [Fact]
    public async Task Rows_older_than_the_limit_are_removed_and_rows_at_the_limit_stay()
    {
        foreach (var (name, at) in new[] { ("older", Days(-30).AddMicroseconds(-1)), ("as old", Days(-30)),
            ("younger", Days(-30).AddMicroseconds(1)) })
        {
            await Result("default", name, at);
            await Run("default", name, at, events: [at, Now], stages: 2);
        }

        var report = await Apply(new(30, 30, null));

        Assert.Equal(["default/as old", "default/younger"], await Ids("check_results"));
        Assert.Equal(["default/as old", "default/younger"], await Ids("runs"));
        Assert.Equal(4, (await Ids("run_events", "run_id")).Count);
        Assert.Equal(4, (await Ids("run_stages", "run_id")).Count);
        Assert.Equal(
            "default results check_results=1|default runs runs=1 run_stages=2 run_events=2 run_check_states=0 run_attempts=0 "
                + "lineage_runs=0 run_datasets=0 facets=0", Text(report));
    }

    [Fact]
    public async Task A_result_stays_while_its_execution_or_its_arrival_is_recent()
    {
        await Result("default", "arrived late", Days(-400), created: Days(-2));
        await Result("default", "executed in the future", Days(5), created: Days(-60));
        await Result("default", "old", Days(-31), created: Days(-31));

        await Apply(new(null, 30, null));

        Assert.Equal(["default/arrived late", "default/executed in the future"], await Ids("check_results"));
    }

    [Fact]
    public async Task An_execution_is_removed_with_its_checks_when_it_has_ended_before_the_bound()
    {
        await Execution("default", "old", Days(-40), Days(-31));
        await Execution("default", "ended later", Days(-40), Days(-29));
        await Execution("default", "waits", Days(-40), null);

        var report = await Apply(new(null, 30, null));

        Assert.Equal(["default/ended later", "default/waits"], await Ids("executions"));
        Assert.Equal(["default/ended later", "default/waits"], await Ids("execution_checks", "execution_id"));
        Assert.Equal("default executions executions=1 execution_checks=1", Text(report));
    }

    [Fact]
    public async Task An_unfinished_run_stays_until_its_last_update_is_too_old()
    {
        await Run("default", "running", Days(-40), "running", updated: Days(-1));
        await Run("default", "forgotten", Days(-40), "running", updated: Days(-31));
        await Run("default", "gate only", Days(-40), reported: null, updated: Days(-1));
        await Run("default", "ended, corrected", Days(-40), "failed", updated: Days(-1));

        await Apply(new(30, null, null));

        Assert.Equal(["default/gate only", "default/running"], await Ids("runs"));
    }

    [Fact]
    public async Task Removal_of_old_events_and_results_does_not_change_their_run()
    {
        await Run("default", "r", Days(-40), events: [Days(-40), Days(-31), Days(-30), Days(-1)], stages: 1, gate: "c");
        await Result("default", "x", Days(-40), run: "r", status: "fail");
        await Execute("insert into run_attempts (organization_id, run_id, attempt, status) values ('default', 'r', 1, 'failed')", new { });
        var before = await Rows("runs");

        await Apply(new(null, 30, 30));

        Assert.Empty(await Ids("check_results"));
        Assert.Equal(2, (await Ids("run_events", "run_id")).Count);
        Assert.Single(await Ids("run_stages", "run_id"));
        Assert.Single(await Ids("run_attempts", "run_id"));
        Assert.Equal(before, await Rows("runs"));
    }

    [Fact]
    public async Task The_state_of_a_check_is_removed_with_its_result_and_that_of_a_run_with_its_run()
    {
        await Run("default", "kept", Days(-5));
        await Run("default", "old", Days(-40));
        foreach (var (check, result, at, run) in new[]
        {
            ("removed", "1", Days(-40), "kept"), ("overtaken", "2", Days(-40), "kept"), ("overtaken", "3", Days(-5), "kept"),
            ("of old run", "4", Days(-5), "old"), ("of no run", "5", Days(-40), "unknown"), ("of no run", "6", Days(-5), "unknown 2"),
        })
        {
            await Result("default", result, at, run: run, check: check);
            await State("default", check, result, at, run);
        }

        await Result("own", "1", Days(-5), check: "removed");
        await State("own", "removed", "1", Days(-5), "old");
        foreach (var (organization, run) in new[] { ("default", "kept"), ("default", "old"), ("own", "old") })
        {
            await Execute("insert into run_attempts (organization_id, run_id, attempt, status) values (@organization, @run, 1, 'failed')",
                new { organization, run });
        }

        var report = await Apply(new(30, 30, null));

        Assert.Equal(
            "default results check_results=3|default runs runs=1 run_stages=0 run_events=0 run_check_states=1 run_attempts=1 "
                + "lineage_runs=0 run_datasets=0 facets=0", Text(report));
        Assert.Equal(["default/3", "default/4", "default/6", "own/1"], await Ids("check_states", "result_id"));
        Assert.Equal(["default/1", "default/3", "default/6", "own/1"], await Ids("run_check_states", "result_id"));
        Assert.Equal(["default/kept", "own/old"], await Ids("run_attempts", "run_id"));
    }

    [Fact]
    public async Task The_state_of_a_check_becomes_that_of_a_result_that_was_sent_late()
    {
        await Result("default", "late", Days(-60), created: Days(-2), status: "fail");
        await Result("default", "old", Days(-40));
        await State("default", "c", "old", Days(-40), "r");

        await Apply(new(null, 30, null));

        Assert.Equal(["default/late"], await Ids("check_states", "result_id"));
        Assert.Equal(["default/fail"], await Ids("check_states", "status"));
    }

    [Fact]
    public async Task An_organization_can_lower_the_number_of_days_but_not_raise_it()
    {
        await Organization("own", runs: 10, results: 90, events: 0);
        foreach (var organization in new[] { "default", "own", "not registered" })
        {
            foreach (var age in new[] { 5, 20, 40 })
            {
                await Result(organization, $"{age}", Days(-age));
                await Run(organization, $"{age}", Days(-age), events: [Days(-age)]);
            }
        }

        await Apply(new(30, 30, null));

        string[] remaining = ["default/20", "default/5", "not registered/20", "not registered/5"];
        Assert.Equal([.. remaining, "own/5"], await Ids("runs"));
        Assert.Equal([.. remaining, "own/5"], await Ids("run_events", "run_id"));
        Assert.Equal([.. remaining, "own/20", "own/5"], await Ids("check_results"));
        await Apply(new(null, null, null));
        Assert.Equal(5, (await Ids("runs")).Count);
    }

    [Fact]
    public async Task A_removal_can_be_limited_to_one_organization_and_one_kind()
    {
        foreach (var organization in new[] { "a", "b" })
        {
            await Result(organization, "x", Days(-40));
            await Run(organization, "x", Days(-40));
        }

        await Removal(new(30, 30, 30)).Apply(new(new HashSet<RetentionKind> { RetentionKind.Results }, "b"), Ct);

        Assert.Equal(["a/x"], await Ids("check_results"));
        Assert.Equal(["a/x", "b/x"], await Ids("runs"));
        var unknown = await Assert.ThrowsAsync<MigrationException>(() =>
            Removal(new(30, 30, 30)).Apply(RemovalScope.All with { Organization = "c" }, Ct));
        Assert.Equal(MigrationFault.UnknownTarget, unknown.Fault);
    }

    [Fact]
    public async Task A_deleted_pipeline_is_removed_after_its_history()
    {
        foreach (var (name, deleted) in new[] { ("live", (DateTimeOffset?)null), ("just deleted", Days(-29)),
            ("without history", Days(-31)), ("with a run", Days(-31)), ("with a result", Days(-31)), ("old history", Days(-31)) })
        {
            await Pipeline("default", name, deleted);
        }

        await Run("default", "young", Days(-3), pipeline: "with a run");
        await Result("default", "kept", Days(-50), pipeline: "with a result");
        await Run("default", "old", Days(-50), pipeline: "old history");
        var planned = await Count(new(30, null, null));

        var removed = await Apply(new(30, null, null));

        Assert.Equal(["default/just deleted", "default/live", "default/with a result", "default/with a run"], await Ids("pipelines"));
        Assert.Equal(await Ids("pipelines"), await Ids("pipeline_versions", "pipeline_id"));
        Assert.Equal(await Ids("pipelines"), await Ids("pipeline_tags", "pipeline_id"));
        Assert.Equal("default runs runs=1 run_stages=0 run_events=0 run_check_states=0 run_attempts=0 lineage_runs=0 run_datasets=0 "
            + "facets=0|"
            + "default pipelines pipelines=2 pipeline_versions=2 pipeline_tags=2 facets=0",
            Text(removed));
        Assert.Equal(Text(planned), Text(removed));
        await Apply(new(30, 30, null));
        Assert.DoesNotContain("default/with a result", await Ids("pipelines"));
    }
}
