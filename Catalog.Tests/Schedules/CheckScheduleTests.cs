using Catalog.Data;
using Catalog.Tests.Executions;
using Catalog.Tests.Support;

namespace Catalog.Tests.Schedules;

public sealed class CheckSchedulesOnSqlite(SqliteTestDatabase database)
    : CheckScheduleTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class CheckSchedulesOnPostgres(PostgresTestDatabase database)
    : CheckScheduleTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>The ticks of scheduled checks.</summary>
public abstract class CheckScheduleTests(TestDatabase database) : ExecutionTestBase(database)
{
    private const string Hourly = "0 * * * *";

    [Fact]
    public async Task A_definition_and_its_next_tick_change_together()
    {
        async Task Put(object body) => Assert.Equal(200, (int)(await Client.PutAsync(
            $"/api/v1/checks/{Name}", System.Net.Http.Json.JsonContent.Create(body), Ct)).StatusCode);

        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "pass", connection_id = "w", schedule = Hourly });
        var next = await NextTick(Name);
        var now = TimeProvider.System.Now();
        Assert.Equal(0, next!.Value.Minute);
        Assert.InRange(next.Value, now.AddSeconds(-5), now.AddHours(1).AddSeconds(5));

        await Put(new { kind = "pass", connection_id = "w", schedule = "30 12 1 1 *" });
        Assert.Equal((1, 1, 12, 30), (await NextTick(Name))!.Value is var at ? (at.Month, at.Day, at.Hour, at.Minute) : default);
        await Put(new { kind = "pass", schedule = Hourly });
        Assert.Null(await NextTick(Name));
        await Put(new { kind = "pass", connection_id = "w" });
        Assert.Null(await NextTick(Name));
        await Put(new { kind = "pass", connection_id = "w", schedule = Hourly });
        Assert.NotNull(await NextTick(Name));
        await Client.DeleteAsync($"/api/v1/checks/{Name}", Ct);
        Assert.Null(await NextTick(Name));
    }

    [Fact]
    public async Task A_pipeline_and_the_ticks_of_its_checks_change_together()
    {
        await Register("1", "a", "b");
        await MakeDue("a", TimeSpan.FromDays(-365));
        var due = await NextTick("a");

        // The tick of an unchanged schedule stays. A check that the new version lacks has no tick any more.
        await Register("2", "a", "c");
        Assert.Equal((due, true, true),
            (await NextTick("a"), await NextTick("b") is null, await NextTick("c") is not null));
        await Client.DeleteAsync($"/api/v1/pipelines/{Name}", Ct);
        Assert.Null(await NextTick("a"));

        Task Register(string version, params string[] checks) => Client.PostJson("/api/v1/pipelines/", new
        {
            name = Name,
            version,
            checks = checks.Select(id => new { id, kind = "pass", connection_id = "w", schedule = "0 0 1 1 *" }),
        });
    }

    [Fact]
    public async Task A_schedule_needs_the_scope_execute()
    {
        var key = await (await Client.PostJson("/api/v1/organizations/me/api-keys", new { name = "w", scopes = new[] { "read", "write" } }))
            .Json();
        using var writer = App.With(Text(key, "key"));
        var scheduled = new { id = "a", kind = "row_count", dataset = "t", connection_id = "w", schedule = Hourly };
        Assert.Equal(403, (int)(await writer.PostJson("/api/v1/checks/", scheduled)).StatusCode);
        Assert.Equal(403, (int)(await writer.PostJson("/api/v1/pipelines/", new { name = Name, checks = new[] { scheduled } })).StatusCode);
        Assert.Null(await NextTick("a"));

        var unscheduled = new { id = Name, kind = "row_count", dataset = "t", connection_id = "w" };
        Assert.Equal(201, (int)(await writer.PostJson("/api/v1/checks/", unscheduled)).StatusCode);
        Assert.Equal(403, (int)(await writer.PutAsync($"/api/v1/checks/{Name}", System.Net.Http.Json.JsonContent.Create(
            new { kind = "row_count", dataset = "t", connection_id = "w", schedule = Hourly }), Ct)).StatusCode);
    }

    [Fact]
    public async Task Missed_ticks_are_caught_up_by_one_execution()
    {
        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "pass", connection_id = "w", schedule = "*/5 * * * *" });
        var missed = await MakeDue(Name, TimeSpan.FromHours(3));

        var executions = await Executions(1);

        Assert.Equal(missed, executions[0].GetProperty("scheduled_for").GetDateTimeOffset());
        Assert.Equal("completed", Text(await Ended(Text(executions[0], "id")), "status"));
        Assert.True(await NextTick(Name) > TimeProvider.System.Now());
        await Task.Delay(2500, Ct);
        Assert.Single(await Executions(1));
    }

    [Fact]
    public async Task Checks_of_a_pipeline_that_are_due_together_become_one_execution()
    {
        await Client.PostJson("/api/v1/pipelines/", new
        {
            name = Name,
            checks = new[] { "a", "b" }.Select(id => new { id, kind = "pass", connection_id = "w", schedule = "0 0 1 1 *" }),
        });
        await Sql("update check_schedules set due_ms = 1000 where organization_id = @organization and pipeline_id = @Name",
            new { organization = "default", Name });

        var execution = await Ended(Text((await Executions(1, $"pipeline_id={Name}"))[0], "id"));

        Assert.Equal(["a", "b"], execution.GetProperty("checks").EnumerateArray().Select(check => Text(check, "check_id")));
    }

    [Fact]
    public async Task A_tick_waits_while_the_queue_is_full()
    {
        Restart(("DATAXPIPE_EXECUTION_QUEUE", "1"), ("DATAXPIPE_EXECUTION_WORKERS", "1"));
        await Pipeline("slow", "pass");
        var slow = Text(await (await Execute(new { checks = new[] { "slow-0" } }, wait: null)).Json(), "id");
        await Until(() => Script.Began.Count == 1, "the slow check");
        await Execute(new { checks = new[] { "pass-1" } }, wait: null);
        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "pass", connection_id = "w", schedule = Hourly });
        var due = await MakeDue(Name, TimeSpan.FromHours(1));
        await Task.Delay(2500, Ct);
        Assert.Equal(due, await NextTick(Name));

        await Client.PostAsync($"/api/v1/executions/{slow}/cancel", null, Ct);

        Assert.Equal("completed", Text(await Ended(Text((await Executions(1))[0], "id")), "status"));
    }

    [Fact]
    public async Task A_tick_of_a_deleted_pipeline_is_moved_without_an_execution()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        await Client.PostJson("/api/v1/checks/",
            new { id = Name, pipeline_id = Name, kind = "pass", connection_id = "w", schedule = Hourly });
        await Client.DeleteAsync($"/api/v1/pipelines/{Name}", Ct);
        var due = await MakeDue(Name, TimeSpan.FromHours(1));

        for (var tries = 0; await NextTick(Name) == due; tries++)
        {
            Assert.True(tries < 100);
            await Task.Delay(100, Ct);
        }

        Assert.Empty(await Executions(0));
    }

    private async Task<DateTimeOffset?> NextTick(string check)
    {
        var due = await Database.Database.One<long?>("default",
            "select due_ms from check_schedules where organization_id = @organization and pipeline_id in (@Name, '') and check_id = @check",
            new { organization = "default", Name, check }, Ct);
        return due is null ? null : DateTimeOffset.FromUnixTimeMilliseconds(due.Value);
    }

    private async Task<DateTimeOffset> MakeDue(string check, TimeSpan ago)
    {
        var due = DateTimeOffset.FromUnixTimeMilliseconds((TimeProvider.System.Now() - ago).ToUnixTimeMilliseconds());
        await Sql("update check_schedules set due_ms = @due where organization_id = @organization and check_id = @check",
            new { organization = "default", check, due = due.ToUnixTimeMilliseconds() });
        return due;
    }

    private async Task<List<System.Text.Json.JsonElement>> Executions(int atLeast, string? filter = null)
    {
        for (var tries = 0; ; tries++)
        {
            var page = await Client.GetJson($"/api/v1/executions/?{filter ?? $"check_id={Name}"}");
            var items = page.GetProperty("items").EnumerateArray().ToList();
            if (items.Count >= atLeast)
            {
                return items;
            }

            Assert.True(tries < 100, "No execution appeared.");
            await Task.Delay(100, Ct);
        }
    }
}
