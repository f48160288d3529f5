using System.Net;
using System.Net.Http.Json;
using Catalog.Data.Checks;
using Catalog.Data.Runs;
using Catalog.Tests.Support;

namespace Catalog.Tests.Runs;

[Trait("Category", "Fast")]
public sealed class StatusWordsOnSqlite(SqliteTestDatabase database) : StatusWordTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class StatusWordsOnPostgres(PostgresTestDatabase database) : StatusWordTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Status words of other tools in any letter case, and times from two clocks.</summary>
public abstract class StatusWordTests(TestDatabase database) : EndpointTestBase(database)
{
    [Theory]
    [InlineData("up_for_retry", "running")]
    [InlineData("up_for_reschedule", "running")]
    [InlineData("deferred", "running")]
    [InlineData("restarting", "running")]
    [InlineData("upstream_failed", "failed")]
    [InlineData("removed", "skipped")]
    [InlineData("shutdown", "cancelled")]
    [InlineData("COMPLETED", "completed")]
    [InlineData("Success", "completed")]
    [InlineData("passed", "completed")]
    [InlineData("CRASHED", "failed")]
    [InlineData("CANCELLING", "running")]
    [InlineData("CANCELED", "cancelled")]
    [InlineData("NOT_STARTED", "pending")]
    [InlineData("STARTED", "running")]
    [InlineData("errored", "failed")]
    [InlineData("LATE", "pending")]
    [InlineData("timed_out", "failed")]
    public async Task Status_words_of_other_tools_are_accepted_for_runs_and_stages(string word, string stored)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });

        await Client.PostJson(
            "/api/v1/runs/",
            new { id = Name, pipeline_id = Name, status = word, stages = new[] { new { stage_name = "a", status = word } } });
        await Client.PutAsJsonAsync($"/api/v1/runs/{Name}/stages/b", new { status = word }, Ct);

        var run = await Client.GetJson($"/api/v1/runs/{Name}");
        Assert.Equal(stored, run.GetProperty("status").GetString());
        Assert.All(run.GetProperty("stages").EnumerateArray(), stage => Assert.Equal(stored, stage.GetProperty("status").GetString()));
        Assert.Contains((await Client.GetJson($"/api/v1/runs/?pipeline_id={Name}&status={word}")).GetProperty("items").EnumerateArray(),
            item => item.GetProperty("id").GetString() == Name);
    }

    [Fact]
    public async Task A_task_that_waits_for_its_next_attempt_is_running()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        foreach (var (word, stored) in new[] { ("running", "running"), ("up_for_retry", "running"), ("success", "completed") })
        {
            await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name, status = word });
            Assert.Equal(stored, (await Client.GetJson($"/api/v1/runs/{Name}")).GetProperty("status").GetString());
        }
    }

    [Theory]
    [InlineData("passed", "pass")]
    [InlineData("PASS", "pass")]
    [InlineData("success", "pass")]
    [InlineData("failed", "fail")]
    [InlineData("FAILURE", "fail")]
    [InlineData("warned", "warn")]
    [InlineData("Warning", "warn")]
    [InlineData("errored", "error")]
    [InlineData("runtime error", "error")]
    [InlineData("notEvaluated", "error")]
    public async Task Status_words_of_other_tools_are_accepted_for_results(string word, string stored)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });

        var answer = await Client.PostJson("/api/v1/checks/results", new { id = Name, pipeline_id = Name, check_id = "c", status = word });

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(stored, (await Client.GetJson($"/api/v1/checks/results/{Name}")).GetProperty("status").GetString());
        Assert.Single((await Client.GetJson($"/api/v1/checks/results?pipeline_id={Name}&status={Uri.EscapeDataString(word)}"))
            .GetProperty("items").EnumerateArray());
    }

    [Theory]
    [InlineData("\"success\":true", "pass")]
    [InlineData("\"success\":false", "fail")]
    [InlineData("\"success\":false,\"status\":\"failed\"", "fail")]
    [InlineData("\"success\":false,\"status\":\"error\"", "error")]
    public async Task A_result_can_have_success_instead_of_status(string fields, string stored)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });

        var answer = await Send(
            HttpMethod.Post, "/api/v1/checks/results", $$"""{"id":"{{Name}}","pipeline_id":"{{Name}}","check_id":"c",{{fields}}}""");

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(stored, (await Client.GetJson($"/api/v1/checks/results/{Name}")).GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("\"success\":true,\"status\":\"fail\"", "/success")]
    [InlineData("\"success\":\"yes\"", "/success")]
    [InlineData("\"message\":\"neither\"", "/status")]
    [InlineData("\"status\":\"perhaps\"", "/status")]
    public async Task A_contradictory_or_missing_status_is_422(string fields, string pointer)
    {
        var problem = await (
            await Send(HttpMethod.Post, "/api/v1/checks/results", $$"""{"pipeline_id":"{{Name}}","check_id":"c",{{fields}}}"""))
                .Problem(422, "invalid");

        Assert.Equal(pointer, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task Every_accepted_word_is_documented()
    {
        var document = await Client.GetJson("/openapi/v1.json");
        var guide = await File.ReadAllTextAsync(Path.Combine(ConventionTests.Root, "docs", "api.md"), Ct);
        foreach (var (schema, words) in new[] { ("PostRun", RunStatus.Words), ("PostCheckResult", CheckStatus.Words) })
        {
            var listed = document.GetProperty("components").GetProperty("schemas").GetProperty(schema).GetProperty("properties")
                .GetProperty("status").GetProperty("enum").EnumerateArray().Select(word => word.GetString());
            Assert.Empty(words.Keys.Except(listed));
            Assert.All(words.Keys, word => Assert.Contains($"`{word}`", guide));
        }
    }

    [Fact]
    public async Task An_end_before_the_start_is_accepted_with_a_warning()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        var body = new
        {
            id = Name,
            pipeline_id = Name,
            status = "completed",
            started_at = "2026-01-01T01:00:00Z",
            completed_at = "2026-01-01T00:59:59Z",
            stages = new[] {
                    new { stage_name = "load", status = "completed", started_at = "2026-01-01T01:00:00Z",
                        completed_at = "2026-01-01T00:00:00Z" } }
        };

        var posted = await Client.PostJson("/api/v1/runs/", body);
        Assert.Equal(HttpStatusCode.Created, posted.StatusCode);
        foreach (var run in new[] { await posted.Json(), await Client.GetJson($"/api/v1/runs/{Name}") })
        {
            Assert.Equal("2026-01-01T00:59:59.000000Z", run.GetProperty("completed_at").GetString());
            Assert.Equal(
                ("null", "null"), (run.GetProperty("duration_seconds").GetRawText(), run.GetProperty("stages")[0]
                    .GetProperty("duration_seconds").GetRawText()));
            var warnings = run.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()).ToList();
            Assert.Equal(2, warnings.Count);
            Assert.Contains("completed_at", warnings[0]);
            Assert.Contains("load", warnings[1]);
        }

        var corrected = await Client.PatchAsJsonAsync($"/api/v1/runs/{Name}", new { completed_at = "2026-01-01T01:00:30Z" }, Ct);
        Assert.Equal(30, (await corrected.Json()).GetProperty("duration_seconds").GetDouble());
        var stage = await (
            await Client.PutAsJsonAsync(
                $"/api/v1/runs/{Name}/stages/load", new { status = "completed", completed_at = "2026-01-01T01:00:10Z" }, Ct)).Json();
        Assert.Equal(0, stage.GetProperty("warnings").GetArrayLength());
    }
}
