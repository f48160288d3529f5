using System.Text.Json;
using Catalog.Data.Pipelines;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pipelines;

[Trait("Category", "Fast")]
public sealed class PipelineAnswerEndpointsOnSqlite(SqliteTestDatabase database) : PipelineAnswerEndpointTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class PipelineAnswerEndpointsOnPostgres(PostgresTestDatabase database) : PipelineAnswerEndpointTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>What is late, how long it takes, what changed between versions, and what remains.</summary>
public abstract class PipelineAnswerEndpointTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Path = "/api/v1/pipelines";

    [Fact]
    public async Task A_pipeline_is_overdue_when_its_last_scheduled_time_has_no_run()
    {
        using var client = await App.Organization(Name);
        var noon = new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);
        foreach (var (name, schedule, lastStart) in new (string, string?, double?)[]
        {
            ("late", "0 6 * * *", -25), ("never", "0 11 * * *", null), ("early", "0 6 * * *", -6.05), ("on-time", "0 6 * * *", -5.9),
            ("within-grace", "57 11 * * *", -24), ("unscheduled", null, -100), ("far", "0 0 31 2 *", null),
        })
        {
            await client.PostJson($"{Path}/", new { name, schedule, owner = $"{name}-owner" });
            if (lastStart is { } hours)
            {
                await client.PostJson("/api/v1/runs/", new
                {
                    id = name,
                    pipeline_id = name,
                    status = "running",
                    started_at = noon.AddHours(hours),
                });
            }
        }

        await RegisteredLongAgo();
        var found = await new OverduePipelines(Database.Database).Find(Name, noon, Ct);

        Assert.Equal(
            [("late", noon.AddHours(-6), noon.AddHours(-25)), ("never", noon.AddHours(-1), null)],
            found.Pipelines.Select(pipeline => (pipeline.PipelineId, pipeline.ExpectedAt, pipeline.LastRunAt)));
        Assert.Equal(("late-owner", "0 6 * * *", false), (found.Pipelines[0].Owner, found.Pipelines[0].Schedule, found.Truncated));
    }

    [Fact]
    public async Task Failing_pipelines_are_those_whose_latest_run_failed_then_those_with_a_failing_check()
    {
        using var client = await App.Organization(Name);
        foreach (var name in new[] { "healed", "failed", "worse", "open", "checked", "deleted", "fine" })
        {
            await client.PostJson($"{Path}/", new { name });
        }

        foreach (var (pipeline, status, start, end) in new (string, string, int, int?)[]
        {
            ("healed", "failed", 1, 2), ("healed", "completed", 3, 4), ("failed", "completed", 1, 2), ("failed", "failed", 3, 4),
            ("worse", "failed", 1, 9), ("worse", "failed", 3, 8), ("open", "failed", 1, null), ("deleted", "failed", 1, 9),
            // The failed run ended last, but it started before the completed run.
            ("fine", "failed", 1, 30), ("fine", "completed", 3, 4), ("unknown", "failed", 1, 2),
        })
        {
            var noon = new DateTimeOffset(2025, 1, 31, 12, 0, 0, TimeSpan.Zero);
            await client.PostJson("/api/v1/runs/", new
            {
                pipeline_id = pipeline,
                status,
                started_at = noon.AddMinutes(start),
                completed_at = end is { } minutes ? noon.AddMinutes(minutes) : (DateTimeOffset?)null,
            });
        }

        foreach (var pipeline in new[] { "worse", "checked", "deleted", "unknown" })
        {
            await client.PostJson("/api/v1/checks/results", new { pipeline_id = pipeline, check_id = "rows", status = "fail" });
        }

        await client.PostJson("/api/v1/checks/results", new { check_id = "standalone", status = "fail" });
        await client.DeleteAsync($"{Path}/deleted", Ct);
        var failing = new FailingPipelines(Database.Database);

        // A failed run without an end counts as failed at the time of its report, so the pipeline `open` is first.
        Assert.Equal(["open", "worse", "failed", "checked"], await failing.Find(Name, 20, Ct));
        Assert.Equal(["open", "checked"], await failing.Find(Name, 1, Ct));
        Assert.Empty(await failing.Find("nobody", 20, Ct));
    }

    [Fact]
    public async Task Overdue_pipelines_are_a_list_and_their_path_is_no_id()
    {
        using var client = await App.Organization(Name);
        await client.PostJson($"{Path}/", new { name = "minutely", schedule = "* * * * *" });
        // A time of the schedule before the registration does not count.
        Assert.Equal(0, (await client.GetJson($"{Path}/overdue")).GetProperty("count").GetInt32());

        await RegisteredLongAgo();
        var overdue = await client.GetJson($"{Path}/overdue?limit=1");

        Assert.Equal(("minutely", 1, false), (overdue.GetProperty("items")[0].GetProperty("pipeline_id").GetString(),
            overdue.GetProperty("count").GetInt32(), overdue.GetProperty("truncated").GetBoolean()));
        Assert.Equal(1, (await client.GetJson("/api/v1/overview")).GetProperty("pipelines_overdue").GetProperty("count").GetInt32());
        await (await client.GetAsync($"{Path}/overdue?limit=0", Ct)).Problem(422, "invalid");
        await (await client.DeleteAsync($"{Path}/overdue", Ct)).Problem(405, "method_not_allowed");
        await (await client.PostJson($"{Path}/", new { name = "overdue" })).Problem(422, "invalid");
    }

    private Task RegisteredLongAgo() => Database.Database.Write(Name, session => session.Execute(
        "update pipelines set created_at = @at where organization_id = @Name", new { at = DateTimeOffset.UnixEpoch, Name }, Ct), Ct);

    [Fact]
    public async Task The_latest_run_is_compared_with_the_median_of_runs_and_stages()
    {
        using var client = await App.Organization(Name);
        await client.PostJson($"{Path}/", new { name = "p" });
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        // Runs of 1 to 120 minutes: the last 100 that ended count, and their median is 70.5 minutes.
        await Task.WhenAll(Enumerable.Range(1, 120).Select(minutes => client.PostJson("/api/v1/runs/", new
        {
            id = $"r{minutes:000}",
            pipeline_id = "p",
            status = "completed",
            started_at = start.AddHours(3 * minutes),
            completed_at = start.AddHours(3 * minutes).AddMinutes(minutes),
            stages = new[]
            {
                new { stage_name = "load", status = "completed", started_at = start, completed_at = start.AddSeconds(minutes) },
                new { stage_name = "odd", status = "completed", started_at = start, completed_at = start.AddSeconds(-1) },
            },
        })));
        await client.PostJson("/api/v1/runs/", new { id = "now", pipeline_id = "p", status = "running", started_at = start.AddDays(200) });

        var durations = await client.GetJson($"{Path}/p/durations");

        var runs = durations.GetProperty("runs");
        Assert.Equal((100, 70.5 * 60, 115 * 60), (runs.GetProperty("count").GetInt32(), runs.GetProperty("median_seconds").GetDouble(),
            runs.GetProperty("p95_seconds").GetDouble()));
        Assert.Equal(("now", JsonValueKind.Null), (durations.GetProperty("latest_run").GetProperty("id").GetString(),
            durations.GetProperty("latest_run").GetProperty("duration_seconds").ValueKind));
        var stages = durations.GetProperty("stages");
        Assert.Equal(("load", 100, 70.5, 115), (stages[0].GetProperty("stage_name").GetString(), stages[0].GetProperty("count").GetInt32(),
            stages[0].GetProperty("median_seconds").GetDouble(), stages[0].GetProperty("p95_seconds").GetDouble()));
        Assert.Equal(("odd", 0, JsonValueKind.Null), (stages[1].GetProperty("stage_name").GetString(),
            stages[1].GetProperty("count").GetInt32(), stages[1].GetProperty("median_seconds").ValueKind));

        var end = start.AddDays(200).AddMinutes(141);
        await client.PostJson("/api/v1/runs/", new { id = "now", pipeline_id = "p", status = "completed", completed_at = end });
        var latest = (await client.GetJson($"{Path}/p/durations")).GetProperty("latest_run");
        Assert.InRange(latest.GetProperty("to_median").GetDouble(), 1.9, 2.1);
        await (await client.GetAsync($"{Path}/unknown/durations", Ct)).Problem(404, "not_found");
    }

    [Fact]
    public async Task Two_versions_are_compared_member_by_member()
    {
        using var client = await App.Organization(Name);
        await Register(client, """
            {"name":"p","version":"1","owner":"ann","tags":["a","b"],"x/y":{"~":1.0},
             "sources":[{"id":"s1","type":"postgres","connection_ref":"c","object":"t1"},{"id":"s2","type":"postgres","connection_ref":"c","object":"t2"}],
             "edges":[{"from":"a","to":"b"},{"from":"b","to":"c"}]}
            """);
        await Register(client, """
            {"name":"p","version":"2","tags":["a","c"],"x/y":{"~":1,"new":null},
             "sources":[{"id":"s2","type":"postgres","connection_ref":"c","object":"t3"},{"id":"s3","type":"postgres","connection_ref":"c","object":"t2"}],
             "edges":[{"from":"b","to":"c","note":"n"},{"from":"a","to":"c"}]}
            """);

        var changes = await client.GetJson($"{Path}/p/versions/2/changes");

        Assert.Equal(("1", "2", false), (changes.GetProperty("from").GetString(), changes.GetProperty("to").GetString(),
            changes.GetProperty("truncated").GetBoolean()));
        Assert.Equal(
            [
                """/owner removed "ann" null""", """/tags/1 changed "b" "c" """.TrimEnd(), "/x~1y/new added null null",
                """/sources/0 removed {"id":"s1","type":"postgres","connection_ref":"c","object":"t1"} null""",
                """/sources/0/object changed "t2" "t3" """.TrimEnd(),
                """/sources/1 added null {"id":"s3","type":"postgres","connection_ref":"c","object":"t2"}""",
                """/edges/0 removed {"from":"a","to":"b"} null""", """/edges/0/note added null "n" """.TrimEnd(),
                """/edges/1 added null {"from":"a","to":"c"}""",
            ],
            Lines(changes));
        Assert.Empty(Lines(await client.GetJson($"{Path}/p/versions/2/changes?from=2")));
        Assert.Equal("/owner added null \"ann\"", Lines(await client.GetJson($"{Path}/p/versions/1/changes?from=2"))[^1]);
        var first = await client.GetJson($"{Path}/p/versions/1/changes");
        Assert.Equal(JsonValueKind.Null, first.GetProperty("from").ValueKind);
        Assert.All(Lines(first), line => Assert.Contains(" added null ", line, StringComparison.Ordinal));
        foreach (var path in new[] { "p/versions/3/changes", "p/versions/2/changes?from=3", "q/versions/2/changes", "p/versions/3" })
        {
            await (await client.GetAsync($"{Path}/{path}", Ct)).Problem(404, "not_found");
        }
    }

    [Fact]
    public async Task A_large_difference_is_cut()
    {
        var (changes, truncated) = BodyChanges.Between(
            "{}", $$"""{{{string.Join(',', Enumerable.Range(0, BodyChanges.Max + 1).Select(i => $"\"m{i}\":{i}"))}}}""");

        Assert.Equal((BodyChanges.Max, true), (changes.Count, truncated));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_deleted_pipeline_keeps_its_versions_and_its_remains_are_counted()
    {
        using var client = await App.Organization(Name);
        await Register(client, """{"name":"p","version":"1","checks":[{"id":"c","sql":"select 1"}],"x":1.50}""");
        await Register(client, """{"name":"p","version":"2"}""");
        await client.PostJson("/api/v1/runs/", new { id = "r", pipeline_id = "p", status = "completed" });
        foreach (var check in new[] { "c", "c", "d" })
        {
            await client.PostJson("/api/v1/checks/results", new { pipeline_id = "p", check_id = check, status = "pass" });
        }

        Assert.Equal(JsonValueKind.Null, (await client.GetJson($"{Path}/p/remains")).GetProperty("deleted_at").ValueKind);
        await client.DeleteAsync($"{Path}/p", Ct);

        var remains = await client.GetJson($"{Path}/p/remains");
        Assert.Equal(JsonValueKind.String, remains.GetProperty("deleted_at").ValueKind);
        Assert.Equal([2, 1, 3, 0, 2], new[] { "versions", "runs", "results", "checks", "check_states" }
            .Select(name => remains.GetProperty(name).GetProperty("count").GetInt64()));
        var version = await client.GetJson($"{Path}/p/versions/1");
        Assert.Equal(("1", false, "1.50"), (version.GetProperty("version").GetString(), version.GetProperty("current").GetBoolean(),
            version.GetProperty("body").GetProperty("x").GetRawText()));
        await (await client.GetAsync($"{Path}/q/remains", Ct)).Problem(404, "not_found");
    }

    private static async Task Register(HttpClient client, string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        Assert.Equal(201, (int)(await client.PostAsync($"{Path}/", content, Ct)).StatusCode);
    }

    private static List<string> Lines(JsonElement changes) => [.. changes.GetProperty("changes").EnumerateArray().Select(change =>
        $"{change.GetProperty("path").GetString()} {change.GetProperty("kind").GetString()} {change.GetProperty("from").GetRawText()} "
            + change.GetProperty("to").GetRawText())];
}
