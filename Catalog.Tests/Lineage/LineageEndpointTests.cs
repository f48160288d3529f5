using System.Net;
using System.Text.Json;
using Catalog.Data.Lineage;
using Catalog.Tests.Support;

namespace Catalog.Tests.Lineage;

[Trait("Category", "Fast")]
public sealed class LineageEndpointsOnSqlite(SqliteTestDatabase database) : LineageEndpointTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class LineageEndpointsOnPostgres(PostgresTestDatabase database) : LineageEndpointTests(database),
    IClassFixture<PostgresTestDatabase>;

public abstract class LineageEndpointTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task Each_direction_is_walked_separately_with_the_least_depth()
    {
        // a -> b -> d, a -> c -> d -> e, and x -> e: x is neither upstream nor downstream of d.
        await Register("p", ("a", "b"), ("b", "d"), ("a", "c"), ("c", "d"), ("d", "e"), ("x", "e"));

        Assert.Equal("d0 b1 c1 e1 a2", await Nodes("d"));
        Assert.Equal("d0 b1 c1 a2", await Nodes("d", "direction=upstream"));
        Assert.Equal("d0 e1", await Nodes("d", "direction=downstream"));
        Assert.Equal("d0 b1 c1", await Nodes("d", "direction=upstream&depth=1"));
        Assert.Equal("d0", await Nodes("d", "depth=0"));
        var graph = await Graph("a", "direction=downstream");
        Assert.Equal(["a-b", "a-c", "b-d", "c-d", "d-e"], Edges(graph));
        Assert.False(graph.GetProperty("truncated").GetBoolean());
        Assert.Equal(0, graph.GetProperty("frontier").GetArrayLength());
    }

    [Fact]
    public async Task Cycles_and_self_edges_end()
    {
        await Register("p", ("a", "b"), ("b", "c"), ("c", "a"), ("c", "c"));

        Assert.Equal("a0 b1 c1", await Nodes("a"));
        Assert.Equal("a0 b1 c2", await Nodes("a", "direction=downstream"));
        Assert.Equal(["a-b", "b-c", "c-a", "c-c"], Edges(await Graph("a", "depth=1000")));
    }

    [Fact]
    public async Task A_chain_of_a_thousand_with_a_cycle_has_the_right_depth_everywhere()
    {
        var chain = Enumerable.Range(0, 999).Select(i => ($"{i}", $"{i + 1}")).Append(("999", "0")).ToArray();
        await Register("p", chain);

        var graph = await Graph("0", "direction=downstream&depth=1000");

        Assert.False(graph.GetProperty("truncated").GetBoolean());
        Assert.Equal(1000, graph.GetProperty("edges").GetArrayLength());
        Assert.Equal(
            Enumerable.Range(0, 1000).Select(i => ($"{i}", i)),
            graph.GetProperty("nodes").EnumerateArray()
                .Select(node => (Short(node.GetProperty("id")), node.GetProperty("depth").GetInt32())));
    }

    [Fact]
    public async Task A_diamond_of_twenty_levels_with_a_million_paths_is_walked_once()
    {
        var edges = Enumerable.Range(0, 20).SelectMany(level =>
            new[] { ($"{level}", $"{level}l"), ($"{level}", $"{level}r"), ($"{level}l", $"{level + 1}"), ($"{level}r", $"{level + 1}") });
        await Register("p", [.. edges]);

        var graph = await Graph("0", "direction=downstream&depth=40");

        Assert.Equal(61, graph.GetProperty("nodes").GetArrayLength());
        Assert.All(graph.GetProperty("nodes").EnumerateArray(), node =>
        {
            var name = Short(node.GetProperty("id"));
            Assert.Equal(int.Parse(name.TrimEnd('l', 'r')) * 2 + (name[^1] is 'l' or 'r' ? 1 : 0), node.GetProperty("depth").GetInt32());
        });
    }

    [Fact]
    public async Task The_budget_ends_a_walk_and_the_frontier_names_where_to_continue()
    {
        await Register("p", [.. Enumerable.Range(0, 50).Select(i => ("hub", $"leaf{i:00}")), ("leaf00", "far")]);
        var start = DatasetId.Of("", $"{Name}.hub");

        var nodes = (await new LineageRepository(Database.Database, new(10, 1000))
            .Walk("default", $"{Name}.hub", LineageDirection.Downstream, 5, null, Ct))!;
        var edges = (await new LineageRepository(Database.Database, new(1000, 20))
            .Walk("default", $"{Name}.hub", LineageDirection.Downstream, 5, null, Ct))!;

        Assert.Equal((10, true), (nodes.Nodes.Count, nodes.Truncated));
        Assert.Contains(start, nodes.Frontier.Select(dataset => dataset.Id));
        Assert.All(nodes.Edges, edge => Assert.Contains(nodes.Nodes, node => node.Dataset.Id == edge.Downstream));
        Assert.Equal((20, true), (edges.Edges.Count, edges.Truncated));
        Assert.Contains(start, edges.Frontier.Select(dataset => dataset.Id));
    }

    [Fact]
    public async Task The_graph_can_be_read_as_of_a_past_time()
    {
        await Register("p", ("a", "b"));
        var then = Uri.EscapeDataString(DateTimeOffset.UtcNow.ToString("O"));
        await Task.Delay(20, Ct);
        await Register("p", ("a", "c"));

        Assert.Equal("a0 c1", await Nodes("a"));
        Assert.Equal("a0 b1", await Nodes("a", $"at={then}"));
        Assert.Equal("a0", await Nodes("a", "at=2001-01-01T00:00:00Z"));
        var edge = (await Graph("a", $"at={then}")).GetProperty("edges")[0];
        Assert.NotNull(edge.GetProperty("valid_to").GetString());
    }

    [Fact]
    public async Task An_id_with_slashes_is_found_by_query_and_by_path()
    {
        await Client.PostJson(
            "/api/v1/pipelines/", new { name = Name, edges = new[] { new { from = $"s3://{Name}/in", to = $"{Name}.out" } } });
        var id = Uri.EscapeDataString($"s3://{Name}/in");

        foreach (var path in new[] { $"/api/v1/lineage?dataset={id}", $"/api/v1/lineage/{id}", $"/lineage/{id}",
            $"/lineage/?dataset={id}" })
        {
            Assert.Equal(2, (await Client.GetJson(path)).GetProperty("nodes").GetArrayLength());
        }

        Assert.Equal($"s3://{Name}/in", (await Client.GetJson($"/api/v1/datasets/{id}")).GetProperty("id").GetString());
    }

    [Fact]
    public async Task Datasets_are_listed_and_read_with_their_pipelines_and_results()
    {
        await Client.PostJson(
            "/api/v1/pipelines/", new
            {
                name = Name + "-1",
                owner = "ann",
                tags = new[] { "gold" },
                edges = new[] { new { from = $"{Name}.a", to = $"{Name}.b" } }
            });
        await Client.PostJson(
            "/api/v1/pipelines/",
            new { name = Name + "-2", owner = "bob", edges = new[] { new { from = $"{Name}.b", to = $"{Name}.c" } } });
        await Client.PostJson(
            "/api/v1/checks/results", new { pipeline_id = Name + "-1", check_id = "rows", status = "fail", dataset = $"{Name}.b" });

        var listed = (await Client.GetJson("/api/v1/datasets/?limit=500&namespace=")).GetProperty("items").EnumerateArray()
            .Select(item => item.GetProperty("id").GetString());
        Assert.Equal([$"{Name}.a", $"{Name}.b", $"{Name}.c"], listed.Where(id => id!.StartsWith(Name, StringComparison.Ordinal)).Order());
        var dataset = await Client.GetJson($"/api/v1/datasets/{Name}.b");
        Assert.Equal(($"[\"{Name}-1\"]", $"[\"{Name}-2\"]"),
            (dataset.GetProperty("produced_by").GetRawText(), dataset.GetProperty("consumed_by").GetRawText()));
        Assert.Equal(
            ("""["ann"]""", """["gold"]"""), (dataset.GetProperty("owners").GetRawText(), dataset.GetProperty("tags").GetRawText()));
        Assert.Equal("rows", dataset.GetProperty("last_results")[0].GetProperty("check_id").GetString());
    }

    [Fact]
    public async Task Impact_names_datasets_pipelines_owners_and_open_failures()
    {
        await Client.PostJson(
            "/api/v1/pipelines/",
            new { name = Name + "-1", owner = "ann", edges = new[] { new { from = $"{Name}.a", to = $"{Name}.b" } } });
        await Client.PostJson(
            "/api/v1/pipelines/",
            new { name = Name + "-2", owner = "bob", edges = new[] { new { from = $"{Name}.b", to = $"{Name}.c" } } });
        await Client.PostJson(
            "/api/v1/pipelines/",
            new { name = Name + "-3", owner = "eve", edges = new[] { new { from = $"{Name}.z", to = $"{Name}.a" } } });
        await Client.PostJson("/api/v1/checks/results",
            new { pipeline_id = Name + "-2", check_id = "rows", status = "fail", dataset = $"{Name}.c", executed_at = "2026-01-02" });
        await Client.PostJson(
            "/api/v1/checks/results", new { pipeline_id = Name + "-2", check_id = "fixed", status = "fail", executed_at = "2026-01-01" });
        await Client.PostJson(
            "/api/v1/checks/results", new { pipeline_id = Name + "-2", check_id = "fixed", status = "pass", executed_at = "2026-01-02" });

        var impact = await Client.GetJson($"/api/v1/lineage/{Name}.a/impact");

        Assert.Equal([$"{Name}.b", $"{Name}.c"], impact.GetProperty("datasets").EnumerateArray()
            .Select(node => node.GetProperty("id").GetString()));
        Assert.Equal("""["ann","bob"]""", impact.GetProperty("owners").GetRawText());
        Assert.Equal([$"{Name}-1", $"{Name}-2"], impact.GetProperty("pipelines").EnumerateArray()
            .Select(pipeline => pipeline.GetProperty("id").GetString()));
        var failure = Assert.Single(impact.GetProperty("pipelines")[1].GetProperty("open_failures").EnumerateArray());
        Assert.Equal(("rows", $"{Name}.c"), (failure.GetProperty("check_id").GetString(), failure.GetProperty("dataset").GetString()));
        Assert.False(impact.GetProperty("truncated").GetBoolean());
    }

    [Theory]
    [InlineData("/api/v1/lineage/nobody", 404, "not_found")]
    [InlineData("/api/v1/lineage/nobody/impact", 404, "not_found")]
    [InlineData("/api/v1/lineage?dataset=nobody", 404, "not_found")]
    [InlineData("/api/v1/datasets/nobody", 404, "not_found")]
    [InlineData("/api/v1/lineage", 422, "invalid")]
    [InlineData("/api/v1/lineage/x?direction=sideways", 422, "invalid")]
    [InlineData("/api/v1/lineage/x?depth=-1", 422, "invalid")]
    [InlineData("/api/v1/lineage/x?depth=1001", 422, "invalid")]
    [InlineData("/api/v1/lineage/x?at=then", 422, "invalid")]
    public async Task Unknown_ids_and_invalid_parameters_are_refused(string path, int status, string code) =>
        await (await Client.GetAsync(path, Ct)).Problem(status, code);

    private async Task Register(string pipeline, params (string From, string To)[] edges) =>
        Assert.Equal(HttpStatusCode.Created, (await Client.PostJson("/api/v1/pipelines/", new
        {
            name = $"{Name}-{pipeline}",
            edges = edges.Select(edge => new { from = $"{Name}.{edge.From}", to = $"{Name}.{edge.To}" }),
        })).StatusCode);

    private Task<JsonElement> Graph(string dataset, string query = "") => Client.GetJson($"/api/v1/lineage/{Name}.{dataset}?{query}");

    private async Task<string> Nodes(string dataset, string query = "") =>
        string.Join(' ', (await Graph(dataset, query)).GetProperty("nodes").EnumerateArray()
        .Select(node => $"{Short(node.GetProperty("id"))}{node.GetProperty("depth").GetInt32()}"));

    private List<string> Edges(JsonElement graph) =>
        [.. graph.GetProperty("edges").EnumerateArray().Select(edge => $"{Short(edge.GetProperty("from"))}-{Short(edge.GetProperty("to"))}")
            .Order(StringComparer.Ordinal)];

    private string Short(JsonElement id) => id.GetString()![(Name.Length + 1)..];
}
