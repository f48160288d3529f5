using System.Text.Json;
using Catalog.Data.Checks;
using Catalog.Tests.Support;

namespace Catalog.Tests.Checks;

[Trait("Category", "Fast")]
public sealed class CheckStatusChangesOnSqlite(SqliteTestDatabase database)
    : CheckStatusChangesTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class CheckStatusChangesOnPostgres(PostgresTestDatabase database)
    : CheckStatusChangesTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Checks whose status changes often, and since when a check fails.</summary>
public abstract class CheckStatusChangesTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task A_check_flaps_when_its_last_results_change_often()
    {
        using var client = await App.Organization(Name);
        await Post(client, "p", "steady", "ffffffff");
        await Post(client, "p", "flaps", "pfpfpp");
        await Post(client, "q", "flaps", "pwep");
        await Post(client, "q", "flapped", "pfpfpffffff");
        await Post(client, "q", "single", "f");

        Assert.Equal(["p/flaps 4", "q/flapped 5", "q/flaps 3"], await Flapping(client, ""));
        Assert.Equal(["p/flaps 4", "q/flapped 5", "q/flaps 3"], await Flapping(client, "", limit: 1));
        Assert.Equal(["p/flaps 4", "q/flapped 5"], await Flapping(client, "&min_changes=4"));
        Assert.Equal(["p/flaps 4", "q/flaps 3"], await Flapping(client, "&window=6"));
        Assert.Equal(["q/flapped 5", "q/flaps 3"], await Flapping(client, "&pipeline_id=q"));
        var item = (await client.GetJson("/api/v1/checks/flapping?pipeline_id=p")).GetProperty("items")[0];
        Assert.Equal("pass pass fail pass fail pass", string.Join(' ', item.GetProperty("statuses").EnumerateArray().Select(status =>
            status.GetString())));
        Assert.Equal("2026-01-31T05:00:00.000000Z", item.GetProperty("executed_at").GetString());
        foreach (var query in new[] { "window=1", "window=101", "min_changes=0", "cursor=x", "status=fail" })
        {
            await (await client.GetAsync($"/api/v1/checks/flapping?{query}", Ct)).Problem(422, "invalid");
        }
    }

    [Fact]
    public async Task A_thousand_checks_are_examined_for_each_page()
    {
        using var client = await App.Organization(Name);
        await client.PostJson("/api/v1/pipelines/", new { name = "p" });
        foreach (var chunk in Enumerable.Range(0, CheckStatusChanges.MaxExamined + 1).Chunk(1000))
        {
            await client.PostJson(
                "/api/v1/checks/results", chunk.Select(i => new { pipeline_id = "p", check_id = $"c{i:0000}", status = "pass" }));
        }

        await Post(client, "p", "c0000", "pf");
        await Post(client, "p", $"c{CheckStatusChanges.MaxExamined:0000}", "pf");
        var changes = new CheckStatusChanges(Database.Database);

        var first = await changes.Flapping(Name, null, 2, 1, null, 50, Ct);
        var second = await changes.Flapping(Name, null, 2, 1, first.Next, 50, Ct);

        Assert.Equal("c0000", Assert.Single(first.Items).CheckId);
        Assert.Equal($"c{CheckStatusChanges.MaxExamined:0000}", Assert.Single(second.Items).CheckId);
        Assert.Null(second.Next);
    }

    [Fact]
    public async Task The_history_says_since_when_a_check_fails()
    {
        using var client = await App.Organization(Name);
        await Post(client, "p", "c", "pfppfff");

        var history = await client.GetJson("/api/v1/checks/c/history?pipeline_id=p&limit=1");
        Assert.Equal(("2026-01-31T04:00:00.000000Z", 3, 3, 3d / 7), (history.GetProperty("failing_since").GetString(),
            history.GetProperty("failing_results").GetInt32(), history.GetProperty("changes").GetInt32(),
            history.GetProperty("pass_rate").GetDouble()));

        history = await client.GetJson("/api/v1/checks/c/history?pipeline_id=p&until=2026-01-31T04:00:00Z");
        Assert.Equal((JsonValueKind.Null, 0, 2), (history.GetProperty("failing_since").ValueKind,
            history.GetProperty("failing_results").GetInt32(), history.GetProperty("changes").GetInt32()));
    }

    // Posts one result for each hour. The letters p, w, f and e stand for pass, warn, fail and error.
    private static async Task Post(HttpClient client, string pipeline, string check, string statuses)
    {
        await client.PostJson("/api/v1/pipelines/", new { name = pipeline });
        var answer = await client.PostJson("/api/v1/checks/results", statuses.Select((status, hour) => new
        {
            pipeline_id = pipeline,
            check_id = check,
            status = status switch { 'p' => "pass", 'w' => "warn", 'f' => "fail", _ => "error" },
            executed_at = statuses.Length > 2 ? $"2026-01-31T{hour:00}:00:00Z" : $"2026-02-28T{hour:00}:00:00Z",
        }));
        Assert.Equal(201, (int)answer.StatusCode);
    }

    private static async Task<List<string>> Flapping(HttpClient client, string query, int limit = 50)
    {
        List<string> found = [];
        string? cursor = null;
        do
        {
            var page = await client.GetJson($"/api/v1/checks/flapping?limit={limit}{query}{(cursor is null ? "" : $"&cursor={cursor}")}");
            string Text(JsonElement item) => $"{item.GetProperty("pipeline_id").GetString()}/{item.GetProperty("check_id").GetString()}";
            found.AddRange(page.GetProperty("items").EnumerateArray().Select(item =>
                $"{Text(item)} {item.GetProperty("changes").GetInt32()}"));
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        return found;
    }
}
