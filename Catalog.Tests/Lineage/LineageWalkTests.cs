using Catalog.Data.Database;
using Catalog.Data.Lineage;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Catalog.Tests.Lineage;

public sealed class LineageWalkOnSqlite(SqliteTestDatabase database) : LineageWalkTests(database), IClassFixture<SqliteTestDatabase>
{
    [Theory]
    [InlineData(null)]
    [InlineData("2026-01-02T00:00:00Z")]
    public async Task Each_hop_of_a_dataset_is_an_index_lookup(string? at)
    {
        var then = at is null ? (DateTimeOffset?)null : DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture);
        await Store(2, [Edge(0, 1, "p", Then, null)]);
        List<string> statements = [];
        await using (var counted = DatabaseFactory.Open(database.Settings, (sql, _) => statements.Add(sql)))
        {
            await new LineageRepository(counted, LineageBudget.Default).Walk(Organization, "n0", LineageDirection.Both, 3, then, Ct);
        }

        await using var connection = new SqliteConnection($"Data Source={database.Settings.SqlitePath}");
        var plan = (await connection.QueryAsync("explain query plan " + Assert.Single(statements),
            new { organization = Organization, id = "", at, hops = 3, limit = 10 })).Select(row => (string)row.detail).ToList();

        // Two of the steps read the hops, and two read the lists of edges.
        var edges = plan.Where(step => step.Contains("lineage_edges", StringComparison.Ordinal)).ToList();
        Assert.Equal(4, edges.Count);
        Assert.All(edges, step => Assert.Contains("stream=?", step, StringComparison.Ordinal));
    }
}

public sealed class LineageWalkOnPostgres(PostgresTestDatabase database) : LineageWalkTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>
/// Compares walks in one statement, hop by hop, and in a mix of both with a plain search over a list of edges.
/// </summary>
public abstract class LineageWalkTests(TestDatabase database)
{
    private protected static readonly DateTimeOffset Then = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly CatalogDatabase _db = database.Require().Database;

    protected string Organization { get; } = $"o{Guid.NewGuid():N}";

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Every_read_strategy_gives_the_same_graph_under_every_budget(int seed)
    {
        var random = new Random(seed);
        const int Datasets = 8;
        // Random edges: cycles, diamonds, self edges, several pipelines per pair; some have ended, some start later.
        var edges = Enumerable.Range(0, 22).Select(_ => Edge(random.Next(Datasets), random.Next(Datasets), $"p{random.Next(3)}",
            Then.AddDays(random.Next(3)), random.Next(3) == 0 ? Then.AddDays(3 + random.Next(3)) : null))
                .DistinctBy(edge => (edge.Upstream, edge.Downstream, edge.PipelineId)).ToList();
        await Store(Datasets, edges);
        var (cut, whole) = (0, 0);

        foreach (var budget in Enumerable.Range(1, Datasets).Select(nodes => new LineageBudget(nodes, 100))
            .Concat(Enumerable.Range(0, edges.Count + 1).Select(count => new LineageBudget(100, count))))
        {
            foreach (var (direction, depth, at) in Queries(random))
            {
                var expected = Search(edges, direction, depth, at, budget);
                foreach (var near in new[] { 0, 2, 100 })
                {
                    Assert.Equal(expected, await Read(budget, direction, depth, at, near));
                }

                _ = expected.EndsWith("cut", StringComparison.Ordinal) ? cut++ : whole++;
            }
        }

        Assert.True(cut > 20 && whole > 20, $"{cut} answers were cut and {whole} were not.");
    }

    [Fact]
    public async Task A_hub_with_more_neighbours_than_one_statement_reads_gives_the_same_graph()
    {
        const int Leaves = 2600;
        var edges = Enumerable.Range(1, Leaves)
            .SelectMany(leaf => new[] { Edge(0, leaf, "p", Then, null), Edge(leaf, Leaves + 1 + leaf % 7, "p", Then, null) }).ToList();
        await Store(Leaves + 8, edges);

        foreach (var budget in new LineageBudget[] { LineageBudget.Default, new(2000, 50_000), new(10_000, 1000), new(10_000, 3500),
            new(2603, 50_000) })
        {
            var expected = Search(edges, LineageDirection.Downstream, 5, null, budget);
            foreach (var near in new[] { 0, 3 })
            {
                Assert.Equal(expected, await Read(budget, LineageDirection.Downstream, 5, null, near));
            }
        }

        // A long level is read in halves. Here both halves wait for the only connection, so the walk must hold none
        // meanwhile.
        await using var narrow = DatabaseFactory.Open(TestDatabase.Read(database.ServiceAddress, ("DATAXPIPE_PG_POOL_MAX", "1")));
        var graph = await new LineageRepository(narrow, LineageBudget.Default)
            .Walk(Organization, "n0", LineageDirection.Downstream, 5, null, Ct);
        Assert.Equal((Leaves + 8, 2 * Leaves), (graph!.Nodes.Count, graph.Edges.Count));
    }

    [Fact]
    public async Task A_shallow_walk_is_one_statement()
    {
        await Store(4, [Edge(0, 1, "p", Then, null), Edge(1, 2, "p", Then, null), Edge(2, 3, "p", Then, null)]);
        List<string> statements = [];
        await using var counted = DatabaseFactory.Open(database.Settings, (sql, _) => statements.Add(sql));

        var graph = await new LineageRepository(counted, LineageBudget.Default)
            .Walk(Organization, "n0", LineageDirection.Both, 3, null, Ct);

        Assert.Equal(4, graph!.Nodes.Count);
        Assert.Single(statements);
    }

    private static IEnumerable<(LineageDirection, int, DateTimeOffset?)> Queries(Random random) =>
        from direction in new[] { LineageDirection.Upstream, LineageDirection.Downstream, LineageDirection.Both }
        select (direction, random.Next(0, 6), random.Next(2) == 0 ? null : (DateTimeOffset?)Then.AddDays(random.Next(6)));

    private async Task<string> Read(LineageBudget budget, LineageDirection direction, int depth, DateTimeOffset? at, int near)
    {
        var graph = (await new LineageRepository(_db, budget).Walk(Organization, "n0", direction, depth, at, near, Ct))!;
        return Text(graph.Nodes.Select(node => (node.Dataset.Id, node.Depth)), graph.Edges, graph.Frontier.Select(dataset => dataset.Id),
            graph.Truncated);
    }

    private static string Search(List<LineageEdge> all, LineageDirection direction, int depth, DateTimeOffset? at, LineageBudget budget)
    {
        var edges = all.Where(edge => at is null ? edge.ValidTo is null : edge.ValidFrom <= at
            && (edge.ValidTo is null || edge.ValidTo > at)).ToList();
        Guid Near(bool up, LineageEdge edge) => up ? edge.Downstream : edge.Upstream;
        Guid Far(bool up, LineageEdge edge) => up ? edge.Upstream : edge.Downstream;
        var start = DatasetId.Of("", "n0");
        var depths = new Dictionary<Guid, int> { [start] = 0 };
        var taken = new HashSet<LineageEdge>();
        var edgesOf = new[] { true, false }.SelectMany(up => edges.Select(edge => (Up: up, Edge: edge)))
            .ToLookup(item => (item.Up, Near(item.Up, item.Edge)), item => item.Edge);
        // Datasets whose edges are still to be read in a direction, ordered by distance and then by key.
        var queue = new PriorityQueue<(bool Up, Guid Dataset, int Distance), string>(StringComparer.Ordinal);
        var visited = new HashSet<(bool, Guid)>();
        void Visit(bool up, Guid dataset, int distance)
        {
            if (visited.Add((up, dataset)))
            {
                queue.Enqueue((up, dataset, distance), $"{distance:0000} {(up ? 0 : 1)} {dataset}");
            }
        }

        foreach (var up in new[] { true, false }.Where(up =>
            direction.HasFlag(up ? LineageDirection.Upstream : LineageDirection.Downstream)))
        {
            Visit(up, start, 0);
        }

        while (queue.TryDequeue(out var next, out _))
        {
            var (up, near, distance) = next;
            foreach (var edge in (distance < depth ? edgesOf[(up, near)] : []).OrderBy(edge => $"{Far(up, edge)}", StringComparer.Ordinal)
                .ThenBy(edge => edge.PipelineId, StringComparer.Ordinal))
            {
                var far = Far(up, edge);
                if (!taken.Contains(edge))
                {
                    if (taken.Count == budget.Edges || (!depths.ContainsKey(far) && depths.Count == budget.Nodes))
                    {
                        var left = queue.UnorderedItems.Select(item => item.Element)
                            .Where(item => item.Distance < depth && edgesOf.Contains((item.Up, item.Dataset))).Select(item => item.Dataset);
                        return Text(depths.Select(node => (node.Key, node.Value)), taken, left.Append(near).Distinct(), true);
                    }

                    taken.Add(edge);
                }

                depths.TryAdd(far, distance + 1);
                Visit(up, far, distance + 1);
            }
        }

        return Text(depths.Select(node => (node.Key, node.Value)), taken, [], false);
    }

    private static string Text(IEnumerable<(Guid Id, int Depth)> nodes, IEnumerable<LineageEdge> edges, IEnumerable<Guid> frontier,
        bool truncated) => string.Join('\n', [
        .. nodes.Select(node => $"{node.Id} {node.Depth}").Order(StringComparer.Ordinal),
        .. edges.Select(edge => $"{edge.Upstream} > {edge.Downstream} {edge.PipelineId} {edge.ValidFrom:O} {edge.ValidTo:O}")
        .Order(StringComparer.Ordinal),
        .. frontier.Select(id => $"on from {id}").Order(StringComparer.Ordinal), truncated ? "cut" : "whole"]);

    private protected static LineageEdge Edge(
        int upstream, int downstream, string pipeline, DateTimeOffset from, DateTimeOffset? to) => new()
        {
            Upstream = DatasetId.Of("", $"n{upstream}"),
            Downstream = DatasetId.Of("", $"n{downstream}"),
            PipelineId = pipeline,
            ValidFrom = from,
            ValidTo = to,
        };

    private protected Task<int> Store(int datasets, List<LineageEdge> edges) => _db.Write(Organization, async session =>
    {
        var names = new InputRows<string>(new Column<string, Guid>("id", name => DatasetId.Of("", name)),
            new Column<string, string>("name", name => name), new Column<string, DateTimeOffset>("created_at", _ => Then));
        await session.Run<string, int>(
            "insert into datasets (organization_id, id, namespace, name, created_at) select @organization, rows.id, '', "
                + "rows.name, rows.created_at from rows",
            names, [.. Enumerable.Range(0, datasets).Select(i => $"n{i}")], Ct);
        var rows = new InputRows<LineageEdge>(
            new Column<LineageEdge, Guid>("upstream", edge => edge.Upstream),
            new Column<LineageEdge, Guid>("downstream", edge => edge.Downstream),
            new Column<LineageEdge, string>("pipeline_id", edge => edge.PipelineId),
            new Column<LineageEdge, DateTimeOffset>("valid_from", edge => edge.ValidFrom),
                new Column<LineageEdge, DateTimeOffset?>("valid_to", edge => edge.ValidTo));
        await session.Run<LineageEdge, int>(
            "insert into lineage_edges (organization_id, upstream, downstream, pipeline_id, valid_from, valid_to) select "
                + "@organization, rows.upstream, rows.downstream, rows.pipeline_id, rows.valid_from, rows.valid_to from rows",
            rows, edges, Ct);
        return edges.Count;
    }, Ct);
}
