using Catalog.Tests.Support;

namespace Catalog.Tests.Pages;

[Trait("Category", "Fast")]
public sealed class EventPagesOnSqlite(SqliteTestDatabase database) : EventPageTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class EventPagesOnPostgres(PostgresTestDatabase database) : EventPageTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>What the pages show of events of OpenLineage.</summary>
public abstract class EventPageTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Hostile = "<b>x</b>\"'&";

    [Fact]
    public async Task A_run_shows_its_tree_and_what_it_read_and_wrote()
    {
        using var client = await App.Organization(Name);
        await Post(client, "load", "load-1", "COMPLETE", "2026-01-01T00:00:00Z", [], ["raw"]);
        await Post(client, "dag", "dag-1", "START", "2026-01-01T00:59:00Z", [], []);
        await Post(client, "report", "report-1", "START", "2026-01-01T01:00:00Z", ["raw"], ["report"], parent: "dag-1");
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/runs/report-1");

        Assert.Contains("Started bydag-1 running of jobs/dag", page.Texts("#lineage dl")[0], StringComparison.Ordinal);
        Assert.Equal(["db/raw", "read", "12", "written by load-1 completed of jobs/load"], page.Rows("#lineage table")[0]);
        Assert.Equal(["db/report", "written", "12", "not read yet"], page.Rows("#lineage table")[1]);
        var parent = await browser.Open("/ui/runs/dag-1");
        Assert.Contains("Started report-1 running", parent.Texts("#lineage dl")[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dataset_shows_its_readiness_schema_writes_and_metrics()
    {
        using var client = await App.Organization(Name);
        await Post(client, "load", "load-1", "COMPLETE", "2026-01-01T00:00:00Z", [], ["raw"], type: "int");
        await Post(client, "load", "load-2", "FAIL", "2026-01-02T00:00:00Z", [], ["raw"], type: "bigint");
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/datasets/db%2Fraw");

        Assert.Equal("not ready", page.Texts("section[aria-labelledby=readiness] .head .status-word")[0]);
        Assert.NotEmpty(page.Texts("section[aria-labelledby=readiness] li"));
        Assert.Equal(["id", "bigint", Hostile], page.Rows("section[aria-labelledby=schema] table")[0]);
        Assert.Contains("type changed: id (int to bigint)", page.Texts("section[aria-labelledby=schema] ul")[0], StringComparison.Ordinal);
        Assert.Equal(["load-2", "2026-01-02 00:00:00", "12", "–", "–"], page.Rows("section[aria-labelledby=measures] table")[0]);
        Assert.Contains("12", page.Texts("section[aria-labelledby=measures]")[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_lineage_of_columns_is_a_table()
    {
        using var client = await App.Organization(Name);
        await Post(client, "report", "report-1", "COMPLETE", "2026-01-01T01:00:00Z", ["raw"], ["report"]);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/lineage/columns?dataset=db%2Freport&column=id");

        Assert.Contains(page.Rows("section[aria-labelledby=edges] table"), row =>
            row.SequenceEqual(["id of db/raw", "id of db/report", "direct: identity", "jobs/report", "2026-01-01 01:00:00"]));
        Assert.Contains("No event reports", (await browser.Open("/ui/lineage/columns?dataset=db%2Fraw&column=other")).Text,
            StringComparison.Ordinal);
        await browser.Open("/ui/lineage/columns?dataset=none", 404);
        await browser.Open("/ui/lineage/columns", 422);
        await browser.Open("/ui/lineage/columns?dataset=db%2Fraw&depth=21", 422);
    }

    [Fact]
    public async Task Parts_that_were_not_understood_are_listed()
    {
        using var client = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, client, "read");
        Assert.Contains("Everything", (await browser.Open("/ui/unread-facets")).Text, StringComparison.Ordinal);
        await Post(client, "load", "load-1", "COMPLETE", "2026-01-01T00:00:00Z", [], ["raw"]);

        var row = (await browser.Open("/ui/unread-facets")).Rows().Single(row => row[0] == "ownFacet");

        Assert.Equal(["output", "no part of this name is known", "1"], row[1..4]);
    }

    private static async Task Post(HttpClient client, string job, string run, string eventType, string time, string[] inputs,
        string[] outputs, string? parent = null, string type = "int")
    {
        object Dataset(string name) => new
        {
            @namespace = "db",
            name,
            facets = new
            {
                schema = new { fields = new[] { new { name = "id", type, description = Hostile } } },
                dataQualityMetrics = new { rowCount = 12, columnMetrics = new { id = new { nullCount = 3 } } },
                ownFacet = new { value = 1 },
                columnLineage = new
                {
                    fields = inputs.Length == 0 ? null : new Dictionary<string, object>
                    {
                        ["id"] = new
                        {
                            inputFields = new[]
                            {
                                new
                                {
                                    @namespace = "db", name = inputs[0], field = "id",
                                    transformations = new[] { new { type = "DIRECT", subtype = "IDENTITY" } },
                                },
                            },
                        },
                    },
                },
            },
            outputFacets = new { outputStatistics = new { rowCount = 12 } },
            inputFacets = new { inputStatistics = new { rowCount = 12 } },
        };
        var answer = await client.PostJson("/api/v1/lineage", new
        {
            eventType,
            eventTime = time,
            run = new
            {
                runId = run,
                facets = parent is null ? null : new
                {
                    parent = new { run = new { runId = parent }, job = new { @namespace = "jobs", name = "dag" } },
                },
            },
            job = new { @namespace = "jobs", name = job },
            inputs = inputs.Select(Dataset),
            outputs = outputs.Select(Dataset),
            producer = "test",
        });
        Assert.Equal(201, (int)answer.StatusCode);
    }
}
