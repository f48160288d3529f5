using System.Net;
using Catalog.Tests.Support;

namespace Catalog.Tests.Checks;

[Trait("Category", "Fast")]
public sealed class CheckResultEndpointsOnSqlite(SqliteTestDatabase database) : CheckResultEndpointTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class CheckResultEndpointsOnPostgres(PostgresTestDatabase database) : CheckResultEndpointTests(database),
    IClassFixture<PostgresTestDatabase>;

public abstract class CheckResultEndpointTests : IDisposable
{
    private const string Path = "/api/v1/checks/results";
    private readonly CatalogApp _app;
    private readonly HttpClient _client;
    private readonly string _pipeline = $"pipeline-{Guid.NewGuid():N}";

    protected CheckResultEndpointTests(TestDatabase database)
    {
        _app = database.SharedService();
        _client = _app.Client();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_result_is_stored_once_and_read_back_as_sent()
    {
        await Register();
        var id = Guid.NewGuid().ToString();
        var body = $$"""
            {"id":"{{id}}","pipeline_id":"{{_pipeline}}","check_id":"c/1","run_id":"r","status":"warn","severity":"warn","dataset":"mart.orders",
             "observed_value": 12345678901234567890.50, "expected": {"max": [1,  2]}, "failed_rows": 3, "total_rows": 9007199254740993,
             "message":"héllo 🎉","executed_at":"2026-01-31T08:00:00.123456789+01:00","duration_seconds":0.25,"metadata":{"b":1,"a":{"c":null} } }
            """;

        var first = await Post(body);
        var repeated = await Post(body);

        Assert.Equal((HttpStatusCode.Created, "stored"), (first.StatusCode, (await first.Json()).GetProperty("outcome").GetString()));
        Assert.Equal((HttpStatusCode.OK, "duplicate"), (repeated.StatusCode, (await repeated.Json()).GetProperty("outcome").GetString()));
        var result = await _client.GetJson($"{Path}/{id}");
        Assert.Equal("12345678901234567890.50", result.GetProperty("observed_value").GetRawText());
        Assert.Equal(12345678901234567890.5, result.GetProperty("observed_number").GetDouble());
        Assert.Equal("""{"max": [1,  2]}""", result.GetProperty("expected").GetRawText());
        Assert.Equal(9007199254740993, result.GetProperty("total_rows").GetInt64());
        Assert.Equal("héllo 🎉", result.GetProperty("message").GetString());
        Assert.Equal("2026-01-31T07:00:00.123456Z", result.GetProperty("executed_at").GetString());
        Assert.Equal("null", result.GetProperty("metadata").GetProperty("a").GetProperty("c").GetRawText());
        Assert.Equal("c/1", result.GetProperty("check_id").GetString());
    }

    [Fact]
    public async Task A_negative_zero_is_zero_as_a_number()
    {
        await Register();
        var id = Guid.NewGuid().ToString();

        await Post($$"""{"id":"{{id}}","pipeline_id":"{{_pipeline}}","check_id":"c","status":"pass","observed_value":-0,"duration_seconds":-0.0}""");

        var result = await _client.GetJson($"{Path}/{id}");
        Assert.Equal(("-0", "0", "0"), (result.GetProperty("observed_value").GetRawText(), result.GetProperty("observed_number")
            .GetRawText(), result.GetProperty("duration_seconds").GetRawText()));
    }

    [Fact]
    public async Task The_same_id_with_other_content_is_409()
    {
        await Register();
        var id = Guid.NewGuid().ToString();
        await _client.PostJson(Path, Result(id, "pass"));

        await (await _client.PostJson(Path, Result(id, "fail"))).Problem(409, "id_taken");
    }

    [Fact]
    public async Task Members_in_another_order_are_the_same_content()
    {
        await Register();
        var id = Guid.NewGuid().ToString();
        await Post($$"""{"id":"{{id}}","pipeline_id":"{{_pipeline}}","check_id":"c","status":"pass"}""");

        var repeated = await Post($$"""{"status":"pass", "check_id":"c", "pipeline_id":"{{_pipeline}}", "id":"{{id}}"}""");

        Assert.Equal(HttpStatusCode.OK, repeated.StatusCode);
    }

    [Fact]
    public async Task Results_posted_while_their_pipeline_is_created_and_deleted_are_201_or_404()
    {
        await Register();
        var body = $$"""{"pipeline_id":"{{_pipeline}}","check_id":"c","status":"pass"}""";

        await Parallel.ForEachAsync(Enumerable.Range(0, 120), new ParallelOptions { MaxDegreeOfParallelism = 12, CancellationToken = Ct },
            async (i, ct) =>
        {
            var status = (int)(i % 6) switch
            {
                0 => (await _client.DeleteAsync($"/api/v1/pipelines/{_pipeline}", ct)).StatusCode,
                1 => (await Register()).StatusCode,
                _ => (await Post(body)).StatusCode,
            };
            Assert.Contains((int)status, new[] { 200, 201, 204, 404 });
        });
    }

    [Theory]
    [InlineData("\"duration_seconds\":1e999", "/duration_seconds")]
    [InlineData("\"duration_seconds\":-1", "/duration_seconds")]
    [InlineData("\"run_id\":\"  \"", "/run_id")]
    [InlineData("\"id\":\"\\n\"", "/id")]
    public async Task Values_that_cannot_be_read_back_are_422(string field, string pointer)
    {
        var problem = await (await Post($$"""{"pipeline_id":"p","check_id":"c","status":"pass",{{field}}}""")).Problem(422, "invalid");

        Assert.Equal(pointer, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task Values_are_limited_to_64_KiB_and_keys_to_256_characters()
    {
        await Register();
        string Body(string check, int size) =>
            $$"""{"pipeline_id":"{{_pipeline}}","check_id":"{{check}}","status":"pass","observed_value":"{{new string('x', size - 2)}}"}""";

        Assert.Equal(HttpStatusCode.Created, (await Post(Body("c", 64 * 1024))).StatusCode);
        await (await Post(Body("c", (64 * 1024) + 1))).Problem(422, "invalid");
        Assert.Equal(HttpStatusCode.Created, (await Post(Body(new string('界', 256), 10))).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await Post(Body(string.Concat(Enumerable.Repeat("🎉", 192)), 10))).StatusCode);
        await (await Post(Body(new string('x', 257), 10))).Problem(422, "invalid");
        await (await Post(Body(string.Concat(Enumerable.Repeat("🎉", 193)), 10))).Problem(422, "invalid");
    }

    [Fact]
    public async Task A_result_of_the_future_is_refused_and_hides_no_later_result()
    {
        await Register();
        string Body(string status, DateTimeOffset at) =>
            $$"""{"pipeline_id":"{{_pipeline}}","check_id":"c","status":"{{status}}","executed_at":"{{at:O}}"}""";
        var now = DateTimeOffset.UtcNow;

        var problem = await (await Post(Body("pass", now.AddHours(25)))).Problem(422, "invalid");
        var bulk = await Post($"[{Body("pass", now.AddHours(23))},{Body("fail", now.AddYears(70))}]");

        Assert.Contains("24 hours ahead", problem.GetProperty("errors").GetProperty("/executed_at")[0].GetString(),
            StringComparison.Ordinal);
        Assert.Equal(207, (int)bulk.StatusCode);
        Assert.Equal(["stored", "rejected"], (await bulk.Json()).GetProperty("items").EnumerateArray()
            .Select(item => item.GetProperty("outcome").GetString()));
    }

    [Fact]
    public async Task Filters_select_results()
    {
        await Register();
        await Post($$"""
            [{"id":"{{_pipeline}}-a","pipeline_id":"{{_pipeline}}","check_id":"c1","status":"pass","dataset":"d1","executed_at":"2026-01-01T00:00:00Z"},
             {"id":"{{_pipeline}}-b","pipeline_id":"{{_pipeline}}","check_id":"c2","status":"fail","severity":"warn","run_id":"r1","executed_at":"2026-01-02T00:00:00Z"},
             {"id":"{{_pipeline}}-c","pipeline_id":"{{_pipeline}}","check_id":"c1","status":"error","executed_at":"2026-01-03T00:00:00Z"}]
            """);

        async Task<string> Of(string filter) => string.Concat((await _client.GetJson($"{Path}?pipeline_id={_pipeline}&{filter}"))
            .GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()![^1]));

        Assert.Equal("cba", await Of(""));
        Assert.Equal("ca", await Of("check_id=c1"));
        Assert.Equal("a", await Of("dataset=d1"));
        Assert.Equal("b", await Of("run_id=r1"));
        Assert.Equal("b", await Of("status=fail"));
        Assert.Equal("b", await Of("severity=warn"));
        Assert.Equal("cb", await Of("since=2026-01-02T00:00:00Z"));
        Assert.Equal("a", await Of("until=2026-01-02"));
        await (await _client.GetAsync($"{Path}?status=bad", Ct)).Problem(422, "invalid");
        await (await _client.GetAsync($"{Path}?check_id=a%00b", Ct)).Problem(422, "invalid");
    }

    [Fact]
    public async Task The_failed_check_is_named_in_the_run()
    {
        await Register();
        await _client.PostJson("/api/v1/runs/", new { id = _pipeline, pipeline_id = _pipeline, status = "completed" });

        await _client.PostJson(Path, new { pipeline_id = _pipeline, check_id = "rows_exist", run_id = _pipeline, status = "fail" });

        var run = await _client.GetJson($"/api/v1/runs/{_pipeline}");
        Assert.Equal("failed", run.GetProperty("status").GetString());
        Assert.Contains("rows_exist", run.GetProperty("error_message").GetString());
        Assert.Equal("""{"pass":0,"warn":0,"fail":1,"error":0}""", run.GetProperty("checks").GetRawText());
    }

    [Fact]
    public async Task A_single_result_is_refused_as_a_whole()
    {
        await Register();
        await (await _client.PostJson(Path, new { pipeline_id = "nobody", check_id = "c", status = "pass" }))
            .Problem(404, "pipeline_not_found");
        var problem = await (await _client.PostJson(Path, new { pipeline_id = _pipeline, status = "pass", failed_rows = -1 }))
            .Problem(422, "invalid");
        Assert.Equal(["/check_id", "/failed_rows"], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name).Order());
        await (await Post("""{"results":[],"extra":1}""")).Problem(422, "invalid");
        await (await Post("""{"results":{}}""")).Problem(422, "invalid");
        await (await Post("""{"results":[],"results":[]}""")).Problem(422, "invalid");
        await (await _client.GetAsync($"{Path}/nobody", Ct)).Problem(404, "not_found");
    }

    [Fact]
    public async Task The_deepest_accepted_value_can_be_read()
    {
        await Register();
        var deep = new string('[', 62) + new string(']', 62);
        var id = Guid.NewGuid().ToString();

        var answer = await Post(
            $$"""{"id":"{{id}}","pipeline_id":"{{_pipeline}}","check_id":"deep","status":"pass","observed_value":{{deep}}}""");

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var list = await _client.GetAsync($"{Path}?pipeline_id={_pipeline}", Ct);
        Assert.Contains(deep, await list.Content.ReadAsStringAsync(Ct));
        await (await Post($$"""{"pipeline_id":"{{_pipeline}}","check_id":"deep","status":"pass","observed_value":[[{{deep}}]]}"""))
            .Problem(400, "malformed");
    }

    private object Result(string id, string status) => new { id, pipeline_id = _pipeline, check_id = "c", status };

    private async Task<HttpResponseMessage> Post(string body)
    {
        using var content = new StringContent(body, null, "application/json");
        return await _client.PostAsync(Path, content, Ct);
    }

    private Task<HttpResponseMessage> Register() => _client.PostJson("/api/v1/pipelines/", new { name = _pipeline });

    public void Dispose()
    {
        _client.Dispose();
        GC.SuppressFinalize(this);
    }
}
