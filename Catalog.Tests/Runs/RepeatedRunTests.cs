using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Runs;

[Trait("Category", "Fast")]
public sealed class RepeatedRunsOnSqlite(SqliteTestDatabase database) : RepeatedRunTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class RepeatedRunsOnPostgres(PostgresTestDatabase database) : RepeatedRunTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Repeated runs with the same id, and nulls that clear fields, in every order of arrival.</summary>
public abstract class RepeatedRunTests : IDisposable
{
    private const string Failed =
        """{"status":"failed","started_at":"2026-01-31T09:00:00Z","completed_at":"2026-01-31T09:10:00Z","error_message":"boom","records_processed":5}""";
    private const string Again = """{"status":"running","started_at":"2026-01-31T11:00:00Z"}""";
    private const string Completed = """{"status":"completed","started_at":"2026-01-31T11:00:00Z","completed_at":"2026-01-31T11:10:00Z"}""";
    private readonly CatalogApp _app;
    private readonly HttpClient _client;
    private readonly string _pipeline = $"pipeline-{Guid.NewGuid():N}";

    protected RepeatedRunTests(TestDatabase database)
    {
        _app = database.SharedService();
        _client = _app.Client();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("completed", null, new[] { Failed, Again, Completed })]
    [InlineData("skipped", null, new[] { Failed, """{"status":"skipped","completed_at":"2026-01-31T11:10:00Z"}""" })]
    [InlineData(
        "completed", null, new[] { """{"status":"failed","started_at":"2026-01-31T09:00:00Z","error_message":"boom"}""", Completed })]
    [InlineData("completed", null, new[] { """{"status":"running","started_at":"2026-01-31T09:00:00Z","error_message":"boom"}""",
        """{"status":"completed"}""" })]
    [InlineData("completed", null, new[] { """{"status":"running","error_message":"boom"}""", """{"status":"completed"}""" })]
    [InlineData(
        "completed", "half", new[] { Failed, """{"status":"completed","completed_at":"2026-01-31T11:10:00Z","error_message":"half"}""" })]
    [InlineData(
        "completed", null, new[] { Completed, """{"status":"up_for_retry","error_message":"try 1"}""",
            """{"status":"up_for_retry","completed_at":"2026-01-31T11:20:00Z","error_message":"try 2"}""" })]
    [InlineData(
        "completed", null,
        new[] { Completed, """{"status":"up_for_retry","completed_at":"2026-01-31T11:10:00Z","error_message":"try 1"}""" })]
    [InlineData("completed", null, new[] { """{"status":"completed"}""", """{"status":"up_for_retry","error_message":"try 1"}""" })]
    [InlineData("completed", "half", new[] { """{"status":"completed","completed_at":"2026-01-31T11:10:00Z","error_message":"half"}""",
        """{"status":"up_for_retry","completed_at":"2026-01-31T11:10:00Z","error_message":"half"}""" })]
    [InlineData(
        "failed", "late", new[] { """{"status":"failed","completed_at":"2026-01-31T11:10:00Z"}""",
            """{"status":"up_for_retry","completed_at":"2026-01-31T11:20:00Z","error_message":"late"}""" })]
    [InlineData("failed", "boom", new[] { """{"status":"failed","completed_at":"2026-01-31T12:00:00Z","error_message":"boom"}""", Again,
        Completed })]
    [InlineData("failed", "boom", new[] { """{"status":"failed","error_message":"boom"}""", Completed })]
    [InlineData(
        "failed", "boom", new[] { Completed, """{"status":"failed","started_at":"2026-01-31T12:00:00Z","error_message":"boom"}""" })]
    [InlineData("completed", null, new[] { Failed, """{"status":"completed","started_at":"2026-01-31T11:00:00Z"}""" })]
    [InlineData("failed", "why", new[] { """{"status":"running","started_at":"2026-01-31T09:00:00Z","error_message":"why"}""",
        """{"status":"failed","completed_at":"2026-01-31T09:10:00Z"}""" })]
    public async Task The_error_of_an_earlier_attempt_is_not_shown_after_success(string status, string? error, string[] events)
    {
        await Register();
        foreach (var (i, order) in Orders(events).Index())
        {
            var run = await Post($"run-{i}", [.. order, order[0]]);
            var stage = (await Post($"stage-{i}", [.. order.Select(OfStage)])).GetProperty("stages")[0];

            Assert.Equal((status, error), Shown(run));
            Assert.Equal((status, error), Shown(stage));
        }
    }

    [Theory]
    [InlineData("running", "late", "completed", new[] { Failed, Completed,
        """{"status":"running","started_at":"2026-01-31T12:00:00Z","error_message":"late"}""" })]
    [InlineData("pending", "queue full", "completed", new[] { Completed,
        """{"status":"pending","started_at":"2026-01-31T12:00:00Z","error_message":"queue full"}""" })]
    [InlineData("running", "try 1", "skipped", new[] { """{"status":"skipped","completed_at":"2026-01-31T11:10:00Z"}""",
        """{"status":"up_for_retry","started_at":"2026-01-31T12:00:00Z","error_message":"try 1"}""" })]
    public async Task A_start_after_the_end_reopens_a_run_but_not_a_stage(string status, string error, string ofStage, string[] events)
    {
        await Register();
        foreach (var (i, order) in Orders(events).Index())
        {
            var run = await Post($"run-{i}", [.. order, order[0]]);
            var stage = (await Post($"stage-{i}", [.. order.Select(OfStage)])).GetProperty("stages")[0];

            Assert.Equal((status, error), Shown(run));
            Assert.Equal((ofStage, (string?)null), Shown(stage));
        }
    }

    [Theory]
    [InlineData("completed", null, new[] { """{"status":"failed","error_message":"boom"}""", """{"status":"completed"}""" })]
    [InlineData("failed", "boom", new[] { """{"status":"completed"}""", """{"status":"failed","error_message":"boom"}""" })]
    [InlineData("completed", "half", new[] { """{"status":"running","error_message":"boom"}""",
        """{"status":"completed","error_message":"half"}""" })]
    [InlineData("completed", null, new[] { """{"status":"failed","error_message":"boom"}""", """{"status":"running"}""",
        """{"status":"completed"}""" })]
    public async Task Events_without_a_time_count_as_of_their_first_receipt(string status, string? error, string[] events)
    {
        await Register();

        var run = await Post("run", [.. events, .. events[..^1]]);
        var stage = (await Post("stage", [.. events.Select(OfStage), .. events[..^1].Select(OfStage)])).GetProperty("stages")[0];

        Assert.Equal((status, error), Shown(run));
        Assert.Equal((status, error), Shown(stage));
    }

    [Fact]
    public async Task A_failed_check_is_the_only_error_of_a_repeated_run()
    {
        await Register();
        var run = await Post("gated", Failed, Completed);

        await _client.PostJson("/api/v1/checks/results",
            new { pipeline_id = _pipeline, check_id = "rows", run_id = run.GetProperty("id").GetString(), status = "fail" });

        var gated = await _client.GetJson($"/api/v1/runs/{run.GetProperty("id").GetString()}");
        Assert.Equal(
            ("failed", "Check 'rows' failed."), (gated.GetProperty("status").GetString(), gated.GetProperty("error_message").GetString()));
        var listed = await _client.GetJson($"/api/v1/runs/?pipeline_id={_pipeline}&status=failed");
        Assert.Equal("Check 'rows' failed.", Assert.Single(listed.GetProperty("items").EnumerateArray()).GetProperty("error_message")
            .GetString());
        Assert.Empty((await _client.GetJson($"/api/v1/runs/?pipeline_id={_pipeline}&status=completed")).GetProperty("items")
            .EnumerateArray());
    }

    [Theory]
    [InlineData("records_processed", "7")]
    [InlineData("error_message", "\"x\"")]
    [InlineData("trigger", "\"x\"")]
    [InlineData("external_url", "\"https://example.org/\"")]
    [InlineData("metadata", "{\"a\":1}")]
    public async Task A_null_clears_a_field_as_of_the_time_of_its_event(string field, string value)
    {
        await Register();
        var has = $$"""{"status":"running","started_at":"2026-01-31T09:00:00Z","{{field}}":{{value}}}""";
        string Null(string at) => $$"""{"status":"running","started_at":"{{at}}","{{field}}":null}""";

        foreach (var (i, (json, kept)) in new[] { (Null("2026-01-31T10:00:00Z"), false), (Null("2026-01-31T09:00:00Z"), false),
            (Null("2026-01-31T08:00:00Z"), true), (Again, true) }.Index())
        {
            foreach (var (j, order) in Orders([has, json]).Index())
            {
                var run = await Post($"run-{i}-{j}", order);
                Assert.Equal(kept, run.GetProperty(field).ValueKind is not JsonValueKind.Null);
                if (run.GetProperty("stages").GetArrayLength() == 0 && field is "records_processed" or "error_message")
                {
                    run = await Post($"stage-{i}-{j}", [.. order.Select(OfStage)]);
                    Assert.Equal(kept, run.GetProperty("stages")[0].GetProperty(field).ValueKind is not JsonValueKind.Null);
                }
            }
        }
    }

    [Fact]
    public async Task Patches_and_stage_reports_can_clear_fields()
    {
        await Register();
        await Post("patched", """{"status":"running","trigger":"x"}""");
        var url = $"/api/v1/runs/{_pipeline}-patched";
        async Task<JsonElement> Send(HttpMethod method, string path, string body) =>
            await (await _client.SendAsync(
                new HttpRequestMessage(method, path) { Content = new StringContent(body, null, "application/json") }, Ct)).Json();

        var patched = await Send(HttpMethod.Patch, url, """{"trigger":null}""");
        await Send(HttpMethod.Put, url + "/stages/load", """{"status":"failed","error_message":"disk full","records_processed":1}""");
        var reported = await Send(
            HttpMethod.Put, url + "/stages/load", """{"status":"failed","error_message":null,"records_processed":null}""");

        Assert.Equal(JsonValueKind.Null, patched.GetProperty("trigger").ValueKind);
        Assert.Equal(JsonValueKind.Null, reported.GetProperty("stages")[0].GetProperty("error_message").ValueKind);
        Assert.Equal(JsonValueKind.Null, reported.GetProperty("stages")[0].GetProperty("records_processed").ValueKind);
    }

    private static (string? Status, string? Error) Shown(JsonElement item) =>
        (item.GetProperty("status").GetString(), item.GetProperty("error_message").GetString());

    private static string OfStage(string json) => $$"""{"status":"running","stages":[{"stage_name":"s",{{json[1..]}}]}""";

    private static IEnumerable<string[]> Orders(string[] events) => events.Length == 1
        ? [events]
        : events.SelectMany((first, i) => Orders([.. events[..i], .. events[(i + 1)..]]).Select(rest => (string[])[first, .. rest]));

    private async Task<JsonElement> Post(string name, params string[] events)
    {
        var id = $"{_pipeline}-{name}";
        foreach (var json in events)
        {
            using var content = new StringContent($$"""{"id":"{{id}}","pipeline_id":"{{_pipeline}}",{{json[1..]}}""", null,
                "application/json");
            var answer = await _client.PostAsync("/api/v1/runs/", content, Ct);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        }

        return await _client.GetJson($"/api/v1/runs/{id}");
    }

    private Task<HttpResponseMessage> Register() => _client.PostJson("/api/v1/pipelines/", new { name = _pipeline });

    public void Dispose()
    {
        _client.Dispose();
        GC.SuppressFinalize(this);
    }
}
