using System.Net;
using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Checks;

[Trait("Category", "Fast")]
public sealed class CheckEndpointsOnSqlite(SqliteTestDatabase database) : CheckEndpointTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class CheckEndpointsOnPostgres(PostgresTestDatabase database) : CheckEndpointTests(database),
    IClassFixture<PostgresTestDatabase>;

public abstract class CheckEndpointTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Path = "/api/v1/checks/";

    [Fact]
    public async Task A_definition_is_created_read_replaced_and_deleted()
    {
        var body = $$"""{"id":"{{Name}}","dataset":"mart.orders","connection_id":"pg","kind":"row_count","params":{"where": "a > 1"},"columns":["a","b"],"fail":{"below":1},"warn":10,"schedule":"0 6 * * *"}""";

        var created = await Send(HttpMethod.Post, Path, body);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Send(HttpMethod.Post, Path, body)).StatusCode);
        await (await Send(HttpMethod.Post, Path, body.Replace("row_count", "other_kind"))).Problem(409, "id_taken");
        var read = await Client.GetJson(created.Headers.Location!.OriginalString);
        Assert.Equal(("error", "10", """{"where": "a > 1"}"""),
            (read.GetProperty("severity").GetString(), read.GetProperty("warn").GetRawText(), read.GetProperty("params").GetRawText()));
        Assert.Equal(JsonValueKind.Null, read.GetProperty("pipeline_id").ValueKind);

        var replaced = await Send(HttpMethod.Put, Path + Name, """{"kind":"not_null","column":"id","severity":"warn"}""");
        Assert.Equal(HttpStatusCode.OK, replaced.StatusCode);
        read = await Client.GetJson(Path + Name);
        Assert.Equal(("not_null", "warn", JsonValueKind.Null),
            (read.GetProperty("kind").GetString(), read.GetProperty("severity").GetString(), read.GetProperty("dataset").ValueKind));

        Assert.Equal(HttpStatusCode.NoContent, (await Send(HttpMethod.Delete, Path + Name)).StatusCode);
        await (await Send(HttpMethod.Delete, Path + Name)).Problem(404, "not_found");
        await (await Send(HttpMethod.Put, Path + Name, """{"kind":"x"}""")).Problem(404, "not_found");
        await (await Send(HttpMethod.Get, Path + Name)).Problem(404, "not_found");
    }

    [Theory]
    [InlineData("""{"id":"x","dataset":"d","connection_id":"c","kind":"range","column":"a","params":{"mim":1,"max":2}}""", "/params/mim")]
    [InlineData("""{"id":"x","dataset":"d","connection_id":"c","kind":"not_null"}""", "/column")]
    [InlineData("""{"id":"x","dataset":"d","connection_id":"c","kind":"avg","column":"a","fail":{"larger":1}}""", "/fail")]
    [InlineData("""{"id":"x","dataset":"d","connection_id":"c","kind":"row_cuont"}""", "/kind")]
    [InlineData("""{"id":"x","connection_id":"c","kind":"sql_rows","sql":"checks/orders.sql"}""", "/sql")]
    [InlineData("""{"id":"x","connection_id":"c","sql":"checks/orders.sql"}""", "/sql")]
    [InlineData("""{"id":"x","kind":"k","schedule":"@daily","schedule_time_zone":"Europe/Nowhere"}""", "/schedule_time_zone")]
    public async Task A_definition_that_the_Catalog_would_run_must_be_one_that_it_can_run(string body, string pointer)
    {
        var problem = await (await Send(HttpMethod.Post, Path, body)).Problem(422, "invalid");
        Assert.Equal(pointer, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Theory]
    [InlineData("""{"id":"ID","dataset":"d","kind":"range","column":"a","params":{"mim":1}}""")]
    [InlineData("""{"id":"ID","dataset":"d","kind":"row_cuont"}""")]
    [InlineData("""{"id":"ID","connection_id":"c","kind":"sql_value","sql":"values(1)","fail":1}""")]
    [InlineData("""{"id":"ID","dataset":"d","connection_id":"c","kind":"kind_of_another_tool","params":{"mim":1}}""")]
    public async Task Other_definitions_are_stored_as_they_are(string body)
    {
        var id = $"{Name}-{Guid.NewGuid():N}";
        var zone = body.Replace("{\"id\":\"ID\"", $"{{\"id\":\"{id}\",\"schedule_time_zone\":\"Europe/Berlin\"", StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Created, (await Send(HttpMethod.Post, Path, zone)).StatusCode);
        Assert.Equal("Europe/Berlin", (await Client.GetJson(Path + id)).GetProperty("schedule_time_zone").GetString());
    }

    [Fact]
    public async Task A_check_shows_its_latest_result_and_is_listed_by_its_status()
    {
        var checks = new[] { "late", "early", "silent" }.Select(id => new { id = $"{Name}-{id}", sql = "select 1" });
        await Client.PostJson("/api/v1/pipelines/", new { name = Name, checks });
        async Task Post(string check, string status, string at, double? value = null) =>
            Assert.Equal(HttpStatusCode.Created, (await Client.PostJson("/api/v1/checks/results", new
            {
                id = $"{Name}-{check}-{at}",
                pipeline_id = Name,
                check_id = $"{Name}-{check}",
                run_id = $"{Name}-run",
                status,
                severity = "warn",
                executed_at = at,
                observed_value = value,
            })).StatusCode);
        await Post("late", "pass", "2026-02-01T00:00:00Z");
        await Post("late", "fail", "2026-02-02T00:00:00Z", 4.5);
        await Post("early", "pass", "2026-02-02T00:00:00Z");
        await Post("early", "fail", "2026-02-01T00:00:00Z");

        var late = await Client.GetJson($"{Path}{Name}-late");
        Assert.Equal(
            $$"""{"status":"fail","executed_at":"2026-02-02T00:00:00.000000Z","result_id":"{{Name}}-late-2026-02-02T00:00:00Z","run_id":"{{Name}}-run","observed_number":4.5}""",
            late.GetProperty("last_result").GetRawText());
        Assert.Equal(JsonValueKind.Null, (await Client.GetJson($"{Path}{Name}-silent")).GetProperty("last_result").ValueKind);
        async Task<string> Ids(string query) => string.Join(' ', (await Client.GetJson($"{Path}?pipeline_id={Name}&{query}"))
            .GetProperty("items").EnumerateArray().Select(item => $"{item.GetProperty("id").GetString()![(Name.Length + 1)..]}"
                + $"={(item.GetProperty("last_result") is { ValueKind: JsonValueKind.Object } last ? last.GetProperty("status") : "none")}")
            .Order(StringComparer.Ordinal));
        Assert.Equal("early=pass late=fail silent=none", await Ids(""));
        Assert.Equal("late=fail", await Ids("status=failed"));
        Assert.Equal("early=pass", await Ids("status=pass"));
        Assert.Equal("", await Ids("status=error"));
        await (await Send(HttpMethod.Get, Path + "?status=red")).Problem(422, "invalid");

        var page = await Client.GetJson($"{Path}?pipeline_id={Name}&limit=2");
        var rest = await Client.GetJson($"{Path}?pipeline_id={Name}&limit=2&cursor={page.GetProperty("next_cursor").GetString()}");
        Assert.Equal((2, 1), (page.GetProperty("items").GetArrayLength(), rest.GetProperty("items").GetArrayLength()));
    }

    // An update replaces the definition only. So an update with an earlier ETag is accepted when only a result has
    // arrived since then.
    [Fact]
    public async Task A_result_changes_the_ETag_of_its_check_and_refuses_no_update()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name, checks = new[] { new { id = Name, sql = "select 1" } } });
        async Task<string> Tag() => (await Send(HttpMethod.Get, Path + Name)).Headers.ETag!.ToString();
        var before = await Tag();
        await Client.PostJson("/api/v1/checks/results", new { pipeline_id = Name, check_id = Name, status = "pass" });

        Assert.NotEqual(before, await Tag());
        Assert.Equal(HttpStatusCode.OK, (await Send(HttpMethod.Get, Path + Name, null, ("If-None-Match", before))).StatusCode);
        var unchanged = await Send(HttpMethod.Get, Path + Name, null, ("If-None-Match", await Tag()));
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        var replaced = await Send(HttpMethod.Put, Path + Name, """{"kind":"row_count"}""", ("If-Match", before));
        Assert.Equal(HttpStatusCode.OK, replaced.StatusCode);
        Assert.Equal("pass", (await replaced.Json()).GetProperty("last_result").GetProperty("status").GetString());
        var stale = await Send(HttpMethod.Put, Path + Name, """{"kind":"freshness"}""", ("If-Match", before));
        await stale.Problem(412, "precondition_failed");
        await (await Send(HttpMethod.Delete, Path + Name, null, ("If-Match", before))).Problem(412, "precondition_failed");
        Assert.Equal(HttpStatusCode.NoContent, (await Send(HttpMethod.Delete, Path + Name, null, ("If-Match", await Tag()))).StatusCode);
    }

    [Fact]
    public async Task An_id_in_several_pipelines_is_ambiguous_without_a_pipeline_id()
    {
        foreach (var pipeline in new[] { Name + "-a", Name + "-b" })
        {
            await Client.PostJson(
                "/api/v1/pipelines/", new { name = pipeline, checks = new[] { new { id = Name, sql = pipeline, x_kept = 1 } } });
        }

        await Client.PostJson(Path, new { id = Name, kind = "row_count" });

        foreach (var (method, path, body) in new[] { (HttpMethod.Get, "", null), (HttpMethod.Get, "/history", null),
            (HttpMethod.Put, "", """{"kind":"x"}"""), (HttpMethod.Delete, "", null) })
        {
            await (await Send(method, Path + Name + path, body)).Problem(409, "check_ambiguous");
        }

        var found = await Client.GetJson($"{Path}{Name}?pipeline_id={Name}-a");
        Assert.Equal((Name + "-a", $"\"{Name}-a\""), (found.GetProperty("pipeline_id").GetString(), found.GetProperty("sql").GetRawText()));
        Assert.NotNull(found.GetProperty("pipeline_version").GetString());
        Assert.Equal("row_count", (await Client.GetJson($"{Path}{Name}?pipeline_id=")).GetProperty("kind").GetString());
        await (await Send(HttpMethod.Get, $"{Path}{Name}?pipeline_id=nobody")).Problem(404, "not_found");
    }

    [Fact]
    public async Task Checks_of_a_pipeline_follow_its_version_and_client_checks_stay()
    {
        await Client.PostJson(
            "/api/v1/pipelines/", new { name = Name, version = "1", checks = new[] { new { id = "a" }, new { id = "b" } } });
        await Client.PostJson(Path, new { id = "own", pipeline_id = Name, kind = "row_count" });
        await Client.PostJson(
            "/api/v1/pipelines/", new { name = Name, version = "2", checks = new[] { new { id = "b" }, new { id = "c" } } });
        Assert.Equal(["b", "c", "own"], await Ids($"pipeline_id={Name}"));

        await Client.PostJson(
            "/api/v1/pipelines/", new { name = Name, version = "1", checks = new[] { new { id = "a" }, new { id = "b" } } });
        Assert.Equal(["a", "b", "own"], await Ids($"pipeline_id={Name}"));

        await Send(HttpMethod.Delete, $"/api/v1/pipelines/{Name}");
        Assert.Equal(["own"], await Ids($"pipeline_id={Name}"));
    }

    [Fact]
    public async Task A_list_pages_through_checks_with_equal_time_and_id()
    {
        // All checks have the same time and id; only the pipeline differs.
        var pipelines = Enumerable.Range(0, 7)
            .Select(i => new { name = $"{Name}-{i}", checks = new[] { new { id = "same", dataset = Name } } });
        await Client.PostJson("/api/v1/pipelines/", pipelines);

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await Client.GetJson($"{Path}?dataset={Name}&limit=2" + (cursor is null ? "" : $"&cursor={cursor}"));
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("pipeline_id").GetString()!));
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);

        Assert.Equal(Enumerable.Range(0, 7).Reverse().Select(i => $"{Name}-{i}"), seen);
    }

    [Fact]
    public async Task History_contains_the_measured_numbers_and_the_pass_rate()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name, checks = new[] { new { id = "rows" } } });
        foreach (var (status, value, day) in new[] { ("pass", 10.5, 1), ("fail", 0, 2), ("pass", 12, 3), ("warn", 3, 4), ("error", -1, 5) })
        {
            await Client.PostJson("/api/v1/checks/results",
                new { pipeline_id = Name, check_id = "rows", status, observed_value = value, executed_at = $"2026-01-0{day}T00:00:00Z" });
        }

        var history = await Client.GetJson($"{Path}rows/history?pipeline_id={Name}");
        Assert.Equal(0.5, history.GetProperty("pass_rate").GetDouble());
        Assert.Equal("""{"pass":2,"warn":1,"fail":1,"error":1}""", history.GetProperty("counts").GetRawText());
        Assert.Equal([-1, 3, 12, 0, 10.5], history.GetProperty("items").EnumerateArray()
            .Select(item => item.GetProperty("observed_number").GetDouble()));
        var window = await Client.GetJson(
            $"{Path}rows/history?pipeline_id={Name}&since=2026-01-02T00:00:00Z&until=2026-01-04T00:00:00Z&limit=1");
        Assert.Equal((0.5, 1), (window.GetProperty("pass_rate").GetDouble(), window.GetProperty("items").GetArrayLength()));
        Assert.NotNull(window.GetProperty("next_cursor").GetString());
        await (await Send(HttpMethod.Get, $"{Path}nobody/history?pipeline_id={Name}")).Problem(404, "not_found");
        await (await Send(HttpMethod.Get, $"{Path}nobody/history")).Problem(404, "not_found");
    }

    [Fact]
    public async Task A_check_without_results_has_no_pass_rate()
    {
        await Client.PostJson(Path, new { id = Name, kind = "row_count" });

        Assert.Equal(JsonValueKind.Null, (await Client.GetJson($"{Path}{Name}/history")).GetProperty("pass_rate").ValueKind);
    }

    [Theory]
    [InlineData("""{"kind":"x"}""", "/id")]
    [InlineData("""{"id":"results","kind":"x"}""", "/id")]
    [InlineData("""{"id":"a"}""", "/kind")]
    [InlineData("""{"id":"a","kind":"x","severity":"loud"}""", "/severity")]
    [InlineData("""{"id":"a","kind":"x","warn":"5"}""", "/warn")]
    [InlineData("""{"id":"a","kind":"x","columns":["a",null]}""", "/columns/1")]
    [InlineData("""{"id":"a","kind":"x","schedule":"daily"}""", "/schedule")]
    [InlineData("""{"id":"a","kind":"x","threshold":1}""", "/threshold")]
    public async Task Invalid_definitions_are_422_with_a_pointer(string body, string pointer)
    {
        var problem = await (await Send(HttpMethod.Post, Path, body)).Problem(422, "invalid");

        Assert.Equal(pointer, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task A_definition_of_an_unknown_pipeline_is_404() =>
        await (await Send(HttpMethod.Post, Path, """{"id":"a","pipeline_id":"nobody","kind":"x"}""")).Problem(404, "pipeline_not_found");

    private async Task<List<string>> Ids(string filter) =>
        [.. (await Client.GetJson($"{Path}?{filter}")).GetProperty("items").EnumerateArray()
            .Select(item => item.GetProperty("id").GetString()!).Order(StringComparer.Ordinal)];
}
