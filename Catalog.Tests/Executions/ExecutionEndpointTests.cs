using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Executions;

public sealed class ExecutionEndpointsOnSqlite(SqliteTestDatabase database)
    : ExecutionEndpointTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ExecutionEndpointsOnPostgres(PostgresTestDatabase database)
    : ExecutionEndpointTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>The routes that execute checks, and the results that they record.</summary>
public abstract class ExecutionEndpointTests(TestDatabase database) : ExecutionTestBase(database)
{
    [Fact]
    public async Task An_executed_pipeline_answers_with_the_outcome_and_stores_ordinary_results()
    {
        await Pipeline("pass", "warn", "error", "external");

        var answer = await Execute();

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal("wait=10", Assert.Single(answer.Headers.GetValues("Preference-Applied")));
        var execution = await answer.Json();
        Assert.Equal($"/api/v1/executions/{Text(execution, "id")}", answer.Headers.Location!.OriginalString);
        Assert.Equal("completed", Text(execution, "status"));
        Assert.Equal((3, 3), (execution.GetProperty("total").GetInt32(), execution.GetProperty("executed").GetInt32()));
        Assert.Equal("""{"pass":1,"warn":1,"fail":0,"error":1}""", execution.GetProperty("outcomes").GetRawText());
        Assert.Equal(3000, execution.GetProperty("rows").GetInt64());
        var table = execution.GetProperty("tables")[0];
        Assert.Equal("""{"connection_id":"w","table":"t0","executed":1,"rows":1000,"rows_per_second":2000}""", table.GetRawText());
        var check = execution.GetProperty("checks")[0];
        Assert.Equal(("error-2", "error", Name), (Text(check, "check_id"), Text(check, "status"), Text(check, "pipeline_id")));
        var result = await Client.GetJson($"/api/v1/checks/results/{Text(check, "result_id")}");
        Assert.Equal(("error", "scripted error", "t2"), (Text(result, "status"), Text(result, "message"), Text(result, "dataset")));
        Assert.Equal(3, result.GetProperty("observed_number").GetDouble());
        Assert.Equal(execution.GetRawText(), (await Client.GetJson($"/api/v1/executions/{Text(execution, "id")}")).GetRawText());
    }

    [Fact]
    public async Task Without_wait_the_answer_is_202_and_the_outcome_follows()
    {
        await Pipeline("slow", "pass");

        var passed = await Execute(new { checks = new[] { "pass-1" } }, wait: null);
        Assert.Equal("completed", Text(await Ended(Text(await passed.Json(), "id")), "status"));

        foreach (int? wait in new int?[] { null, 1 })
        {
            var slow = await Execute(new { checks = new[] { "slow-0" } }, wait: wait);

            Assert.Equal((202, wait is not null), ((int)slow.StatusCode, slow.Headers.Contains("Preference-Applied")));
            var running = await slow.Json();
            Assert.Equal(1, running.GetProperty("total").GetInt32());
            await Client.PostAsync($"/api/v1/executions/{Text(running, "id")}/cancel", null, Ct);
            await Ended(Text(running, "id"));
        }
    }

    [Fact]
    public async Task A_failure_of_severity_error_fails_the_run()
    {
        await Pipeline("fail");
        await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name, status = "completed" });

        Assert.Equal(200, (int)(await Execute(new { run_id = Name })).StatusCode);

        var run = await Client.GetJson($"/api/v1/runs/{Name}");
        Assert.Equal("failed", Text(run, "status"));
        Assert.Equal(1, run.GetProperty("checks").GetProperty("fail").GetInt32());
    }

    [Fact]
    public async Task A_single_check_is_executed_and_an_ambiguous_one_is_refused()
    {
        await Pipeline("pass");
        await Client.PostJson("/api/v1/checks/", new { id = "pass-0", kind = "pass", connection_id = "w" });
        var path = $"/api/v1/checks/pass-0/execute?pipeline_id={Name}";

        Assert.Equal(Name, Text(await (await Execute(path: path)).Json(), "pipeline_id"));
        await (await Execute(path: "/api/v1/checks/pass-0/execute")).Problem(409, "check_ambiguous");
        await (await Execute(path: "/api/v1/checks/unknown/execute")).Problem(404, "not_found");
    }

    [Fact]
    public async Task A_standalone_check_stores_its_result_and_has_no_run()
    {
        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "pass", connection_id = "w" });
        var path = $"/api/v1/checks/{Name}/execute";

        var execution = await (await Execute(path: path)).Json();

        Assert.Equal(("completed", null), (Text(execution, "status"), Text(execution, "pipeline_id")));
        Assert.Equal("pass", Text(execution.GetProperty("checks")[0], "status"));
        var history = await Client.GetJson($"/api/v1/checks/{Name}/history");
        Assert.Equal(1, history.GetProperty("counts").GetProperty("pass").GetInt32());
        await (await Execute(new { run_id = "r" }, path: path)).Problem(409, "check_is_standalone");
    }

    [Fact]
    public async Task A_check_without_a_connection_is_an_error_that_says_what_to_do()
    {
        await Pipeline("external");

        await (await Execute()).Problem(409, "no_executable_checks");
        var check = (await (await Execute(new { checks = new[] { "external-0" } })).Json()).GetProperty("checks")[0];

        Assert.Equal("error", Text(check, "status"));
        Assert.Contains("add the id of a registered connection", Text(check, "message"), StringComparison.Ordinal);
        Assert.Empty(Script.Began);
    }

    [Fact]
    public async Task A_deleted_check_is_an_error_without_a_result()
    {
        Restart(("DATAXPIPE_EXECUTION_WORKERS", "0"));
        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "pass", connection_id = "w" });
        var id = Text(await (await Execute(path: $"/api/v1/checks/{Name}/execute", wait: null)).Json(), "id");
        Assert.Equal(204, (int)(await Client.DeleteAsync($"/api/v1/checks/{Name}", Ct)).StatusCode);

        using var replica = Start().Client();

        var check = (await Ended(id, replica)).GetProperty("checks")[0];
        Assert.Equal(("error", null), (Text(check, "status"), Text(check, "result_id")));
        Assert.Contains("deleted", Text(check, "message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invalid_requests_are_refused()
    {
        await Pipeline("pass");
        await Client.PostJson("/api/v1/pipelines/", new { name = Name + "x" });
        await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name + "x", status = "running" });

        await (await Execute(new { run_id = Name })).Problem(409, "run_id_taken");
        await (await Execute(new { checks = new[] { "pass-0", "unknown" } })).Problem(404, "check_not_found");
        var empty = await (await Execute(new { checks = Array.Empty<string>() })).Problem(422, "invalid");
        Assert.Contains("Leave it out", empty.GetProperty("errors").GetProperty("/checks")[0].GetString(), StringComparison.Ordinal);
        await (await Execute(new { checks = Enumerable.Range(0, 501).Select(i => $"c{i}") })).Problem(413, "too_large");
        await (await Execute(new { chekcs = 1 })).Problem(422, "invalid");
        await (await Execute(path: "/api/v1/pipelines/unknown/checks/execute")).Problem(404, "not_found");
        Assert.Equal(200, (int)(await Execute(new { })).StatusCode);
    }

    [Fact]
    public async Task A_running_execution_is_cancelled_and_its_statement_too()
    {
        await Pipeline("pass", "slow");
        var id = Text(await (await Execute(wait: null)).Json(), "id");
        await Until(() => Script.Began.Contains("slow-1"), "the slow check");

        var answer = await Client.PostAsync($"/api/v1/executions/{id}/cancel", null, Ct);

        Assert.True((int)answer.StatusCode is 200 or 202);
        var execution = await Ended(id);
        Assert.Equal("cancelled", Text(execution, "status"));
        Assert.Equal(["slow-1"], Script.Cancelled);
        Assert.Equal("pass", Text(execution.GetProperty("checks")[0], "status"));
        Assert.Null(Text(execution.GetProperty("checks")[1], "status"));
        Assert.Equal(200, (int)(await Client.PostAsync($"/api/v1/executions/{id}/cancel", null, Ct)).StatusCode);
    }

    [Fact]
    public async Task A_waiting_execution_is_cancelled_at_once_and_a_completed_one_is_refused()
    {
        Restart(("DATAXPIPE_EXECUTION_WORKERS", "0"));
        await Pipeline("pass");
        var id = Text(await (await Execute(wait: null)).Json(), "id");

        var answer = await Client.PostAsync($"/api/v1/executions/{id}/cancel", null, Ct);

        Assert.Equal((200, "cancelled"), ((int)answer.StatusCode, Text(await answer.Json(), "status")));
        Restart();
        var completed = Text(await (await Execute()).Json(), "id");
        await (await Client.PostAsync($"/api/v1/executions/{completed}/cancel", null, Ct)).Problem(409, "execution_finished");
        await (await Client.PostAsync("/api/v1/executions/unknown/cancel", null, Ct)).Problem(404, "not_found");
        Assert.Equal(1, (await Client.GetJson($"/api/v1/checks/results?pipeline_id={Name}")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task A_repeat_with_the_same_idempotency_key_starts_nothing()
    {
        await Pipeline("pass");

        var first = Text(await (await Execute(key: Name)).Json(), "id");

        Assert.Equal(first, Text(await (await Execute(key: Name)).Json(), "id"));
        await (await Execute(new { run_id = "other" }, key: Name)).Problem(422, "idempotency_key_reused");
        Assert.Single(Script.Began);
    }

    [Fact]
    public async Task Lists_are_filtered_and_have_pages()
    {
        await Pipeline("pass", "fail");
        var ids = new List<string>();
        foreach (var check in new[] { "pass-0", "fail-1", "pass-0" })
        {
            ids.Add(Text(await (await Execute(new { checks = new[] { check } })).Json(), "id"));
        }

        async Task<List<string>> List(string query) =>
            [.. (await Client.GetJson($"/api/v1/executions/?pipeline_id={Name}{query}")).GetProperty("items").EnumerateArray()
                .Select(item => Text(item, "id"))];
        Assert.Equal([ids[2], ids[1], ids[0]], await List(""));
        Assert.Equal([ids[1]], await List("&check_id=fail-1"));
        Assert.Equal(3, (await List("&status=completed")).Count);
        Assert.Empty(await List("&status=failed"));
        var page = await Client.GetJson($"/api/v1/executions/?pipeline_id={Name}&limit=2");
        Assert.Equal([ids[0]], await List($"&limit=2&cursor={Text(page, "next_cursor")}"));
        Assert.Equal("""{"pass":0,"warn":0,"fail":1,"error":0}""", page.GetProperty("items")[1].GetProperty("outcomes").GetRawText());
        await (await Client.GetAsync("/api/v1/executions/?status=done", Ct)).Problem(422, "invalid");
    }

    [Fact]
    public async Task Executions_with_errors_are_logged_once_without_the_reason()
    {
        await Pipeline("error", "pass", "error");
        var id = Text(await (await Execute()).Json(), "id");
        await Execute();

        var lines = App.Log.At(LogLevel.Warning).Where(line => line.Contains(Name, StringComparison.Ordinal)).ToList();
        Assert.StartsWith($"Execution {id} has checks that could not be evaluated: 2", Assert.Single(lines), StringComparison.Ordinal);
        Assert.DoesNotContain("scripted", lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Executing_needs_the_scope_execute_and_other_organizations_see_nothing()
    {
        await Pipeline("pass");
        var id = Text(await (await Execute()).Json(), "id");
        var key = Text(await (await Client.PostJson("/api/v1/organizations/me/api-keys", new { name = "r", scopes = new[] { "read" } }))
            .Json(), "key");
        using var reader = App.With(key);
        using var other = await App.Organization(Name);

        await (await reader.PostAsync($"/api/v1/pipelines/{Name}/checks/execute", null, Ct)).Problem(403, "forbidden");
        await (await reader.PostAsync($"/api/v1/executions/{id}/cancel", null, Ct)).Problem(403, "forbidden");
        Assert.Equal(200, (int)(await reader.GetAsync($"/api/v1/executions/{id}", Ct)).StatusCode);
        await (await other.GetAsync($"/api/v1/executions/{id}", Ct)).Problem(404, "not_found");
        await (await other.PostAsync($"/api/v1/executions/{id}/cancel", null, Ct)).Problem(404, "not_found");
        await (await other.PostAsync($"/api/v1/pipelines/{Name}/checks/execute", null, Ct)).Problem(404, "not_found");
        Assert.Equal(0, (await other.GetJson("/api/v1/executions/")).GetProperty("items").GetArrayLength());
    }
}
