using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Checks;

[Trait("Category", "Fast")]
public sealed class CheckStateListsOnSqlite(SqliteTestDatabase database) : CheckStateListTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class CheckStateListsOnPostgres(PostgresTestDatabase database) : CheckStateListTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>What the checks found last, and what they found in one run.</summary>
public abstract class CheckStateListTests(TestDatabase database) : EndpointTestBase(database), IAsyncLifetime
{
    private int _posted;
    private HttpClient? _client;

    public async ValueTask InitializeAsync()
    {
        _client = await App.Organization(Name);
        foreach (var pipeline in new[] { "p", "q" })
        {
            await _client.PostJson("/api/v1/pipelines/", new { name = pipeline });
        }
    }

    public ValueTask DisposeAsync()
    {
        _client?.Dispose();
        Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_latest_results_are_listed_worst_first_page_by_page()
    {
        await Post("p", "b", "pass", 1);
        await Post("p", "b", "fail", 2, message: "empty");
        await Post("q", "a", "fail", 1, severity: "warn");
        await Post("q", "c", "fail", 1);
        await Post("q", "c", "pass", 2);
        await Post("p", "z", "error", 1);
        await Post("p", "w", "warn", 1);

        string[] expected = ["p/b fail", "q/a fail", "p/z error", "p/w warn", "q/c pass"];
        foreach (var limit in new[] { 1, 2, 50 })
        {
            Assert.Equal(expected, await States("", limit));
        }

        Assert.Equal(expected[..3], await States("status=fail,ERROR", 2));
        Assert.Equal(["q/a fail"], await States("status=failed&severity=warn"));
        Assert.Equal(["p/b fail", "p/z error", "p/w warn"], await States("pipeline_id=p", 1));
        Assert.Empty(await States("pipeline_id="));
        var first = (await _client!.GetJson("/api/v1/checks/states?status=fail&count=true")).GetProperty("items")[0];
        Assert.Equal(("empty", "p/b/2", "r", "mart.b"),
            (first.GetProperty("message").GetString(), first.GetProperty("result_id").GetString(),
            first.GetProperty("run_id").GetString(), first.GetProperty("dataset").GetString()));
        Assert.Equal(42, first.GetProperty("observed_value").GetInt32());
    }

    [Theory]
    [InlineData("status=broken", "status")]
    [InlineData("status=fail,", "status")]
    [InlineData("severity=high", "severity")]
    [InlineData("count=yes", "count")]
    [InlineData("cursor=x", "cursor")]
    public async Task Invalid_filters_are_refused(string query, string parameter)
    {
        var problem = await (await _client!.GetAsync($"/api/v1/checks/states?{query}", Ct)).Problem(422, "invalid");

        Assert.Equal(parameter, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task The_results_of_a_run_are_listed_worst_first_then_latest_first()
    {
        await Post("p", "a", "pass", 1);
        await Post("p", "b", "fail", 2, severity: "warn");
        await Post("p", "c", "fail", 1);
        await Post("p", "d", "fail", 3);
        await Post("p", "e", "error", 9);
        await Post("p", "f", "warn", 1);
        await Post("p", "g", "pass", 5);
        await Post("p", "other", "fail", 5, run: "r2");

        string[] expected = ["d", "c", "b", "e", "f", "g", "a"];
        foreach (var limit in new[] { 1, 2, 50 })
        {
            Assert.Equal(
                expected, (await Pages("/api/v1/runs/r/results?", limit)).Select(item => item.GetProperty("check_id").GetString()));
        }

        await (await _client!.GetAsync("/api/v1/runs/unknown/results", Ct)).Problem(404, "not_found");
    }

    [Theory]
    [InlineData("results")]
    [InlineData("states")]
    [InlineData("flapping")]
    public async Task A_path_of_the_API_is_no_id_of_a_check(string id)
    {
        var answer = await _client!.PostJson("/api/v1/checks/", new { id, kind = "row_count" });

        await answer.Problem(422, "invalid");
    }

    [Fact]
    public async Task Other_methods_on_states_are_405() => await (await _client!.DeleteAsync("/api/v1/checks/states", Ct))
        .Problem(405, "method_not_allowed");

    private async Task Post(string pipeline, string check, string status, int hour, string severity = "error", string? message = null,
        string run = "r")
    {
        var answer = await _client!.PostJson("/api/v1/checks/results", new
        {
            id = $"{pipeline}/{check}/{++_posted}",
            pipeline_id = pipeline,
            check_id = check,
            run_id = pipeline == "p" ? run : null,
            status,
            severity,
            dataset = $"mart.{check}",
            message,
            observed_value = 42,
            executed_at = $"2026-01-31T{hour:00}:00:00Z",
        });
        Assert.Equal(201, (int)answer.StatusCode);
    }

    private async Task<List<string>> States(string query, int limit = 50) =>
        [.. (await Pages($"/api/v1/checks/states?{query}&".Replace("?&", "?", StringComparison.Ordinal), limit)).Select(item =>
            $"{item.GetProperty("pipeline_id").GetString()}/{item.GetProperty("check_id").GetString()} "
                + item.GetProperty("status").GetString())];

    private async Task<List<JsonElement>> Pages(string path, int limit)
    {
        var items = new List<JsonElement>();
        string? cursor = null;
        do
        {
            var page = await _client!.GetJson($"{path}limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}");
            items.AddRange(page.GetProperty("items").EnumerateArray());
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        return items;
    }
}
