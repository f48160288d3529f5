using Catalog.Data;
using Catalog.Data.Executions;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Executions;

public sealed class ExecutionJobsOnSqlite(SqliteTestDatabase database)
    : ExecutionJobTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ExecutionJobsOnPostgres(PostgresTestDatabase database)
    : ExecutionJobTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Executions as jobs: takeover, limits and time-outs.</summary>
public abstract class ExecutionJobTests(TestDatabase database) : ExecutionTestBase(database)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_job_of_a_killed_replica_is_continued_with_the_checks_that_have_no_outcome()
    {
        Restart(("DATAXPIPE_EXECUTION_WORKERS", "0"));
        await Pipeline("pass", "warn");
        var id = Text(await (await Execute(wait: null)).Json(), "id");
        // The killed replica claimed the job a minute ago, and stored one verdict.
        var jobs = App.Services.GetRequiredService<ExecutionJobs>();
        var job = await jobs.Claim("default", "killed", TimeProvider.System.Now(), Lease, 1, Ct);
        var open = await jobs.Open("default", id, Ct);
        await App.Services.GetRequiredService<VerdictStore>().Store("default", job!, "killed", open[0].Place, Verdict(open[0], "fail"), Ct);
        await Sql("update executions set due_ms = due_ms - 60000 where organization_id = @organization and id = @id",
            new { organization = "default", id });

        using var replica = Start().Client();
        var execution = await Ended(id, replica);

        Assert.Equal(["warn-1"], Script.Began);
        Assert.Equal("""{"pass":0,"warn":1,"fail":1,"error":0}""", execution.GetProperty("outcomes").GetRawText());
        Assert.Equal(2, await CountResults());
    }

    [Fact]
    public async Task A_check_that_is_repeated_after_a_takeover_keeps_its_first_result()
    {
        Restart(("DATAXPIPE_EXECUTION_WORKERS", "0"));
        await Pipeline("pass");
        var id = Text(await (await Execute(wait: null)).Json(), "id");
        // The replica is killed after the result was stored and before the outcome was.
        var jobs = App.Services.GetRequiredService<ExecutionJobs>();
        var job = await jobs.Claim("default", "killed", TimeProvider.System.Now(), Lease, 1, Ct);
        var open = (await jobs.Open("default", id, Ct))[0];
        await Sql("update executions set due_ms = due_ms - 60000, owner = null where organization_id = @organization and id = @id",
            new { organization = "default", id });
        await App.Services.GetRequiredService<VerdictStore>().Store("default", job!, "killed", open.Place, Verdict(open, "fail"), Ct);
        Assert.Null((await (await Client.GetAsync($"/api/v1/executions/{id}", Ct)).Json()).GetProperty("checks")[0]
            .GetProperty("status").GetString());

        using var replica = Start().Client();
        var execution = await Ended(id, replica);

        Assert.Equal(["pass-0"], Script.Began);
        Assert.Equal("fail", Text(execution.GetProperty("checks")[0], "status"));
        Assert.Equal(1, await CountResults());
    }

    [Fact]
    public async Task A_replica_that_lost_its_lease_changes_nothing()
    {
        Restart(("DATAXPIPE_EXECUTION_WORKERS", "0"));
        await Pipeline("pass");
        var id = Text(await (await Execute(wait: null)).Json(), "id");
        var jobs = App.Services.GetRequiredService<ExecutionJobs>();
        var now = TimeProvider.System.Now();
        Assert.NotNull(await jobs.Claim("default", "first", now, Lease, 1, Ct));
        Assert.Null(await jobs.Claim("default", "second", now, Lease, 9, Ct));
        Assert.NotNull(await jobs.Claim("default", "second", now + Lease, Lease, 1, Ct));

        Assert.Null(await jobs.Extend("default", id, "first", now + Lease, Ct));
        await jobs.Finish("default", id, "first", ExecutionStatus.Completed, null, now, Ct);
        await jobs.Release("default", id, "first", now, true, Ct);

        Assert.NotNull(await jobs.Extend("default", id, "second", now + Lease, Ct));
        Assert.Equal("running", Text(await Client.GetJson($"/api/v1/executions/{id}"), "status"));
        await jobs.Finish("default", id, "second", ExecutionStatus.Cancelled, null, now, Ct);
    }

    [Fact]
    public async Task A_replica_that_stops_gives_its_job_back_at_once()
    {
        await Pipeline("slow");
        var id = Text(await (await Execute(wait: null)).Json(), "id");
        await Until(() => Script.Began.Count == 1, "the check");

        Restart();

        await Until(() => Script.Began.Count == 2, "the check at the other replica");
        Assert.Equal(["slow-0"], Script.Cancelled);
        var attempts = await Database.Database.One<long>("default",
            "select attempts from executions where organization_id = @organization and id = @id", new { organization = "default", id }, Ct);
        Assert.Equal(1, attempts);
        await Client.PostAsync($"/api/v1/executions/{id}/cancel", null, Ct);
        Assert.Equal("cancelled", Text(await Ended(id), "status"));
    }

    [Fact]
    public async Task A_cancellation_reaches_the_replica_that_executes()
    {
        await Pipeline("slow");
        var id = Text(await (await Execute(wait: null)).Json(), "id");
        await Until(() => Script.Began.Count == 1, "the check");
        using var other = Start(("DATAXPIPE_EXECUTION_WORKERS", "0")).Client();

        var answer = await other.PostAsync($"/api/v1/executions/{id}/cancel", null, Ct);

        Assert.Equal(202, (int)answer.StatusCode);
        Assert.NotNull(Text(await answer.Json(), "cancel_requested_at"));
        Assert.Equal("cancelled", Text(await Ended(id, other), "status"));
    }

    [Fact]
    public async Task An_execution_that_takes_too_long_fails_and_its_checks_are_errors()
    {
        Restart(("DATAXPIPE_EXECUTION_TIMEOUT", "1"));
        await Pipeline("pass", "slow");

        var execution = await (await Execute()).Json();

        Assert.Equal("failed", Text(execution, "status"));
        Assert.Contains("stopped after 1 s", Text(execution, "error_message"), StringComparison.Ordinal);
        var check = execution.GetProperty("checks")[1];
        Assert.Equal("error", Text(check, "status"));
        Assert.Contains("stopped after 1 s", Text(check, "message"), StringComparison.Ordinal);
        Assert.NotNull(Text(check, "result_id"));
    }

    [Fact]
    public async Task An_execution_that_was_interrupted_too_often_is_given_up()
    {
        Restart(("DATAXPIPE_EXECUTION_WORKERS", "0"));
        await Pipeline("pass");
        var id = Text(await (await Execute(wait: null)).Json(), "id");
        await Sql("update executions set attempts = 5 where organization_id = @organization and id = @id",
            new { organization = "default", id });

        using var replica = Start().Client();
        var execution = await Ended(id, replica);

        Assert.Equal("failed", Text(execution, "status"));
        Assert.Equal("error", Text(execution.GetProperty("checks")[0], "status"));
        Assert.Empty(Script.Began);
    }

    [Fact]
    public async Task The_queue_of_an_organization_is_bounded()
    {
        Restart(("DATAXPIPE_EXECUTION_WORKERS", "0"), ("DATAXPIPE_EXECUTION_QUEUE", "2"));
        await Pipeline("pass");
        using var other = await App.Organization(Name);
        List<string> ids = [];
        for (var i = 0; i < 2; i++)
        {
            ids.Add(Text(await (await Execute(wait: null, key: $"{Name}{i}")).Json(), "id"));
        }

        var refused = await Execute(wait: null);

        await refused.Problem(429, "execution_queue_full");
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Equal(202, (int)(await Execute(wait: null, key: $"{Name}1")).StatusCode);
        await other.PostJson("/api/v1/checks/", new { id = "c", kind = "pass", connection_id = "w" });
        var elsewhere = await other.PostAsync("/api/v1/checks/c/execute", null, Ct);
        Assert.Equal(202, (int)elsewhere.StatusCode);
        // The tests share a database. An execution that still waits would run in the next test, so it is cancelled.
        await other.PostAsync($"{elsewhere.Headers.Location}/cancel", null, Ct);
        foreach (var id in ids)
        {
            await Client.PostAsync($"/api/v1/executions/{id}/cancel", null, Ct);
        }
    }

    [Theory]
    [InlineData("DATAXPIPE_EXECUTION_WORKERS")]
    [InlineData("DATAXPIPE_EXECUTION_PER_ORGANIZATION")]
    public async Task The_number_of_running_executions_is_limited(string setting)
    {
        Restart((setting, "1"));
        await Pipeline("slow", "pass");
        var first = Text(await (await Execute(new { checks = new[] { "slow-0" } }, wait: null)).Json(), "id");
        await Until(() => Script.Began.Count == 1, "the first execution");

        var second = await (await Execute(new { checks = new[] { "pass-1" } }, wait: 3)).Json();

        Assert.Equal("queued", Text(second, "status"));
        await Client.PostAsync($"/api/v1/executions/{first}/cancel", null, Ct);
        Assert.Equal("completed", Text(await Ended(Text(second, "id")), "status"));
    }

    [Fact]
    public async Task The_number_of_executions_on_a_connection_is_limited()
    {
        Restart(("DATAXPIPE_EXECUTION_PER_WAREHOUSE", "1"));
        await Pipeline("slow", "pass");
        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "pass", connection_id = "other" });
        var first = Text(await (await Execute(new { checks = new[] { "slow-0" } }, wait: null)).Json(), "id");
        await Until(() => Script.Began.Count == 1, "the first execution");

        var second = await (await Execute(new { checks = new[] { "pass-1" } }, wait: 2)).Json();
        var elsewhere = await (await Execute(path: $"/api/v1/checks/{Name}/execute")).Json();

        Assert.Equal(("running", "completed"), (Text(second, "status"), Text(elsewhere, "status")));
        Assert.DoesNotContain("pass-1", Script.Began);
        await Client.PostAsync($"/api/v1/executions/{first}/cancel", null, Ct);
        Assert.Equal("completed", Text(await Ended(Text(second, "id")), "status"));
    }

    private async Task<int> CountResults() =>
        (await Client.GetJson($"/api/v1/checks/results?pipeline_id={Name}")).GetProperty("items").GetArrayLength();

    private static CheckVerdict Verdict(OpenCheck check, string status) =>
        new() { Check = check.ToCheck()!, Status = status, Message = "by the killed replica" };
}
