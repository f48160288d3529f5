using System.Net;
using System.Text.Json;
using Catalog.Data.Database;
using Catalog.Data.Lineage;
using Catalog.Tests.Support;

namespace Catalog.Tests.Lineage;

[Trait("Category", "Fast")]
public sealed class LineagePathsOnSqlite(SqliteTestDatabase database) : LineagePathTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class LineagePathsOnPostgres(PostgresTestDatabase database) : LineagePathTests(database),
    IClassFixture<PostgresTestDatabase>;

public abstract class LineagePathTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task All_shortest_paths_are_read_with_the_pipelines_between()
    {
        using var client = await App.Organization(Name);
        // From a to d there are two paths of two hops and one of three. The datasets x and y and the edge from d to a
        // are on no shortest path.
        await Register(client, "p", ("a", "b"), ("b", "d"), ("a", "c"), ("c", "d"), ("a", "x"), ("x", "y"), ("y", "d"), ("d", "a"));
        await Register(client, "q", ("c", "d"));

        var path = await Path(client, "from=a&to=d");

        Assert.Equal((true, 2, false), (path.GetProperty("found").GetBoolean(), path.GetProperty("hops").GetInt32(),
            path.GetProperty("truncated").GetBoolean()));
        Assert.Equal("a0 b1 c1 d2", Nodes(path));
        Assert.Equal(["a-b p", "a-c p", "b-d p", "c-d p", "c-d q"], Edges(path));
        Assert.Equal("d0 a1 x2", Nodes(await Path(client, "from=d&to=x")));
    }

    [Fact]
    public async Task Without_a_path_the_answer_is_clear_and_says_whether_a_limit_ended_the_search()
    {
        using var client = await App.Organization(Name);
        await Register(client, "p", [("alone", "other"), .. Enumerable.Range(0, 6).Select(i => ($"c{i}", $"c{i + 1}"))]);

        Assert.Equal("not found", Answer(await Path(client, "from=c6&to=c0")));
        Assert.Equal("not found", Answer(await Path(client, "from=c0&to=other")));
        Assert.Equal("not found, truncated", Answer(await Path(client, "from=c0&to=c6&depth=5")));
        Assert.Equal("6 hops", Answer(await Path(client, "from=c0&to=c6&depth=6")));
        Assert.Equal("0 hops", Answer(await Path(client, "from=c3&to=c3&depth=0")));
        Assert.Equal("not found", Answer(await Path(client, "from=c0&to=c1&at=2001-01-01T00:00:00Z")));
        Assert.Equal(JsonValueKind.Null, (await Path(client, "from=c6&to=c0")).GetProperty("hops").ValueKind);
    }

    [Fact]
    public async Task A_hub_at_either_end_does_not_hide_a_path()
    {
        using var client = await App.Organization(Name);
        await Register(client, "p", [
            ("hub", "m"), ("m", "end"), .. Enumerable.Range(0, 300).Select(i => ("hub", $"leaf{i:000}")),
            .. Enumerable.Range(0, 300).Select(i => ($"source{i:000}", "sink")), ("m", "sink")]);
        // The budget is 50 datasets, so the walk from each end may read 25 datasets.
        var paths = new LineagePaths(Database.Database, new(50, 400));

        Assert.Equal(2, (await paths.Find(Name, "hub", "end", 1000, null, Ct))!.Hops);
        Assert.Equal(1, (await paths.Find(Name, "m", "sink", 1000, null, Ct))!.Hops);
        var cut = (await paths.Find(Name, "hub", "sink", 1000, null, Ct))!;
        Assert.Equal((null, true), (cut.Hops, cut.Graph.Truncated));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Paths_are_those_of_a_plain_search_under_every_budget(int seed)
    {
        var random = new Random(seed);
        using var client = await App.Organization(Name);
        var edges = Enumerable.Range(0, 20).Select(_ => (From: $"n{random.Next(12)}", To: $"n{random.Next(12)}")).Distinct().ToList();
        await Register(client, "p", [.. edges, .. Enumerable.Range(0, 12).Select(i => ($"n{i}", $"n{i}"))]);
        var (found, cut) = (0, 0);

        foreach (var budget in new LineageBudget[] { LineageBudget.Default, new(4, 100), new(8, 100), new(100, 6), new(100, 12) })
        {
            foreach (var (from, to) in from one in Enumerable.Range(0, 12) from other in Enumerable.Range(0, 12) select ($"n{one}", $"n{other}"))
            {
                var expected = Search(edges, from, to);
                var path = (await new LineagePaths(Database.Database, budget).Find(Name, from, to, 1000, null, Ct))!;
                var drawn = path.Graph.Edges.Select(edge => (edge.Upstream, edge.Downstream)).ToHashSet();
                if (path.Hops is { } hops)
                {
                    found++;
                    Assert.True(hops >= expected.Hops);
                    Assert.All(path.Graph.Edges, edge => Assert.Contains(edges, one =>
                        (DatasetId.Of(one.From), DatasetId.Of(one.To)) == (edge.Upstream, edge.Downstream)));
                    Assert.Equal(hops, path.First().Edges.Count);
                }

                cut += path.Graph.Truncated ? 1 : 0;
                if (!path.Graph.Truncated)
                {
                    Assert.Equal(expected.Hops, path.Hops);
                    Assert.Equal(expected.Edges, drawn);
                }
            }
        }

        Assert.True(found > 100 && cut > 20, $"{found} paths were found and {cut} searches were cut.");
    }

    [Fact]
    public async Task A_path_takes_one_statement_a_hop_and_two_for_the_datasets()
    {
        using var client = await App.Organization(Name);
        await Register(client, "p", [.. Enumerable.Range(0, 10).Select(i => ($"c{i}", $"c{i + 1}"))]);
        List<string> statements = [];
        await using var counted = DatabaseFactory.Open(Database.Settings, (sql, _) => statements.Add(sql));

        Assert.Equal(10, (await new LineagePaths(counted, LineageBudget.Default).Find(Name, "c0", "c10", 1000, null, Ct))!.Hops);

        Assert.Equal(12, statements.Count);
    }

    [Fact]
    public async Task A_path_stays_in_its_organization()
    {
        using var client = await App.Organization(Name);
        using var other = await App.Organization(Name + "-other");
        await Register(client, "p", ("a", "b"));
        await Register(other, "p", ("b", "c"));
        await Register(other, "q", ("a", "z"));

        await (await client.GetAsync("/api/v1/lineage/path?from=a&to=c", Ct)).Problem(404, "not_found");
        Assert.Equal("not found", Answer(await Path(other, "from=a&to=c")));
    }

    [Theory]
    [InlineData("from=a&to=b", 404, "not_found", "'from'")]
    [InlineData("from=a", 422, "invalid", "to")]
    [InlineData("to=a", 422, "invalid", "from")]
    [InlineData("from=a&to=b&depth=1001", 422, "invalid", "depth")]
    [InlineData("from=a&to=b&at=then", 422, "invalid", "at")]
    public async Task Unknown_datasets_and_invalid_parameters_are_refused(string query, int status, string code, string names)
    {
        using var client = await App.Organization(Name);

        var problem = await (await client.GetAsync($"/api/v1/lineage/path?{query}", Ct)).Problem(status, code);

        Assert.Contains(names, problem.GetRawText(), StringComparison.Ordinal);
    }

    // The edges on shortest paths. For such an edge, the distance to its start, the edge and the distance from its end
    // add up to the length of a shortest path.
    private static (int? Hops, HashSet<(Guid, Guid)> Edges) Search(List<(string From, string To)> edges, string from, string to)
    {
        var first = Distances(edges.ToLookup(edge => edge.From, edge => edge.To), from);
        var last = Distances(edges.ToLookup(edge => edge.To, edge => edge.From), to);
        return !first.TryGetValue(to, out var hops) ? (null, []) : (hops, [
            .. edges.Where(edge => first.TryGetValue(edge.From, out var near) && last.TryGetValue(edge.To, out var far)
                && near + 1 + far == hops).Select(edge => (DatasetId.Of(edge.From), DatasetId.Of(edge.To)))]);
    }

    private static Dictionary<string, int> Distances(ILookup<string, string> edges, string start)
    {
        Dictionary<string, int> distances = new() { [start] = 0 };
        for (var next = new Queue<string>([start]); next.TryDequeue(out var id);)
        {
            foreach (var other in edges[id].Where(other => distances.TryAdd(other, distances[id] + 1)))
            {
                next.Enqueue(other);
            }
        }

        return distances;
    }

    private static async Task Register(HttpClient client, string pipeline, params (string From, string To)[] edges) =>
        Assert.Equal(HttpStatusCode.Created, (await client.PostJson("/api/v1/pipelines/", new
        {
            name = pipeline,
            edges = edges.Select(edge => new { from = edge.From, to = edge.To }),
        })).StatusCode);

    private static Task<JsonElement> Path(HttpClient client, string query) => client.GetJson($"/api/v1/lineage/path?{query}");

    private static string Answer(JsonElement path) =>
        (path.GetProperty("found").GetBoolean() ? $"{path.GetProperty("hops").GetInt32()} hops" : "not found")
        + (path.GetProperty("truncated").GetBoolean() ? ", truncated" : "");

    private static string Nodes(JsonElement path) => string.Join(' ', path.GetProperty("nodes").EnumerateArray()
        .Select(node => $"{node.GetProperty("id").GetString()}{node.GetProperty("depth").GetInt32()}"));

    private static IEnumerable<string> Edges(JsonElement path) => path.GetProperty("edges").EnumerateArray().Select(edge =>
        $"{edge.GetProperty("from").GetString()}-{edge.GetProperty("to").GetString()} {edge.GetProperty("pipeline_id").GetString()}");
}
