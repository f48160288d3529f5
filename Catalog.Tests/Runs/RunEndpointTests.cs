using System.Net;
using System.Net.Http.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Runs;

[Trait("Category", "Fast")]
public sealed class RunEndpointsOnSqlite(SqliteTestDatabase database) : RunEndpointTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class RunEndpointsOnPostgres(PostgresTestDatabase database) : RunEndpointTests(database), IClassFixture<PostgresTestDatabase>;

public abstract class RunEndpointTests : IDisposable
{
    private readonly CatalogApp _app;
    private readonly HttpClient _client;
    private readonly string _pipeline = $"pipeline-{Guid.NewGuid():N}";

    protected RunEndpointTests(TestDatabase database)
    {
        _app = database.SharedService();
        _client = _app.Client();
    }

    [Fact]
    public async Task The_first_event_of_a_run_is_201_and_the_next_200()
    {
        await Register();
        var id = Guid.NewGuid().ToString();

        var first = await _client.PostJson("/api/v1/runs/", new { id, pipeline_id = _pipeline, status = "queued" });
        var second = await _client.PostJson("/api/v1/runs/", new
        {
            id,
            pipeline_id = _pipeline,
            status = "success",
            started_at = "2026-01-01T00:00:00Z",
            completed_at = "2026-01-01T00:01:30.5Z",
            records_processed = 7,
        });

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
        Assert.Equal($"/api/v1/runs/{id}", first.Headers.Location?.OriginalString);
        var run = await _client.GetJson($"/api/v1/runs/{id}");
        Assert.Equal("completed", run.GetProperty("status").GetString());
        Assert.Equal(90.5, run.GetProperty("duration_seconds").GetDouble());
        Assert.Equal(7, run.GetProperty("records_processed").GetInt64());
        Assert.Equal("2026-01-01T00:01:30.500000Z", run.GetProperty("completed_at").GetString());
        Assert.Equal(2, (await _client.GetJson($"/api/v1/runs/{id}/events")).GetProperty("items").GetArrayLength());
    }

    [Theory]
    [InlineData("started_at", false)]
    [InlineData("completed_at", false)]
    [InlineData("started_at", true)]
    [InlineData("completed_at", true)]
    public async Task An_event_of_the_future_is_refused(string field, bool ofStage)
    {
        await Register();
        var id = Guid.NewGuid().ToString();
        Dictionary<string, object?> Body(int hours)
        {
            var at = DateTimeOffset.UtcNow.AddHours(hours).ToString("O");
            var body = new Dictionary<string, object?> { ["id"] = id, ["pipeline_id"] = _pipeline, ["status"] = "running" };
            body[ofStage ? "stages" : field] = ofStage
                ? new[] { new Dictionary<string, object?> { ["stage_name"] = "load", ["status"] = "running", [field] = at } } : at;
            return body;
        }

        var refused = await (await _client.PostJson("/api/v1/runs/", Body(25))).Problem(422, "invalid");
        var reason = refused.GetProperty("errors").GetProperty(ofStage ? $"/stages/0/{field}" : $"/{field}")[0].GetString();
        Assert.Contains("24 hours ahead", reason, StringComparison.Ordinal);
        await (await _client.GetAsync($"/api/v1/runs/{id}", TestContext.Current.CancellationToken)).Problem(404, "not_found");
        Assert.Equal(HttpStatusCode.Created, (await _client.PostJson("/api/v1/runs/", Body(23))).StatusCode);

        var far = DateTimeOffset.UtcNow.AddYears(70).ToString("O");
        await (await _client.PatchAsJsonAsync(
            $"/api/v1/runs/{id}", Body(25), TestContext.Current.CancellationToken)).Problem(422, "invalid");
        await (await _client.PutAsJsonAsync($"/api/v1/runs/{id}/stages/load", new Dictionary<string, object?>
        {
            ["status"] = "running",
            [field] = far,
        }, TestContext.Current.CancellationToken)).Problem(422, "invalid");
    }

    [Fact]
    public async Task A_repeated_event_is_stored_once()
    {
        await Register();
        var id = Guid.NewGuid().ToString();
        var body = new { id, pipeline_id = _pipeline, status = "running", metadata = new { attempt = 1 } };

        await _client.PostJson("/api/v1/runs/", body);
        await _client.PostJson("/api/v1/runs/", body);

        var events = (await _client.GetJson($"/api/v1/runs/{id}/events")).GetProperty("items");
        Assert.Equal(1, events.GetArrayLength());
        Assert.Equal(1, events[0].GetProperty("event").GetProperty("metadata").GetProperty("attempt").GetInt32());
    }

    [Fact]
    public async Task Patches_and_stage_reports_are_events_of_a_known_run()
    {
        await Register();
        var id = Guid.NewGuid().ToString();
        await _client.PostJson("/api/v1/runs/", new { id, pipeline_id = _pipeline, status = "running" });

        var patched = await _client.PatchAsJsonAsync($"/api/v1/runs/{id}", new { trigger = "manual" }, Ct);
        await _client.PutAsJsonAsync($"/api/v1/runs/{id}/stages/load%2Fall", new { status = "failed", error_message = "disk full" }, Ct);
        await _client.PutAsJsonAsync($"/api/v1/runs/{id}/stages/extract", new { status = "completed", started_at = "2026-01-01T00:00:00Z" },
            Ct);

        Assert.Equal("manual", (await patched.Json()).GetProperty("trigger").GetString());
        var stages = (await _client.GetJson($"/api/v1/runs/{id}")).GetProperty("stages");
        Assert.Equal(["extract", "load/all"], stages.EnumerateArray().Select(stage => stage.GetProperty("stage_name").GetString()!));
        Assert.Equal("disk full", stages[1].GetProperty("error_message").GetString());
    }

    [Fact]
    public async Task Unknown_pipelines_and_runs_are_404_and_a_taken_run_id_409()
    {
        await Register();
        var other = $"{_pipeline}-other";
        await _client.PostJson("/api/v1/pipelines/", new { name = other });
        var id = Guid.NewGuid().ToString();
        await _client.PostJson("/api/v1/runs/", new { id, pipeline_id = _pipeline, status = "running" });

        await (await _client.PostJson("/api/v1/runs/", new { pipeline_id = "nobody", status = "running" }))
            .Problem(404, "pipeline_not_found");
        await (await _client.PatchAsJsonAsync("/api/v1/runs/nobody", new { status = "running" }, Ct)).Problem(404, "not_found");
        await (await _client.PutAsJsonAsync("/api/v1/runs/nobody/stages/a", new { status = "running" }, Ct)).Problem(404, "not_found");
        await (await _client.GetAsync("/api/v1/runs/nobody/events", Ct)).Problem(404, "not_found");
        await (await _client.PostJson("/api/v1/runs/", new { id, pipeline_id = other, status = "running" })).Problem(409, "run_id_taken");
    }

    [Fact]
    public async Task A_list_pages_through_every_run_once_and_filters()
    {
        await Register();
        var ids = Enumerable.Range(0, 7).Select(i => $"{_pipeline}-{i}").ToList();
        foreach (var id in ids)
        {
            await _client.PostJson(
                "/api/v1/runs/", new { id, pipeline_id = _pipeline, status = id.EndsWith('3') ? "failed" : "completed" });
        }

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await _client.GetJson(
                $"/api/v1/runs/?limit=3&pipeline_id={_pipeline}" + (cursor is null ? "" : $"&cursor={cursor}"));
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(run => run.GetProperty("id").GetString()!));
            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);

        Assert.Equal(ids.AsEnumerable().Reverse(), seen);
        var failed = await _client.GetJson($"/api/v1/runs/?pipeline_id={_pipeline}&status=failure");
        Assert.Equal($"{_pipeline}-3", Assert.Single(failed.GetProperty("items").EnumerateArray()).GetProperty("id").GetString());
        var future = await _client.GetJson($"/api/v1/runs/?pipeline_id={_pipeline}&since=2126-01-01T00:00:00+01:00");
        Assert.Equal(0, future.GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task Paths_are_served_with_and_without_version_and_trailing_slash()
    {
        foreach (var path in new[] { "/api/v1/runs", "/api/v1/runs/", "/runs", "/runs/" })
        {
            Assert.Equal(HttpStatusCode.OK, (await _client.GetAsync(path, Ct)).StatusCode);
        }
    }

    [Theory]
    [InlineData("""{"status":"running"}""", "/pipeline_id")]
    [InlineData("""{"pipeline_id":"p"}""", "/status")]
    [InlineData("""{"pipeline_id":"p","status":"done"}""", "/status")]
    [InlineData("""{"pipeline_id":"p","status":"running","started_at":"yesterday"}""", "/started_at")]
    [InlineData("""{"pipeline_id":"p","status":"running","records_processed":-1}""", "/records_processed")]
    [InlineData("""{"pipeline_id":"p","status":"running","records_processed":1.5}""", "/records_processed")]
    [InlineData("""{"pipeline_id":"p","status":"running","records_processed":"1"}""", "/records_processed")]
    [InlineData("""{"pipeline_id":"p","status":"running","stages":[null]}""", "/stages/0")]
    [InlineData("""{"pipeline_id":"p","status":"running","stages":[{"stage_name":"a","status":"running"},{"status":"running"}]}""",
        "/stages/1/stage_name")]
    [InlineData("""{"pipeline_id":"p","status":"running","colour":"red"}""", "/colour")]
    [InlineData("""{"pipeline_id":"p","status":"running","status":"failed"}""", "/status")]
    [InlineData("""{"pipeline_id":"a%2fb","status":"running"}""", "/pipeline_id")]
    [InlineData("""{"pipeline_id":"a\u0000b","status":"running"}""", "/pipeline_id")]
    [InlineData("""{"pipeline_id":"p","status":"running","external_url":"javascript:alert(1)"}""", "/external_url")]
    [InlineData("""{"pipeline_id":"p","status":"running","metadata":[1]}""", "/metadata")]
    [InlineData("null", "")]
    [InlineData("[]", "")]
    public async Task Invalid_events_are_422_with_a_pointer(string body, string pointer)
    {
        using var content = new StringContent(body, null, "application/json");

        var problem = await (await _client.PostAsync("/api/v1/runs/", content, Ct)).Problem(422, "invalid");

        Assert.Equal(pointer, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private Task<HttpResponseMessage> Register() => _client.PostJson("/api/v1/pipelines/", new { name = _pipeline });

    public void Dispose()
    {
        _client.Dispose();
        GC.SuppressFinalize(this);
    }
}
