using System.Net;
using Catalog.Tests.Support;

namespace Catalog.Tests.Checks;

[Trait("Category", "Fast")]
public sealed class BulkResultsOnSqlite(SqliteTestDatabase database) : BulkResultTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class BulkResultsOnPostgres(PostgresTestDatabase database) : BulkResultTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Bulk posts of results: each item is accepted or rejected on its own.</summary>
public abstract class BulkResultTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Path = "/api/v1/checks/results";

    [Fact]
    public async Task Bad_items_of_a_bulk_post_are_rejected_alone()
    {
        await Register();
        await Client.PostJson("/api/v1/pipelines/", new { name = Name + "-other" });
        await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name + "-other", status = "running" });
        var known = $"{Name}-known";
        await Client.PostJson(Path, Result(known, "pass"));

        var answer = await Post($$"""
            {"results":[
              {"id":"{{Name}}-0","pipeline_id":"{{Name}}","check_id":"c","status":"pass"},
              {"id":"{{Name}}-1","pipeline_id":"nobody","check_id":"c","status":"pass"},
              {"id":"{{Name}}-2","pipeline_id":"{{Name}}","check_id":"c","status":"perhaps"},
              17,
              {"id":"{{known}}","pipeline_id":"{{Name}}","check_id":"c","status":"pass"},
              {"id":"{{Name}}-0","pipeline_id":"{{Name}}","check_id":"c","status":"pass"},
              {"id":"{{Name}}-0","pipeline_id":"{{Name}}","check_id":"c","status":"fail"},
              {"id":"{{Name}}-7","pipeline_id":"{{Name}}","check_id":"c","status":"pass","run_id":"{{Name}}"},
              {"pipeline_id":"{{Name}}","check_id":"c","status":"pass"}
            ]}
            """);

        Assert.Equal(207, (int)answer.StatusCode);
        var items = (await answer.Json()).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(
            ["stored", "rejected", "rejected", "rejected", "duplicate", "duplicate", "rejected", "rejected", "stored"],
            items.Select(item => item.GetProperty("outcome").GetString()));
        Assert.Equal(Enumerable.Range(0, 9), items.Select(item => item.GetProperty("index").GetInt32()));
        Assert.Contains("nobody", items[1].GetProperty("reason").GetString());
        Assert.Contains("/status must be one of", items[2].GetProperty("reason").GetString());
        Assert.True(Guid.TryParse(items[8].GetProperty("id").GetString(), out _));
        Assert.Equal(3, (await Client.GetJson($"{Path}?pipeline_id={Name}")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task The_second_item_with_an_id_is_stored_if_the_first_is_rejected()
    {
        await Register();
        await Client.PostJson("/api/v1/pipelines/", new { name = Name + "-other" });
        await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name + "-other", status = "running" });
        foreach (var (refused, i) in new[] { "\"pipeline_id\":\"nobody\"", $"\"pipeline_id\":\"{Name}\",\"run_id\":\"{Name}\"" }.Select(
            (text, i) => (text, i)))
        {
            var answer = await Post($$"""
                [{"id":"{{Name}}-{{i}}","check_id":"c","status":"pass",{{refused}}},
                 {"id":"{{Name}}-{{i}}","check_id":"c","status":"pass","pipeline_id":"{{Name}}"},
                 {"id":"{{Name}}-e{{i}}","check_id":"c","status":"pass","pipeline_id":"{{Name}}"}]
                """);

            Assert.Equal(207, (int)answer.StatusCode);
            Assert.Equal(["rejected", "stored", "stored"], (await answer.Json()).GetProperty("items").EnumerateArray()
                .Select(item => item.GetProperty("outcome").GetString()));
        }
    }

    [Fact]
    public async Task A_run_named_by_failed_checks_of_two_pipelines_belongs_to_the_first()
    {
        await Register();
        await Client.PostJson("/api/v1/pipelines/", new { name = Name + "-other" });
        var bulk = await Post($$"""
            [{"pipeline_id":"{{Name}}","check_id":"c","status":"fail","run_id":"{{Name}}-r"},
             {"pipeline_id":"{{Name}}-other","check_id":"a","status":"fail","run_id":"{{Name}}-r"}]
            """);
        Assert.Equal(["stored", "rejected"], (await bulk.Json()).GetProperty("items").EnumerateArray()
            .Select(item => item.GetProperty("outcome").GetString()));
        Assert.Equal(1, (await Client.GetJson($"/api/v1/runs/{Name}-r")).GetProperty("checks").GetProperty("fail").GetInt64());

        for (var i = 0; i < 10; i++)
        {
            var run = $"{Name}-{i}";
            var answers = await Task.WhenAll(new[] { "", "-other", "", "-other" }.Select((suffix, n) => Post(
                $$"""{"pipeline_id":"{{Name}}{{suffix}}","check_id":"c{{n}}","status":"fail","run_id":"{{run}}"}""")));

            Assert.Equal([201, 201, 409, 409], answers.Select(answer => (int)answer.StatusCode).Order());
            Assert.Equal(2, (await Client.GetJson($"/api/v1/runs/{run}")).GetProperty("checks").GetProperty("fail").GetInt64());
        }
    }

    [Fact]
    public async Task A_thousand_results_are_accepted_and_one_more_is_413()
    {
        await Register();
        var thousand = Enumerable.Range(0, 1000).Select(i => Result($"{Name}-{i:0000}", "pass")).ToList();

        Assert.Equal(HttpStatusCode.Created, (await Client.PostJson(Path, thousand)).StatusCode);
        await (await Client.PostJson(Path, thousand.Append(Result($"{Name}-x", "pass")))).Problem(413, "too_large");

        var seen = new HashSet<string>();
        string? cursor = null;
        do
        {
            var page = await Client.GetJson($"{Path}?limit=499&pipeline_id={Name}" + (cursor is null ? "" : $"&cursor={cursor}"));
            Assert.All(page.GetProperty("items").EnumerateArray(), item => Assert.True(seen.Add(item.GetProperty("id").GetString()!)));
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        Assert.Equal(1000, seen.Count);
    }

    private object Result(string id, string status) => new { id, pipeline_id = Name, check_id = "c", status };

    private Task<HttpResponseMessage> Post(string body) => Send(HttpMethod.Post, Path, body);

    private Task<HttpResponseMessage> Register() => Client.PostJson("/api/v1/pipelines/", new { name = Name });
}
