using System.Net;
using System.Text.Json;
using Catalog.Data.DatasetReadiness;
using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;
using Catalog.Tests.Support;

namespace Catalog.Tests.DatasetReadiness;

[Trait("Category", "Fast")]
public sealed class ReadinessEndpointsOnSqlite(SqliteTestDatabase database) : ReadinessEndpointTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class ReadinessEndpointsOnPostgres(PostgresTestDatabase database) : ReadinessEndpointTests(database),
    IClassFixture<PostgresTestDatabase>;

public abstract class ReadinessEndpointTests(TestDatabase database) : EndpointTestBase(database)
{
    private static readonly DateTimeOffset Day = new(2026, 2, 2, 6, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_run_that_events_report_decides()
    {
        var run = Guid.NewGuid();
        await Event("job", run, "START", 0, outputs: ["out"]);
        Assert.Equal("not_ready: being_written", await Readiness("db/out"));

        await Event("job", run, "COMPLETE", 5);
        Assert.Equal("ready: written", await Readiness("db/out"));

        var next = Guid.NewGuid();
        // Airflow reports the outputs of a task only at its end, so this START has no outputs.
        await Event("job", next, "START", 10);
        Assert.Equal("not_ready: being_written", await Readiness("db/out"));

        await Event("job", next, "FAIL", 15);
        Assert.Equal("not_ready: write_failed", await Readiness("db/out"));

        var last = Guid.NewGuid();
        await Event("job", last, "START", 20);
        await Event("job", last, "COMPLETE", 25, outputs: ["out"]);
        var ready = await Read("db/out");
        Assert.Equal("ready", ready.GetProperty("status").GetString());
        Assert.Equal((last.ToString(), "2026-02-02T06:25:00.000000Z"), (ready.GetProperty("reasons")[0].GetProperty("run_id").GetString(),
            ready.GetProperty("reasons")[0].GetProperty("at").GetString()));
    }

    [Fact]
    public async Task A_job_that_wrote_elsewhere_does_not_make_an_older_version_new()
    {
        await Run("job", 0, outputs: ["a"]);
        await Run("job", 10, outputs: ["b"]);

        Assert.Equal("ready: written", await Readiness("db/a"));
        var at = (await Read("db/a")).GetProperty("reasons")[0].GetProperty("at").GetString();
        Assert.Equal("2026-02-02T06:01:00.000000Z", at);
    }

    [Fact]
    public async Task The_latest_run_of_a_registered_pipeline_counts_as_its_write()
    {
        await Register("load", null, ("raw", "a"));
        Assert.Equal("unknown: no_run", await Readiness("a"));

        await Post("load", "r1", "completed", 0);
        Assert.Equal("ready: written", await Readiness("a"));

        await Post("load", "r2", "running", 10);
        Assert.Equal("not_ready: being_written", await Readiness("a"));

        await Post("load", "r2", "failed", 10);
        Assert.Equal("not_ready: write_failed", await Readiness("a"));
    }

    [Fact]
    public async Task Checks_decide_and_warnings_are_named()
    {
        await Register("load", null, ("raw", "a"));
        await Post("load", "r1", "completed", 0);
        await Register("tests", null);
        await Result("load", "rows", "pass", "a", 10);
        await Result("tests", "nulls", "fail", "a", 10, severity: "warn");
        Assert.Equal("ready: check_warns written", await Readiness("a"));

        await Result("tests", "fresh", "fail", "a", 10);
        Assert.Equal("not_ready: check_failed check_warns written", await Readiness("a"));

        await Result("tests", "fresh", "pass", "a", 20);
        await Post("load", "r2", "completed", 30);
        Assert.Equal("unknown: check_outdated check_outdated check_warns written", await Readiness("a"));
    }

    [Fact]
    public async Task Names_that_no_index_holds_are_never_ready()
    {
        var name = new string('é', 501);
        await Register("load", null, ("raw", name));
        await Post("load", "r1", "completed", 0);

        Assert.Equal("unknown: checks_unread written", await Readiness(name));
    }

    [Fact]
    public async Task The_datasets_upstream_count_as_far_as_asked()
    {
        await Register("mart", null, ("staging", "mart"));
        await Register("stage", null, ("raw", "staging"));
        await Post("mart", "m", "completed", 10);
        await Post("stage", "s", "failed", 5);

        Assert.Equal("ready: written", await Readiness("mart"));
        var deep = await Read("mart", "depth=1");
        Assert.Equal(("not_ready", 2), (deep.GetProperty("status").GetString(), deep.GetProperty("datasets").GetInt32()));
        var reason = deep.GetProperty("reasons")[0];
        Assert.Equal(("write_failed", $"{Name}.staging", 1, $"{Name}-s"), (reason.GetProperty("code").GetString(),
            reason.GetProperty("dataset").GetString(), reason.GetProperty("depth").GetInt32(), reason.GetProperty("run_id").GetString()));

        await Post("stage", "s2", "completed", 6);
        Assert.Equal("ready: written", await Readiness("mart", "depth=1"));
        Assert.Equal("unknown: no_writer written", await Readiness("mart", "depth=2"));
        var pass = new { pipeline_id = $"{Name}-mart", check_id = "rows", status = "pass", dataset = $"{Name}.raw" };
        Assert.Equal(HttpStatusCode.Created, (await Client.PostJson("/api/v1/checks/results", pass)).StatusCode);
        Assert.Equal("ready: written", await Readiness("mart", "depth=20"));
    }

    [Fact]
    public async Task A_schedule_and_as_of_ask_for_fresh_data()
    {
        await Register("load", "0 6 * * *", ("raw", "a"));
        await Post("load", "r", "completed", 0);

        // The run of February is before the first time of the schedule after the registration, so the data is late at
        // `next`.
        var next = Uri.EscapeDataString(DateTimeOffset.UtcNow.AddDays(2).ToString("O"));
        Assert.Equal("ready: written", await Readiness("a", "as_of=2026-02-02T12:00:00Z"));
        Assert.Equal("not_ready: late written", await Readiness("a", $"as_of={next}"));
    }

    [Fact]
    public async Task An_answer_has_an_ETag_and_waits_until_the_dataset_is_ready()
    {
        await Register("load", null, ("raw", "a"));
        await Post("load", "r", "running", 0);
        var path = $"/api/v1/datasets/{Name}.a/readiness";
        using var first = await Client.GetAsync(path, Ct);
        using var same = await Send(HttpMethod.Get, path, null, ("If-None-Match", first.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);

        var waiting = Send(HttpMethod.Get, path, null, ("Prefer", "wait=60"));
        await Task.Delay(300, Ct);
        Assert.False(waiting.IsCompleted);
        await Post("load", "r", "completed", 0);
        using var ready = await waiting;
        Assert.Equal("ready", (await ready.Json()).GetProperty("status").GetString());
        Assert.Equal("wait=60", ready.Headers.GetValues("Preference-Applied").Single());

        await Post("load", "r2", "failed", 10);
        using var late = await Send(HttpMethod.Get, path, null, ("Prefer", "wait=1"));
        Assert.Equal("not_ready", (await late.Json()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task An_id_with_slashes_is_encoded()
    {
        await Run("job", 0, outputs: ["x/y"]);
        var id = Uri.EscapeDataString($"{Name}db/x/y");

        Assert.Equal("ready", (await Client.GetJson($"/api/v1/datasets/{id}/readiness")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task Another_organization_sees_nothing()
    {
        await Register("load", null, ("raw", "a"));
        using var other = await App.Organization(Name);

        await (await other.GetAsync($"/api/v1/datasets/{Name}.a/readiness", Ct)).Problem(404, "not_found");
    }

    [Fact]
    public async Task A_graph_that_is_too_large_is_never_ready()
    {
        await Register("wide", null, [.. Enumerable.Range(0, 30).Select(i => ($"raw{i}", "a"))]);
        await Post("wide", "r", "completed", 0);

        Assert.Equal("ready: written", await Readiness("a"));
        Assert.Equal((ReadinessStatus.Ready, false), await Small(depth: 0));
        Assert.Equal((ReadinessStatus.Unknown, true), await Small(depth: 1));

        for (var i = 0; i < 10; i++)
        {
            await Register($"writer{i}", null, ("raw0", "a"));
            await Post($"writer{i}", $"r{i}", "completed", 0);
        }

        Assert.Equal((ReadinessStatus.Unknown, true), await Small(depth: 0));
        Assert.Equal("ready: written", await Readiness("a"));

        async Task<(string Status, bool Truncated)> Small(int depth)
        {
            var small = new ReadinessRepository(Database.Database, new LineageRepository(Database.Database, LineageBudget.Default),
                new PipelineRuns(Database.Database), new(10, 39));
            var found = (await small.Find("default", $"{Name}.a", depth, null, DateTimeOffset.UtcNow, Ct))!;
            return (found.Status, found.Truncated);
        }
    }

    [Theory]
    [InlineData("/api/v1/datasets/nobody/readiness", 404, "not_found")]
    [InlineData("/api/v1/datasets/readiness/readiness", 404, "not_found")]
    [InlineData("/api/v1/datasets/x/readiness?dataset=x", 422, "invalid")]
    [InlineData("/api/v1/datasets/x/readiness?depth=21", 422, "invalid")]
    [InlineData("/api/v1/datasets/x/readiness?depth=-1", 422, "invalid")]
    [InlineData("/api/v1/datasets/x/readiness?depth=9999999999", 422, "invalid")]
    [InlineData("/api/v1/datasets/x/readiness?as_of=soon", 422, "invalid")]
    [InlineData("/api/v1/datasets/x/readiness?at=2026-01-01", 422, "invalid")]
    [InlineData("/api/v1/datasets/x'%3B%20drop%20table%20runs/readiness", 404, "not_found")]
    public async Task Unknown_ids_and_invalid_parameters_are_refused(string path, int status, string code) =>
        await (await Client.GetAsync(path, Ct)).Problem(status, code);

    private Task<JsonElement> Read(string dataset, string query = "") =>
        Client.GetJson($"/api/v1/datasets/{Uri.EscapeDataString(Shown(dataset))}/readiness?{query}");

    private async Task<string> Readiness(string dataset, string query = "")
    {
        var found = await Read(dataset, query);
        return $"{found.GetProperty("status").GetString()}: " + string.Join(' ', found.GetProperty("reasons").EnumerateArray()
            .Select(reason => reason.GetProperty("code").GetString()).Order(StringComparer.Ordinal));
    }

    private string Shown(string dataset) => dataset.StartsWith("db/", StringComparison.Ordinal) ? Name + dataset : $"{Name}.{dataset}";

    private async Task Run(string job, int minute, string[] outputs)
    {
        var run = Guid.NewGuid();
        await Event(job, run, "START", minute);
        await Event(job, run, "COMPLETE", minute + 1, outputs: outputs);
    }

    private async Task Event(string job, Guid run, string type, int minute, string[]? outputs = null) =>
        Assert.Equal(HttpStatusCode.Created, (await Client.PostJson("/api/v1/lineage", new
        {
            eventType = type,
            eventTime = Day.AddMinutes(minute),
            run = new { runId = run },
            job = new { @namespace = Name, name = job },
            outputs = (outputs ?? []).Select(name => new { @namespace = $"{Name}db", name }),
            producer = "https://example.org/test",
        })).StatusCode);

    private async Task Register(string pipeline, string? schedule, params (string From, string To)[] edges) =>
        Assert.Equal(HttpStatusCode.Created, (await Client.PostJson("/api/v1/pipelines/", new
        {
            name = $"{Name}-{pipeline}",
            schedule,
            edges = edges.Select(edge => new { from = $"{Name}.{edge.From}", to = $"{Name}.{edge.To}" }),
        })).StatusCode);

    private async Task Post(string pipeline, string run, string status, int minute) =>
        Assert.True((await Client.PostJson("/api/v1/runs/", new
        {
            id = $"{Name}-{run}",
            pipeline_id = $"{Name}-{pipeline}",
            status,
            started_at = Day.AddMinutes(minute),
            completed_at = status == "running" ? null : (DateTimeOffset?)Day.AddMinutes(minute + 1),
        })).IsSuccessStatusCode);

    private async Task Result(string pipeline, string check, string status, string dataset, int minute, string severity = "error") =>
        Assert.Equal(HttpStatusCode.Created, (await Client.PostJson("/api/v1/checks/results", new
        {
            pipeline_id = $"{Name}-{pipeline}",
            check_id = $"{Name}-{check}",
            status,
            severity,
            dataset = $"{Name}.{dataset}",
            executed_at = Day.AddMinutes(minute),
        })).StatusCode);
}
