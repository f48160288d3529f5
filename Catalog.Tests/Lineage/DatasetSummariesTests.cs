using Catalog.Data.Lineage;
using Catalog.Tests.Support;

namespace Catalog.Tests.Lineage;

[Trait("Category", "Fast")]
public sealed class DatasetSummariesOnSqlite(SqliteTestDatabase database)
    : DatasetSummariesTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class DatasetSummariesOnPostgres(PostgresTestDatabase database) : DatasetSummariesTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>What a drawing of the graph shows about its datasets.</summary>
public abstract class DatasetSummariesTests(TestDatabase database) : EndpointTestBase(database)
{
    private DatasetSummaries States => new(Database.Database);

    [Fact]
    public async Task Neighbours_are_counted_once_now_and_at_a_time()
    {
        using var client = await App.Organization(Name);
        await Register(client, "p", ("a", "b"), ("x", "b"), ("b", "c"), ("b", "b"));
        await Register(client, "q", ("a", "b"), ("b", "d"));
        var then = DateTimeOffset.UtcNow;
        await Register(client, "q", ("b", "e"));

        var now = await States.Neighbours(Name, [DatasetId.Of("b"), DatasetId.Of("a"), DatasetId.Of("nobody")], null, Ct);
        var before = await States.Neighbours(Name, [DatasetId.Of("b"), DatasetId.Of("e")], then.AddYears(-1), Ct);

        // The self-loop makes b a neighbour of itself on both sides.
        Assert.Equal((3L, 3L), (now[DatasetId.Of("b")].Upstream, now[DatasetId.Of("b")].Downstream));
        Assert.Equal((0L, 1L), (now[DatasetId.Of("a")].Upstream, now[DatasetId.Of("a")].Downstream));
        Assert.Equal(2, now.Count);
        Assert.All(before.Values, counts => Assert.Equal((0L, 0L), (counts.Upstream, counts.Downstream)));
        Assert.Empty(await States.Neighbours("another", [DatasetId.Of("b")], null, Ct));
    }

    [Fact]
    public async Task Producers_are_the_pipelines_of_current_edges_to_a_dataset()
    {
        using var client = await App.Organization(Name);
        await Register(client, "z", ("a", "b"), ("x", "b"), ("b", "c"));
        await Register(client, "y", ("a", "b"));
        await Register(client, "old", ("a", "b"));
        await Register(client, "old", ("b", "other"));

        var producers = await States.Producers(Name, [DatasetId.Of("a"), DatasetId.Of("b"), DatasetId.Of("c")], Ct);

        Assert.Equal(["y", "z"], producers[DatasetId.Of("b")]);
        Assert.Equal(["z"], producers[DatasetId.Of("c")]);
        Assert.Empty(producers[DatasetId.Of("a")]);
    }

    [Fact]
    public async Task Checks_are_counted_by_dataset_and_latest_status()
    {
        using var client = await App.Organization(Name);
        await Register(client, "p", ("a", "b"));
        await Post(client, "p", "one", "b", "fail", "2025-01-01T00:00:00Z");
        await Post(client, "p", "one", "b", "pass", "2025-01-02T00:00:00Z");
        await Post(client, "p", "two", "b", "pass", "2025-01-02T00:00:00Z");
        await Post(client, "p", "three", "b", "fail", "2025-01-02T00:00:00Z");
        await Post(client, "p", "four", null, "fail", "2025-01-02T00:00:00Z");
        await Post(client, "q", "five", "b", "warn", "2025-01-02T00:00:00Z");

        var checks = await States.Checks(Name, ["p"], Ct);

        Assert.Equal([("fail", 1L), ("pass", 2L)], checks["b"].Select(count => (count.Status, count.Count)).Order());
        Assert.Single(checks);
    }

    [Fact]
    public async Task The_edges_of_a_pipeline_are_a_graph_of_its_datasets()
    {
        using var client = await App.Organization(Name);
        await Register(client, "p", ("a", "b"), ("b", "c"), ("old", "c"));
        await Register(client, "p", ("a", "b"), ("b", "c"));
        await Register(client, "q", ("a", "z"));
        var datasets = new DatasetRepository(Database.Database);

        var all = await datasets.OfPipeline(Name, "p", 10, Ct);
        var one = await datasets.OfPipeline(Name, "p", 1, Ct);

        Assert.Equal(["a", "b", "c"], all.Nodes.Select(node => node.Dataset.DisplayId));
        Assert.Equal((2, false), (all.Edges.Count, all.Truncated));
        Assert.Equal((1, 2, true), (one.Edges.Count, one.Nodes.Count, one.Truncated));
        Assert.Empty((await datasets.OfPipeline(Name, "nobody", 10, Ct)).Nodes);
    }

    private static Task Register(HttpClient client, string name, params (string From, string To)[] edges) => client.PostJson(
        "/api/v1/pipelines/", new { name, edges = edges.Select(edge => new { from = edge.From, to = edge.To }) });

    private static Task Post(HttpClient client, string pipeline, string check, string? dataset, string status, string at) =>
        client.PostJson("/api/v1/checks/results", new
        {
            id = $"{pipeline}-{check}-{at}",
            pipeline_id = pipeline,
            check_id = check,
            dataset,
            status,
            severity = "error",
            executed_at = at,
        });
}
