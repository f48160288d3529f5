using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Marquez;

[Trait("Category", "Fast")]
public sealed class MarquezEndpointsOnSqlite(SqliteTestDatabase database) : MarquezEndpointTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class MarquezEndpointsOnPostgres(PostgresTestDatabase database) : MarquezEndpointTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>The routes that Marquez's web UI calls, on events that are posted to the service.</summary>
public abstract class MarquezEndpointTests(TestDatabase database) : MarquezSteps(database)
{
    // A slash, a percent sign, the text %2F, and colons before digits and slashes.
    private string Hostile => $"{Name}/a%2Fb: 7://x";

    [Fact]
    public async Task Jobs_have_their_latest_runs_datasets_facets_and_parents()
    {
        await PostAll();

        var list = await Get($"/namespaces/{Jobs}/jobs?limit=20&offset=0");
        Assert.Equal(3, list.GetProperty("totalCount").GetInt64());
        Assert.Equal(["daily", "daily.load", "daily.report"], Names(list, "jobs"));
        var job = list.GetProperty("jobs")[1];
        Assert.Equal(["id", "type", "name", "simpleName", "parentJobName", "parentJobUuid", "createdAt", "updatedAt", "namespace", "inputs",
            "outputs", "location", "description", "latestRun", "latestRuns", "facets", "currentVersion", "labels", "tags"], Members(job));
        Assert.Equal((Jobs, "daily.load"), Id(job.GetProperty("id")));
        Assert.Equal(("BATCH", "load", "daily"), (Text(job, "type"), Text(job, "simpleName"), Text(job, "parentJobName")));
        Assert.Equal(("https://example.com/load.sql", "Loads orders"), (Text(job, "location"), Text(job, "description")));
        Assert.Equal("select 1", Text(job.GetProperty("facets").GetProperty("sql"), "query"));
        Assert.Equal(["core", "team:x"], job.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
        Assert.Equal([(Warehouse, $"{Name}.raw")], job.GetProperty("inputs").EnumerateArray().Select(Id));
        Assert.Equal([(Warehouse, $"{Name}.orders")], job.GetProperty("outputs").EnumerateArray().Select(Id));
        Assert.Equal([$"{Name}-2", $"{Name}-1"], job.GetProperty("latestRuns").EnumerateArray().Select(run => Text(run, "id")));
        var run = job.GetProperty("latestRun");
        Assert.Equal(["id", "createdAt", "updatedAt", "nominalStartTime", "nominalEndTime", "state", "startedAt", "endedAt", "durationMs",
            "args", "jobVersion", "inputDatasetVersions", "outputDatasetVersions", "facets"], Members(run));
        Assert.Equal(("FAILED", 90_000), (Text(run, "state"), run.GetProperty("durationMs").GetInt64()));
        Assert.Equal("no such table", Text(run.GetProperty("facets").GetProperty("errorMessage"), "message"));
        Assert.Equal("2026-01-02T00:00:00Z", Text(run, "nominalStartTime"));
        Assert.Equal(JsonValueKind.Null, run.GetProperty("nominalEndTime").ValueKind);

        var one = await Get($"/namespaces/{Jobs}/jobs/daily.load");
        Assert.Equal(job.GetProperty("latestRun").GetRawText(), one.GetProperty("latestRun").GetRawText());
        Assert.Equal([$"{Name}.orders"], (await Get($"/namespaces/{Jobs}/jobs/daily.report")).GetProperty("inputs").EnumerateArray()
            .Select(input => Text(input, "name")));
    }

    [Fact]
    public async Task Jobs_are_filtered_by_the_state_of_their_latest_run()
    {
        await PostAll();

        // The failed check is of severity error, so it fails the run of the report.
        Assert.Equal(["daily.load", "daily.report"], Names(await Get($"/namespaces/{Jobs}/jobs?lastRunStates=FAILED"), "jobs"));
        var failedOrNew = $"/namespaces/{Jobs}/jobs?lastRunStates=FAILED&lastRunStates=NEW";
        Assert.Equal(["daily", "daily.load", "daily.report"], Names(await Get(failedOrNew), "jobs"));
        // No event reports the run of the parent. Only events of its tasks name it, so its state is NEW.
        Assert.Equal(["daily"], Names(await Get($"/namespaces/{Jobs}/jobs?lastRunStates=NEW"), "jobs"));
        Assert.Equal(3, (await Get($"{failedOrNew}&limit=1")).GetProperty("totalCount").GetInt64());
        Assert.Equal(["daily.load"], Names(await Get($"/namespaces/{Jobs}/jobs?limit=1&offset=1"), "jobs"));
        Assert.Contains("daily.load", Names(await Get("/jobs?lastRunStates=FAILED&limit=200"), "jobs"));
    }

    [Fact]
    public async Task A_job_that_never_ran_has_null_instead_of_an_empty_list_of_runs()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name, edges = new[] { new { from = $"{Name}.a", to = $"{Name}.b" } } });

        var job = await Get($"/namespaces/default/jobs/{Name}");

        Assert.Equal(("default", Name), Id(job.GetProperty("id")));
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null),
            (job.GetProperty("latestRun").ValueKind, job.GetProperty("latestRuns").ValueKind));
        Assert.Equal([("default", $"{Name}.a")], job.GetProperty("inputs").EnumerateArray().Select(Id));
        Assert.Contains(Name, Names(await Get("/namespaces/default/jobs?limit=200"), "jobs"));
        Assert.Contains(Name, Names(await Get("/jobs?limit=200"), "jobs"));
        Assert.Equal(["a", "b"], Names(await Get("/namespaces/default/datasets?limit=200"), "datasets")
            .Where(name => name.StartsWith(Name, StringComparison.Ordinal)).Select(name => name[^1..]));
        Assert.Equal([$"dataset:default:{Name}.a", $"dataset:default:{Name}.b", $"job:default:{Name}"],
            NodeIds(await Get($"/lineage?nodeId=job:default:{Name}")));
    }

    [Fact]
    public async Task Runs_have_facets_of_themselves_and_of_their_job()
    {
        await PostAll();

        var runs = await Get($"/namespaces/{Jobs}/jobs/daily.load/runs?limit=1");
        Assert.Equal((2, $"{Name}-2"), (runs.GetProperty("totalCount").GetInt64(), Text(runs.GetProperty("runs")[0], "id")));
        var run = await Get($"/jobs/runs/{Name}-1");
        Assert.Equal(("COMPLETED", "daily.load"), (Text(run, "state"), Text(run.GetProperty("jobVersion"), "name")));
        Assert.Equal($"{Name}.orders", Text(run.GetProperty("outputDatasetVersions")[0].GetProperty("datasetVersionId"), "name"));
        var ofRun = (await Get($"/jobs/runs/{Name}-2/facets?type=run")).GetProperty("facets");
        Assert.Equal("no such table", Text(ofRun.GetProperty("errorMessage"), "message"));
        var ofJob = (await Get($"/jobs/runs/{Name}-2/facets?type=job")).GetProperty("facets");
        Assert.Equal("select 1", Text(ofJob.GetProperty("sql"), "query"));
        var version = (await Get($"/namespaces/{Jobs}/jobs/daily.load/versions")).GetProperty("versions")[0];
        Assert.Equal(version.GetRawText(),
            (await Get($"/namespaces/{Jobs}/jobs/daily.load/versions/{Text(version, "version")}")).GetRawText());
    }

    [Fact]
    public async Task Datasets_have_columns_tags_assertions_and_the_sources_of_columns()
    {
        await PostAll();

        var path = $"/namespaces/{Uri.EscapeDataString(Warehouse)}/datasets";
        var list = await Get($"{path}?limit=200");
        var dataset = list.GetProperty("datasets").EnumerateArray().Single(item => Text(item, "name") == $"{Name}.orders");
        Assert.Equal(["id", "type", "name", "physicalName", "createdAt", "updatedAt", "namespace", "sourceName", "fields", "tags",
            "lastModifiedAt", "lastLifecycleState", "description", "currentVersion", "columnLineage", "facets",
            "deleted"], Members(dataset));
        Assert.Equal(("DB_TABLE", Warehouse, "warehouse"),
            (Text(dataset, "type"), Text(dataset, "namespace"), Text(dataset, "sourceName")));
        Assert.Equal(("All orders", "CREATE"), (Text(dataset, "description"), Text(dataset, "lastLifecycleState")));
        Assert.Equal(["gold"], dataset.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
        Assert.Equal("""{"name":"id","type":"bigint","tags":["pii"],"description":"The id"}""",
            dataset.GetProperty("fields")[0].GetRawText());
        Assert.Equal("""{"name":"total","type":null,"tags":[],"description":null}""", dataset.GetProperty("fields")[1].GetRawText());
        Assert.Equal([("not_null", "id", true), ("unique", "id", false)], dataset.GetProperty("facets").GetProperty("dataQualityAssertions")
            .GetProperty("assertions").EnumerateArray()
            .Select(item => (Text(item, "assertion"), Text(item, "column"), item.GetProperty("success").GetBoolean())));
        var source = dataset.GetProperty("columnLineage")[0];
        Assert.Equal(("id", "DIRECT", "copied"),
            (Text(source, "name"), Text(source, "transformationType"), Text(source, "transformationDescription")));
        Assert.Equal((Warehouse, $"{Name}.raw", "order_id"), (Text(source.GetProperty("inputFields")[0], "namespace"),
            Text(source.GetProperty("inputFields")[0], "dataset"), Text(source.GetProperty("inputFields")[0], "field")));

        var one = await Get($"{path}/{Name}.orders");
        Assert.Equal(dataset.GetProperty("fields").GetRawText(), one.GetProperty("fields").GetRawText());
        Assert.Equal(JsonValueKind.Null, (await Get($"{path}/{Name}.raw")).GetProperty("columnLineage").ValueKind);
        Assert.Equal(list.GetProperty("totalCount").GetInt64(),
            (await Get($"{path}?limit=1&offset=1")).GetProperty("totalCount").GetInt64());
    }

    [Fact]
    public async Task Versions_of_a_dataset_are_the_runs_that_wrote_it()
    {
        await PostAll();

        var path = $"/namespaces/{Uri.EscapeDataString(Warehouse)}/datasets/{Name}.orders/versions";
        var versions = await Get($"{path}?limit=10&offset=0");

        Assert.Equal(2, versions.GetProperty("totalCount").GetInt64());
        Assert.Equal([$"{Name}-2", $"{Name}-1"],
            versions.GetProperty("versions").EnumerateArray().Select(version => Text(version.GetProperty("createdByRun"), "id")));
        // The first run wrote the table before its second column existed.
        Assert.Equal([2, 1],
            versions.GetProperty("versions").EnumerateArray().Select(version => version.GetProperty("fields").GetArrayLength()));
        var first = versions.GetProperty("versions")[1];
        Assert.Equal("CREATE", Text(first, "lifecycleState"));
        Assert.Equal(first.GetRawText(), (await Get($"{path}/{Text(first, "version")}")).GetRawText());
        Assert.Equal(Text(versions.GetProperty("versions")[0], "version"), Text(await Get(path[..^9]), "currentVersion"));
    }

    [Fact]
    public async Task Names_with_slashes_percent_signs_and_colons_are_found_again()
    {
        await Post("COMPLETE", "2026-01-01T00:00:00Z", Hostile, Hostile, $"{Name}-h",
            outputs: $$"""[{"namespace":"s3://b/{{Hostile}}","name":"{{Hostile}}"}]""");
        var (ns, job, dataset) = (Uri.EscapeDataString(Hostile), Uri.EscapeDataString(Hostile), Uri.EscapeDataString($"s3://b/{Hostile}"));

        Assert.Equal((Hostile, Hostile), Id((await Get($"/namespaces/{ns}/jobs/{job}")).GetProperty("id")));
        Assert.Equal([Hostile], Names(await Get($"/namespaces/{ns}/jobs"), "jobs"));
        Assert.Equal([Hostile], Names(await Get($"/namespaces/{dataset}/datasets"), "datasets"));
        Assert.Equal(($"s3://b/{Hostile}", Hostile), Id((await Get($"/namespaces/{dataset}/datasets/{job}")).GetProperty("id")));
        Assert.Equal(1, (await Get($"/namespaces/{ns}/jobs/{job}/runs")).GetProperty("totalCount").GetInt64());
        foreach (var node in new[] { $"job:{Hostile}:{Hostile}", $"dataset:s3://b/{Hostile}:{Hostile}" })
        {
            Assert.Equal([$"dataset:s3://b/{Hostile}:{Hostile}", $"job:{Hostile}:{Hostile}"],
                NodeIds(await Get($"/lineage?nodeId={Uri.EscapeDataString(node)}")));
        }

        // A namespace whose name is the beginning of another name has only its own jobs. The letter case of the name
        // must match.
        await Post("COMPLETE", "2026-01-01T00:00:00Z", Name, "x", $"{Name}-x");
        Assert.Equal(["x"], Names(await Get($"/namespaces/{Name}/jobs"), "jobs"));
        Assert.Empty(Names(await Get($"/namespaces/{Name.ToUpperInvariant()}/jobs"), "jobs"));
    }

    [Fact]
    public async Task Namespaces_tags_and_events_are_listed()
    {
        await PostAll();

        var namespaces = await Get("/namespaces");
        var own = namespaces.GetProperty("namespaces").EnumerateArray().Single(item => Text(item, "name") == Jobs);
        Assert.Equal(["name", "createdAt", "updatedAt", "ownerName", "description", "isHidden"], Members(own));
        Assert.Equal(own.GetRawText(), (await Get($"/namespaces/{Jobs}")).GetRawText());
        Assert.Contains(namespaces.GetProperty("namespaces").EnumerateArray(), item => Text(item, "name") == Warehouse);
        Assert.Contains("""{"name":"team:x","description":null}""",
            (await Get("/tags")).GetProperty("tags").EnumerateArray().Select(tag => tag.GetRawText()));

        var now = DateTimeOffset.UtcNow;
        var events = await Get(
            $"/events/lineage?limit=100&before=&after={now.AddMinutes(-5):yyyy-MM-dd'T'HH:mm:ss.000'Z'}&offset=0&sortDirection=desc");
        var mine = events.GetProperty("events").EnumerateArray().Where(item => Text(item.GetProperty("job"), "namespace") == Jobs).ToList();
        Assert.Equal(5, mine.Count);
        Assert.All(mine, item => Assert.StartsWith(Name, Text(item.GetProperty("run"), "runId"), StringComparison.Ordinal));
        Assert.True(events.GetProperty("totalCount").GetInt64() >= 5);
        Assert.Equal(0, (await Get("/events/lineage?before=2020-01-01")).GetProperty("totalCount").GetInt64());
        Assert.Equal(0, (await Get("/events/lineage?after=2100-01-01T00:00:00")).GetProperty("events").GetArrayLength());
        Assert.Equal(1, (await Get("/events/lineage?limit=1&offset=1&sortDirection=ASC")).GetProperty("events").GetArrayLength());
    }

    [Fact]
    public async Task A_search_finds_jobs_and_datasets_and_leaves_the_catalogs_own_search_as_it_is()
    {
        await PostAll();
        await Post("COMPLETE", "2026-01-01T00:00:00Z", Jobs, $"{Name}_job", $"{Name}-s");

        var all = await Get($"/search?q={Name.ToUpperInvariant()}&sort=NAME&limit=100");
        Assert.Equal([$"{Name}.orders", $"{Name}.raw", $"{Name}_job"],
            all.GetProperty("results").EnumerateArray().Select(hit => Text(hit, "name")));
        Assert.Equal(["type", "name", "updatedAt", "namespace", "nodeId"], Members(all.GetProperty("results")[0]));
        Assert.Equal($"dataset:{Warehouse}:{Name}.orders", Text(all.GetProperty("results")[0], "nodeId"));
        Assert.Equal(3, all.GetProperty("totalCount").GetInt64());
        Assert.Equal(1, (await Get($"/search?q={Name}&sort=UPDATE_AT&filter=JOB")).GetProperty("totalCount").GetInt64());
        Assert.Equal(0, (await Get($"/search?q={Name}&filter=dataset&namespace=other")).GetProperty("totalCount").GetInt64());
        Assert.Equal(0, (await Get($"/search?q={Name}&before=2020-01-01")).GetProperty("totalCount").GetInt64());
        Assert.True((await Get($"/search?q={Name}")).TryGetProperty("pipelines", out _));
        Assert.True((await Get($"/lineage?dataset={Uri.EscapeDataString($"{Warehouse}/{Name}.raw")}")).TryGetProperty("nodes", out _));
    }

    [Theory]
    [InlineData("DAY", "Europe/Berlin", 24)]
    [InlineData("week", "America/New_York", 7)]
    [InlineData("WEEK", "", 7)]
    public async Task Charts_have_a_count_for_each_interval(string period, string zone, int intervals)
    {
        await Post("START", $"{DateTimeOffset.UtcNow:O}", Jobs, "now", $"{Name}-now",
            outputs: $$"""[{"namespace":"{{Warehouse}}","name":"{{Name}}.now"}]""");
        await Post("FAIL", $"{DateTimeOffset.UtcNow:O}", Jobs, "now", $"{Name}-now");

        var events = await Get($"/stats/lineage-events?period={period}&timezone={zone}");

        Assert.Equal(intervals, events.GetArrayLength());
        Assert.Equal(["startInterval", "endInterval", "fail", "start", "complete", "abort"], Members(events[0]));
        // The run may have started before the last full hour, so the last two intervals count.
        var last = events.EnumerateArray().TakeLast(2).ToList();
        Assert.True(last.Sum(row => row.GetProperty("start").GetInt64()) >= 1);
        Assert.True(last.Sum(row => row.GetProperty("fail").GetInt64()) >= 1);
        foreach (var asset in new[] { "jobs", "datasets", "sources" })
        {
            var counts = await Get($"/stats/{asset}?period={period}&timezone={zone}");
            Assert.Equal(intervals, counts.GetArrayLength());
            Assert.Equal(["startInterval", "endInterval", "count"], Members(counts[0]));
            Assert.True(counts[intervals - 1].GetProperty("count").GetInt64() >= 1);
            Assert.Equal(0, counts[0].GetProperty("count").GetInt64());
        }
    }

    private static List<string> Names(JsonElement list, string collection) =>
        [.. list.GetProperty(collection).EnumerateArray().Select(item => Text(item, "name")!)];

    private static (string?, string?) Id(JsonElement id) => (Text(id, "namespace"), Text(id, "name"));
}
