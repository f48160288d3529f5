using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Marquez;

[Trait("Category", "Fast")]
public sealed class MarquezGraphOnSqlite(SqliteTestDatabase database) : MarquezGraphTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class MarquezGraphOnPostgres(PostgresTestDatabase database) : MarquezGraphTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>The graphs of jobs and datasets, and of columns.</summary>
public abstract class MarquezGraphTests(TestDatabase database) : MarquezSteps(database)
{
    [Fact]
    public async Task The_graph_has_jobs_and_datasets_with_edges_that_lead_to_nodes_of_the_graph()
    {
        await PostAll();
        string[] whole =
        [
            $"dataset:{Warehouse}:{Name}.orders", $"dataset:{Warehouse}:{Name}.raw", $"job:{Jobs}:daily.load", $"job:{Jobs}:daily.report",
        ];

        foreach (var start in whole)
        {
            foreach (var path in new[] { "/lineage", "/lineage/" })
            {
                var graph = await Get($"{path}?nodeId={Uri.EscapeDataString(start)}&depth=2");

                Assert.Equal(whole, NodeIds(graph));
                AssertClosed(graph);
            }
        }

        var one = await Get($"/lineage?nodeId={Uri.EscapeDataString(whole[0])}");
        var orders = one.GetProperty("graph")[0];
        Assert.Equal(["id", "type", "data", "inEdges", "outEdges"], Members(orders));
        Assert.Equal("DATASET", Text(orders, "type"));
        Assert.Equal($$"""[{"origin":"{{whole[2]}}","destination":"{{whole[0]}}"}]""", orders.GetProperty("inEdges").GetRawText());
        Assert.Equal($$"""[{"origin":"{{whole[0]}}","destination":"{{whole[3]}}"}]""", orders.GetProperty("outEdges").GetRawText());
        Assert.Equal("FAILED", Text(one.GetProperty("graph")[2].GetProperty("data").GetProperty("latestRun"), "state"));
        Assert.Equal([whole[0]], NodeIds(await Get($"/lineage?nodeId={Uri.EscapeDataString(whole[0])}&depth=0")));
        Assert.Equal([$"job:{Jobs}:daily"], NodeIds(await Get($"/lineage?nodeId=job:{Jobs}:daily")));
    }

    [Fact]
    public async Task The_graph_of_columns_follows_a_dataset_or_a_column()
    {
        await PostAll();
        var (id, raw) = ($"datasetField:{Warehouse}:{Name}.orders:id", $"datasetField:{Warehouse}:{Name}.raw:order_id");

        foreach (var (start, query) in new[]
        {
            ($"dataset:{Warehouse}:{Name}.orders", ""), (id, ""), (raw, "&withDownstream=true"),
            ($"dataset:{Warehouse}:{Name}.raw", "&withDownstream=true"),
        })
        {
            var graph = await Get($"/column-lineage?nodeId={Uri.EscapeDataString(start)}&depth=2{query}");

            Assert.Equal([id, raw], NodeIds(graph));
            Assert.Equal("DATASET_FIELD", Text(graph.GetProperty("graph")[0], "type"));
            Assert.Equal($$"""[{"origin":"{{id}}","destination":"{{raw}}"}]""",
                graph.GetProperty("graph")[0].GetProperty("inEdges").GetRawText());
            Assert.Equal($$"""[{"origin":"{{raw}}","destination":"{{id}}"}]""",
                graph.GetProperty("graph")[1].GetProperty("outEdges").GetRawText());
            var data = graph.GetProperty("graph")[0].GetProperty("data");
            Assert.Equal(["namespace", "dataset", "datasetVersion", "field", "fieldType", "transformationDescription", "transformationType",
                "inputFields"], Members(data));
            Assert.Equal(("id", "bigint", "DIRECT"), (Text(data, "field"), Text(data, "fieldType"), Text(data, "transformationType")));
            Assert.Equal("order_id", Text(data.GetProperty("inputFields")[0], "field"));
        }

        Assert.Empty(NodeIds(await Get($"/column-lineage?nodeId={Uri.EscapeDataString(raw)}")));
    }

    private static void AssertClosed(JsonElement graph)
    {
        var ids = NodeIds(graph).ToHashSet(StringComparer.Ordinal);
        foreach (var node in graph.GetProperty("graph").EnumerateArray())
        {
            Assert.All(node.GetProperty("inEdges").EnumerateArray(), edge =>
                Assert.True(ids.Contains(Text(edge, "origin")!) && Text(edge, "destination") == Text(node, "id")));
            Assert.All(node.GetProperty("outEdges").EnumerateArray(), edge =>
                Assert.True(ids.Contains(Text(edge, "destination")!) && Text(edge, "origin") == Text(node, "id")));
        }
    }
}
