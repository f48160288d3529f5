using System.Net;
using System.Text.Json;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Runs;

[Trait("Category", "Fast")]
public sealed class RunAttemptsOnSqlite(SqliteTestDatabase database) : RunAttemptTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class RunAttemptsOnPostgres(PostgresTestDatabase database) : RunAttemptTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Attempts of runs through the API: a start long after the end, or a higher number, begins one.</summary>
public abstract class RunAttemptTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Start1 = """{"status":"running","started_at":"2026-01-31T09:00:00Z","metadata":{"try":1},"trigger":"schedule"}""";
    private const string End1 =
        """{"status":"failed","completed_at":"2026-01-31T09:10:00Z","error_message":"boom","records_processed":5}""";
    private const string Start2 = """{"status":"running","started_at":"2026-01-31T11:00:00Z"}""";
    private const string End2 = """{"status":"completed","completed_at":"2026-01-31T11:05:00Z","records_processed":9}""";
    private readonly string _pipeline = $"pipeline-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_repeated_run_has_the_state_of_its_latest_attempt_and_lists_the_earlier_ones_in_every_order()
    {
        await Register();
        foreach (var (i, order) in Orders([Start1, End1, Start2, End2]).Index())
        {
            var posted = await Post($"run-{i}", [.. order, order[i % 4], order[i % 3]]);

            var run = await Client.GetJson($"/api/v1/runs/{_pipeline}-run-{i}");
            Assert.Equal(run.GetRawText(), posted.GetRawText());
            Assert.Equal("completed 2 2026-01-31T11:00:00.000000Z 2026-01-31T11:05:00.000000Z 300 9 ", Text(run));
            Assert.Equal("failed 1 2026-01-31T09:00:00.000000Z 2026-01-31T09:10:00.000000Z 600 5 boom",
                Text(Assert.Single(run.GetProperty("attempts").EnumerateArray())));
            Assert.Equal((JsonValueKind.Null, "schedule"), (run.GetProperty("metadata").ValueKind, run.GetProperty("trigger").GetString()));
        }

        var listed = (await Client.GetJson($"/api/v1/runs/?pipeline_id={_pipeline}&limit=1")).GetProperty("items")[0];
        Assert.Equal(2, listed.GetProperty("attempt").GetInt32());
        Assert.False(listed.TryGetProperty("attempts", out _));
    }

    [Theory]
    [InlineData("2026-01-31T09:11:00Z", 1)]
    [InlineData("2026-01-31T09:11:00.000001Z", 2)]
    public async Task A_start_within_60_seconds_of_the_end_is_clock_skew(string start, int attempt)
    {
        await Register();
        foreach (var (i, order) in Orders([Start1, End1, $$"""{"status":"running","started_at":"{{start}}"}"""]).Index())
        {
            var run = await Post($"run-{i}", order);

            Assert.Equal(attempt, run.GetProperty("attempt").GetInt32());
            Assert.Equal(attempt - 1, run.GetProperty("attempts").GetArrayLength());
        }
    }

    [Fact]
    public async Task Events_that_name_their_attempt_may_overlap()
    {
        await Register();
        string[] events =
        [
            """{"status":"running","attempt":1,"started_at":"2026-01-31T09:00:00Z","stages":[{"stage_name":"one","status":"failed"}]}""",
            """{"status":"failed","attempt":1,"completed_at":"2026-01-31T09:10:00Z","error_message":"killed"}""",
            """{"status":"running","attempt":3,"started_at":"2026-01-31T09:09:58Z","stages":[{"stage_name":"two","status":"running"}]}""",
            """{"status":"completed","attempt":3,"started_at":"2026-01-31T09:09:58Z","completed_at":"2026-01-31T09:12:58Z"}""",
        ];
        foreach (var (i, order) in Orders(events).Index())
        {
            var run = await Post($"run-{i}", [.. order, order[0]]);

            Assert.Equal("completed 3 2026-01-31T09:09:58.000000Z 2026-01-31T09:12:58.000000Z 180  ", Text(run));
            Assert.Equal("failed 1 2026-01-31T09:00:00.000000Z 2026-01-31T09:10:00.000000Z 600  killed",
                Text(Assert.Single(run.GetProperty("attempts").EnumerateArray())));
            Assert.Equal("two", Assert.Single(run.GetProperty("stages").EnumerateArray()).GetProperty("stage_name").GetString());
        }
    }

    [Fact]
    public async Task Patches_and_stage_reports_belong_to_the_attempt_of_their_time()
    {
        await Register();
        await Post("run", Start1, End1);
        var url = $"/api/v1/runs/{_pipeline}-run";

        await Send(HttpMethod.Put, url + "/stages/early", """{"status":"failed","started_at":"2026-01-31T09:05:00Z"}""");
        // This stage is reported before the start of its attempt is reported.
        await Send(HttpMethod.Put, url + "/stages/late", """{"status":"running","started_at":"2026-01-31T11:01:00Z"}""");
        var patched = await Send(HttpMethod.Patch, url, Start2);
        Assert.Equal(["late"], StagesOf(patched));
        Assert.Equal("running 2 2026-01-31T11:00:00.000000Z    ", Text(patched));

        await Send(HttpMethod.Put, url + "/stages/early too", """{"status":"failed","completed_at":"2026-01-31T09:06:00Z"}""");
        var staged = await Send(HttpMethod.Put, url + "/stages/now", """{"status":"running"}""");
        Assert.Equal(["late", "now"], StagesOf(staged));
        Assert.Equal((await Client.GetJson(url)).GetRawText(), staged.GetRawText());
        Assert.Equal(
            "failed 1 2026-01-31T09:00:00.000000Z 2026-01-31T09:10:00.000000Z 600 5 boom", Text(staged.GetProperty("attempts")[0]));
    }

    [Fact]
    public async Task A_later_end_of_the_first_attempt_joins_two_attempts_again()
    {
        await Register();
        await Post("run", Start1, End1);
        Assert.Equal(2, (await Post("run", Start2)).GetProperty("attempt").GetInt32());

        var run = await Post("run", """{"status":"failed","started_at":"2026-01-31T09:00:00Z","completed_at":"2026-01-31T10:59:30Z"}""");

        Assert.Equal("failed 1 2026-01-31T09:00:00.000000Z 2026-01-31T10:59:30.000000Z 7170 5 boom", Text(run));
        Assert.Empty(run.GetProperty("attempts").EnumerateArray());
    }

    [Fact]
    public async Task The_gate_and_its_switch_concern_the_whole_run()
    {
        await Register();
        await Post("run", Start1, End1, Start2, End2);
        await Client.PostJson("/api/v1/checks/results",
            new { pipeline_id = _pipeline, check_id = "rows", run_id = $"{_pipeline}-run", status = "fail" });
        var gated = await Post(
            "run", """{"status":"completed","started_at":"2026-01-31T12:00:00Z","completed_at":"2026-01-31T12:01:00Z"}""");
        Assert.Equal(("failed", 3), (gated.GetProperty("status").GetString(), gated.GetProperty("attempt").GetInt32()));
        Assert.Equal(
            ["failed", "completed"], gated.GetProperty("attempts").EnumerateArray().Select(one => one.GetProperty("status").GetString()));

        var lifted = await Post("run", """{"started_at":"2026-01-31T09:00:00Z","status":"running","check_gate":false}""");

        Assert.Equal(("completed", false), (lifted.GetProperty("status").GetString(), lifted.GetProperty("check_gate").GetBoolean()));
        Assert.Equal(3, lifted.GetProperty("attempt").GetInt32());
    }

    [Theory]
    [InlineData("0", 422)]
    [InlineData("-1", 422)]
    [InlineData("1001", 422)]
    [InlineData("9223372036854775807", 422)]
    [InlineData("9223372036854775808", 422)]
    [InlineData("1.5", 422)]
    [InlineData("\"2\"", 422)]
    [InlineData("true", 422)]
    [InlineData("[2]", 422)]
    [InlineData("null", 201)]
    [InlineData("1000", 201)]
    [InlineData("2.0", 201)]
    public async Task An_attempt_is_a_whole_number_from_1_to_1000(string attempt, int status)
    {
        await Register();
        using var content = new StringContent(
            $$"""{"id":"{{_pipeline}}-a","pipeline_id":"{{_pipeline}}","status":"running","attempt":{{attempt}}}""", null,
            "application/json");

        var answer = await Client.PostAsync("/api/v1/runs/", content, Ct);

        var body = await answer.Json();
        Assert.True((int)answer.StatusCode == status, body.GetRawText());
        if (status == 422)
        {
            Assert.True(body.GetProperty("errors").TryGetProperty("/attempt", out _), body.GetRawText());
            Assert.Equal(HttpStatusCode.NotFound, (await Client.GetAsync($"/api/v1/runs/{_pipeline}-a", Ct)).StatusCode);
        }
    }

    [Fact]
    public async Task Attempts_whose_events_were_removed_are_kept()
    {
        await Register();
        await Post("run", Start1, End1,
            """{"stages":[{"stage_name":"gone","status":"failed"}],"status":"failed","external_url":"http://x/"}""");
        await Execute("delete from run_events where organization_id = 'default' and run_id = @id");

        Assert.Equal("running 2 2026-01-31T11:00:00.000000Z    ", Text(await Post("run", Start2)));
        await Execute("delete from run_events where organization_id = 'default' and run_id = @id");
        // A repeat of a removed event, late events of both attempts, and a third attempt.
        await Post("run", Start1, End2);
        var run = await Post("run", """{"status":"running","started_at":"2026-01-31T12:00:00Z"}""",
            """{"status":"failed","completed_at":"2026-01-31T09:10:30Z"}""");

        Assert.Equal("running 3 2026-01-31T12:00:00.000000Z    ", Text(run));
        Assert.Equal(
            ["failed 1 2026-01-31T09:00:00.000000Z 2026-01-31T09:10:30.000000Z 630 5 boom",
                "completed 2 2026-01-31T11:00:00.000000Z 2026-01-31T11:05:00.000000Z 300 9 "],
            run.GetProperty("attempts").EnumerateArray().Select(Text));
        Assert.Empty(StagesOf(run));
        Assert.Equal(("schedule", "http://x/"), (run.GetProperty("trigger").GetString(), run.GetProperty("external_url").GetString()));
    }

    [Fact]
    public async Task A_row_of_the_previous_release_begins_its_next_attempt()
    {
        await Register();
        await Post("run", Start1, End1);
        await Execute("""
            update runs
            set decided_at = '{"status":639054906000000000,"records_processed":639054906000000000,"error_message":639054906000000000}',
                created_at = '2026-01-31T09:00:01.000000Z'
            where organization_id = 'default' and id = @id
            """);

        var run = await Post("run", Start2, End2);

        Assert.Equal("completed 2 2026-01-31T11:00:00.000000Z 2026-01-31T11:05:00.000000Z 300 9 ", Text(run));
        Assert.Equal("failed 1 2026-01-31T09:00:00.000000Z 2026-01-31T09:10:00.000000Z 600 5 boom", Text(run.GetProperty("attempts")[0]));
    }

    [Fact]
    public async Task The_last_100_earlier_attempts_are_kept()
    {
        await Register();
        for (var attempt = 1; attempt <= 103; attempt++)
        {
            await Post("run", $$"""{"status":"failed","attempt":{{attempt}},"error_message":"{{attempt}}"}""");
        }

        var run = await Client.GetJson($"/api/v1/runs/{_pipeline}-run");

        Assert.Equal(103, run.GetProperty("attempt").GetInt32());
        Assert.Equal(
            Enumerable.Range(3, 100), run.GetProperty("attempts").EnumerateArray().Select(one => one.GetProperty("attempt").GetInt32()));
    }

    private static string Text(JsonElement item) => string.Join(' ', new[]
    {
        "status", "attempt", "started_at", "completed_at", "duration_seconds", "records_processed", "error_message",
    }.Select(name => item.GetProperty(name).ToString()));

    private static IEnumerable<string?> StagesOf(JsonElement run) =>
        run.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("stage_name").GetString());

    private static IEnumerable<string[]> Orders(string[] events) => events.Length == 1
        ? [events]
        : events.SelectMany((first, i) => Orders([.. events[..i], .. events[(i + 1)..]]).Select(rest => (string[])[first, .. rest]));

    private async Task<JsonElement> Post(string name, params string[] events)
    {
        JsonElement last = default;
        foreach (var json in events)
        {
            last = await Send(
                HttpMethod.Post, "/api/v1/runs/", $$"""{"id":"{{_pipeline}}-{{name}}","pipeline_id":"{{_pipeline}}",{{json[1..]}}""");
        }

        return last;
    }

    private async Task<JsonElement> Send(HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, null, "application/json") };
        var answer = await Client.SendAsync(request, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        return await answer.Json();
    }

    private async Task Execute(string sql)
    {
        await using var migrations = MigrationDatabase.Open(Database.Settings);
        await using var connection = await migrations.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync(sql, new { id = $"{_pipeline}-run" });
    }

    private Task<HttpResponseMessage> Register() => Client.PostJson("/api/v1/pipelines/", new { name = _pipeline });
}
