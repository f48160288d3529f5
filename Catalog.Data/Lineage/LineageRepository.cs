using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>
/// Reads the lineage graph around a dataset. One statement reads the first hops, and one statement reads each further
/// hop. <see cref="LineageWalk"/> decides which of the edges are part of the graph.
/// </summary>
public sealed class LineageRepository(CatalogDatabase db, LineageBudget budget)
{
    // The number of hops that the first statement reads. With more hops, its recursion visits the same edges at too
    // many depths. In a graph of a million edges, a first statement of 5 hops took as long as one statement for each
    // hop.
    private const int FirstHops = 3;

    // The row limit of the first statement. A larger neighbourhood is read hop by hop, and the edges of the first
    // statement are discarded. The limit keeps this lost work small.
    private const int FirstRows = 5000;

    /// <summary>The same reader with another size limit.</summary>
    public LineageRepository Within(LineageBudget other) => new(db, other);

    /// <summary>The part of the graph around a dataset.</summary>
    /// <param name="organization">The organization that owns the graph.</param>
    /// <param name="shownId">The shown id of the dataset to start from (<see cref="DatasetId"/>).</param>
    /// <param name="direction">Upstream, downstream or both.</param>
    /// <param name="depth">The maximum number of hops, 0 or more.</param>
    /// <param name="at">The time at which the edges are valid; null for the current edges.</param>
    /// <param name="ct">Cancels the query.</param>
    /// <returns>The graph, or null when the dataset does not exist.</returns>
    public Task<LineageGraph?> Walk(string organization, string shownId, LineageDirection direction, int depth, DateTimeOffset? at,
        CancellationToken ct) =>
        Walk(organization, shownId, direction, depth, at, FirstHops, ct);

    /// <summary>
    /// The part of the graph around a dataset. The first statement reads <paramref name="firstHops"/> hops; the result
    /// does not depend on this number.
    /// </summary>
    internal async Task<LineageGraph?> Walk(
        string organization, string shownId, LineageDirection direction, int depth, DateTimeOffset? at, int firstHops,
        CancellationToken ct)
    {
        var reader = new LineageReader(db, organization, at, ct);
        if (await WalkFrom(reader, shownId, direction, depth, firstHops) is not var (walk, datasets))
        {
            return null;
        }

        var frontier = await Frontier(reader, walk, depth, datasets);
        await reader.Datasets(walk.Depths.Keys.Where(id => !datasets.ContainsKey(id)), datasets);
        return new LineageGraph(
            NearestFirst(walk.Depths, datasets), walk.Edges, walk.Cut is not null,
            [.. frontier.Select(id => datasets[id]).OrderBy(dataset => dataset.DisplayId, StringComparer.Ordinal)]);
    }

    /// <summary>The part of the current graph upstream of a dataset. The result has no frontier.</summary>
    /// <inheritdoc cref="Walk(string, string, LineageDirection, int, DateTimeOffset?, CancellationToken)"/>
    public async Task<LineageGraph?> Upstream(string organization, string shownId, int depth, CancellationToken ct)
    {
        var reader = new LineageReader(db, organization, null, ct);
        if (await WalkFrom(reader, shownId, LineageDirection.Upstream, depth, FirstHops) is not var (walk, datasets))
        {
            return null;
        }

        await reader.Datasets(walk.Depths.Keys.Where(id => !datasets.ContainsKey(id)), datasets);
        return new LineageGraph(NearestFirst(walk.Depths, datasets), walk.Edges, walk.Cut is not null, []);
    }

    // Returns the walk, and the datasets that it has read; null when the dataset does not exist.
    private async Task<(LineageWalk Walk, Dictionary<Guid, Dataset> Datasets)?> WalkFrom(
        LineageReader reader, string shownId, LineageDirection direction, int depth, int firstHops)
    {
        var nearby = await Around(reader, DatasetId.Of(shownId), direction, Math.Min(depth, firstHops));
        if (nearby.Start is null && await reader.OfAlias(DatasetId.Of(shownId)) is { } named)
        {
            nearby = await Around(reader, named, direction, Math.Min(depth, firstHops));
        }

        if (nearby.Start is not { } start)
        {
            return null;
        }

        var walk = new LineageWalk(start.Id, direction, budget);
        for (var hop = 1; hop <= depth && walk.Cut is null && walk.Sides.Any(side => side.Level.Count > 0); hop++)
        {
            foreach (var side in walk.Sides.TakeWhile(_ => walk.Cut is null))
            {
                var known = nearby.EdgesOf(side, hop);
                var found = known ?? await NeighboursAndNames(reader, side, walk.Room, nearby.Datasets);
                walk.AddHop(side, found, known is not null || found.Count <= walk.Room, hop);
            }
        }

        return (walk, nearby.Datasets);
    }

    // Reads the edges of the level and the names of its datasets at the same time. Neither needs the other.
    private static async Task<List<LineageEdge>> NeighboursAndNames(
        LineageReader reader, LineageWalk.Side side, int room, Dictionary<Guid, Dataset> datasets)
    {
        var names = reader.Datasets(side.Level.Where(id => !datasets.ContainsKey(id)));
        var edges = reader.Neighbours(side, room);
        await Task.WhenAll(names, edges);
        foreach (var dataset in await names)
        {
            datasets.TryAdd(dataset.Id, dataset);
        }

        return await edges;
    }

    /// <summary>The part of the current graph downstream of several datasets, which have the depth 0.</summary>
    public async Task<LineageGraph> Downstream(string organization, IReadOnlyCollection<Guid> starts, int depth, CancellationToken ct)
    {
        var reader = new LineageReader(db, organization, null, ct);
        var walk = new LineageWalk(starts, LineageDirection.Downstream, budget);
        for (var (hop, side) = (1, walk.Sides[0]); hop <= depth && walk.Cut is null && side.Level.Count > 0; hop++)
        {
            var found = await reader.Neighbours(side, walk.Room);
            walk.AddHop(side, found, found.Count <= walk.Room, hop);
        }

        var datasets = new Dictionary<Guid, Dataset>();
        await reader.Datasets(walk.Depths.Keys, datasets);
        return new LineageGraph(NearestFirst(walk.Depths, datasets), walk.Edges, walk.Cut is not null, []);
    }

    internal static List<(Dataset Dataset, int Depth)> NearestFirst(
        IReadOnlyDictionary<Guid, int> depths, Dictionary<Guid, Dataset> datasets)
    {
        var nodes = depths.Select(node => (Name: datasets[node.Key].DisplayId, Dataset: datasets[node.Key], Depth: node.Value)).ToArray();
        Array.Sort(nodes, (left, right) => left.Depth != right.Depth
            ? left.Depth.CompareTo(right.Depth) : string.CompareOrdinal(left.Name, right.Name));
        return [.. nodes.Select(node => (node.Dataset, node.Depth))];
    }

    // Reads the start, the datasets within the given number of hops, and the edges between them, in one statement.
    private async Task<NearbyGraph> Around(LineageReader reader, Guid id, LineageDirection direction, int hops)
    {
        var (organization, at) = (reader.Organization, reader.At);
        var maxRows = Math.Min(budget.Edges, FirstRows);
        var rows = await db.Many(
            organization, AroundSql(direction, at), new { organization, id, at, hops, limit = maxRows + 1L },
            row => row.GetInt32(0) is var way && way != 0
                ? (Way: way, Edge: LineageReader.Edge(row, 1, at), Dataset: (Dataset?)null, Times: 0L)
                : (way, null,
                    LineageReader.Dataset(row.GetGuid(1), row.GetString(6), row.GetString(3), row.GetFieldValue<DateTimeOffset>(4)),
                    row.GetInt64(7)),
            reader.Ct);
        var nearby = new NearbyGraph(hops, maxRows);
        foreach (var row in rows)
        {
            if (row.Edge is { } edge)
            {
                nearby.Add((LineageDirection)row.Way, edge);
            }
            else
            {
                nearby.Add(row.Dataset!, row.Times);
            }
        }

        nearby.Start = nearby.Datasets.GetValueOrDefault(id);
        return nearby;
    }

    // A row with way 0 is a dataset, and its times is the number of depths at which the dataset was reached. Any other
    // row is an edge, and its way is a LineageDirection.
    private string AroundSql(LineageDirection direction, DateTimeOffset? at)
    {
        string Hops(string way, string near, string far) => $"""
            {way} (id, depth) as (
                select id, 0 from start
                union
                select {far}, {way}.depth + 1
                from {way}
                {db.Dialect.JoinByIndex("lineage_edges", $"organization_id = @organization and {LineageReader.ValidAt(at, "")}", near, $"{way}.id")}
                where {way}.depth < @hops
            ), {way}_nodes (id, depth, times) as (
                select id, min(depth), count(*) from (select id, depth from {way} limit @limit) as first group by id
            )
            """;
        string Edges(string way, string near, int number) => $"""
            select * from (
                select {number} as way, upstream as id, downstream, pipeline_id as name, valid_from, {(at is null ? "null as valid_to" : "valid_to")}, '' as namespace, 0 as times
                from {way}_nodes
                {db.Dialect.JoinByIndex("lineage_edges", $"organization_id = @organization and {LineageReader.ValidAt(at, "")}", near, $"{way}_nodes.id")}
                where {way}_nodes.depth < @hops
                limit @limit) as {way}_edges
            """;

        (string Way, string Near, string Far, LineageDirection Direction)[] ways =
        [
            .. new[] { ("up", "downstream", "upstream", LineageDirection.Upstream),
                ("down", "upstream", "downstream", LineageDirection.Downstream) }
                .Where(way => direction.HasFlag(way.Item4)),
        ];
        return $"""
            -- Lineage.Around
            with recursive start (id) as (
                select id
                from datasets
                where organization_id = @organization and id = @id
            ), {string.Join(", ", ways.Select(way => Hops(way.Way, way.Near, way.Far)))}
            {string.Join("\nunion all\n", ways.Select(way => Edges(way.Way, way.Near, (int)way.Direction)))}
            union all
            select 0, datasets.id, null, datasets.name, datasets.created_at, null, datasets.namespace, reached.times
            from (
                select id, cast(sum(times) as bigint) as times
                from ({string.Join(" union all ", ways.Select(way => $"select id, times from {way.Way}_nodes"))}) as either
                group by id) as reached
            {db.Dialect.JoinByIndex("datasets", "organization_id = @organization", "id", "reached.id")}
            """;
    }

    // The datasets that the walk did not follow because the budget stopped it, and that have further edges.
    private async Task<HashSet<Guid>> Frontier(LineageReader reader, LineageWalk walk, int depth, Dictionary<Guid, Dataset> datasets)
    {
        if (walk.Cut is not { } cut)
        {
            return [];
        }

        var frontier = new HashSet<Guid> { cut.Dataset };
        foreach (var side in walk.Sides)
        {
            frontier.UnionWith(side.Unfollowed);
            // Datasets at the maximum depth are not part of the frontier: the caller did not ask for more hops.
            var next = side.Level.Where(_ => side.Depth < depth);
            await Beyond(reader, side, side.Unread.Concat(next).Where(id => !frontier.Contains(id)).ToList(), frontier, datasets);
        }

        return frontier;
    }

    // Adds all datasets with these ids to the known datasets, and those with further edges to the frontier.
    private async Task Beyond(LineageReader reader, LineageWalk.Side side, IEnumerable<Guid> ids, HashSet<Guid> frontier,
        Dictionary<Guid, Dataset> datasets)
    {
        var (near, far) = side.Direction == LineageDirection.Upstream ? ("downstream", "upstream") : ("upstream", "downstream");
        // A subquery with a limit is one index look-up for each dataset. The planner could turn an exists into a join
        // over all edges. The order by makes the planner choose the right index even when the table has no statistics.
        // The statement also reads the names, because these datasets are most of the datasets of a truncated graph.
        var sql = $"""
            -- Lineage.Beyond
            select id, namespace, name, created_at, coalesce((
                select 1
                from lineage_edges as edges
                where edges.organization_id = @organization and edges.{near} = datasets.id and {LineageReader.ValidAt(reader.At, "edges.")}
                order by edges.{far}
                limit 1), 0)
            from {db.Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@ids")}
            """;

        var rows = await reader.OfIds(sql, [.. ids.Order()], row => (
            Dataset: LineageReader.Dataset(row),
            HasMore: row.GetInt32(4) == 1));
        foreach (var (dataset, hasMore) in rows)
        {
            datasets.TryAdd(dataset.Id, dataset);
            if (hasMore)
            {
                frontier.Add(dataset.Id);
            }
        }
    }

    /// <returns>The dataset with this shown id or other name, or null when it does not exist.</returns>
    public Task<Dataset?> Find(string organization, string shownId, CancellationToken ct)
    {
        // The statement has two look-ups, because under row security Postgres does not use the index for a function
        // such as coalesce.
        const string Sql = """
            -- Lineage.Find
            select id, namespace, name, created_at
            from datasets
            where organization_id = @organization and id = @id
            union all
            select id, namespace, name, created_at
            from datasets
            where organization_id = @organization
              and id = (select dataset from dataset_aliases where organization_id = @organization and alias = @id)
            """;

        return db.One<Dataset>(organization, Sql, new { organization, id = DatasetId.Of(shownId) }, ct);
    }
}
