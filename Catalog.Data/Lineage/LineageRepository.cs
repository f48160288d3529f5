using System.Data.Common;
using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>Reads the lineage graph around a dataset: what is near in one statement, the rest hop by hop. <see cref="LineageWalk"/> decides what belongs to it.</summary>
public sealed class LineageRepository(CatalogDatabase db, LineageBudget budget)
{
    // Beyond, one statement meets the same edges at too many depths: with 5 hops of a million edges it took as long as all trips together.
    private const int Near = 3;

    // More edges than these near by are read hop by hop as well: the one statement would have been in vain, and must not cost much.
    private const int MostNear = 5000;

    /// <summary>The part of the graph around a dataset.</summary>
    /// <param name="organization">Whose graph.</param>
    /// <param name="shownId">The dataset in the middle, as <see cref="Find"/> takes it.</param>
    /// <param name="direction">Which way.</param>
    /// <param name="depth">How many hops, 0 or more.</param>
    /// <param name="at">The graph as of this time; null: as it is now.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The graph, or null when no dataset is called so.</returns>
    public Task<LineageGraph?> Walk(string organization, string shownId, LineageDirection direction, int depth, DateTimeOffset? at, CancellationToken ct) =>
        Walk(organization, shownId, direction, depth, at, Near, ct);

    /// <summary>As the other, with so many hops in the first statement; the answer is the same for any.</summary>
    internal Task<LineageGraph?> Walk(
        string organization, string shownId, LineageDirection direction, int depth, DateTimeOffset? at, int near, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            var question = new Question(session, organization, at, ct);
            var around = await Around(question, DatasetId.Of(shownId), direction, Math.Min(depth, near));
            if (around.Start is not { } start)
            {
                return null;
            }

            var walk = new LineageWalk(start.Id, direction, budget);
            for (var hop = 1; hop <= depth && walk.Cut is null && walk.Sides.Any(side => side.Level.Count > 0); hop++)
            {
                foreach (var side in walk.Sides.TakeWhile(_ => walk.Cut is null))
                {
                    var near = around.Of(side, hop);
                    var found = near ?? await Neighbours(question, side, walk.Room);
                    walk.Take(side, found, near is not null || found.Count <= walk.Room, hop);
                }
            }

            var names = around.Datasets;
            var frontier = await Frontier(question, walk, depth, names);
            await Name(question, walk.Depths.Keys.Where(id => !names.ContainsKey(id)), names);
            return new LineageGraph(
                Nearest(walk.Depths, names), walk.Edges, walk.Cut is not null,
                [.. frontier.Select(id => names[id]).OrderBy(dataset => dataset.ShownId, StringComparer.Ordinal)]);
        }, ct);

    private static List<(Dataset Dataset, int Depth)> Nearest(IReadOnlyDictionary<Guid, int> depths, Dictionary<Guid, Dataset> names)
    {
        var nodes = depths.Select(node => (Name: names[node.Key].ShownId, Dataset: names[node.Key], Depth: node.Value)).ToArray();
        Array.Sort(nodes, (one, other) => one.Depth != other.Depth ? one.Depth.CompareTo(other.Depth) : string.CompareOrdinal(one.Name, other.Name));
        return [.. nodes.Select(node => (node.Dataset, node.Depth))];
    }

    // The dataset, what is within some hops of it and the edges between, in one statement.
    private async Task<ConsoleContext> Around(Question question, Guid id, LineageDirection direction, int hops)
    {
        var (session, organization, at, ct) = question;
        string Hops(string way, string near, string far) => $"""
            {way} (id, depth) as (
                select id, 0 from start
                union
                select edges.{far}, {way}.depth + 1
                from {way}
                join lineage_edges as edges on edges.organization_id = @organization and edges.{near} = {way}.id and {Holds(at, "edges.")}
                where {way}.depth < @hops
            ), {way}_nodes (id, depth, times) as (
                select id, min(depth), count(*) from (select id, depth from {way} limit @limit) as first group by id
            )
            """;
        string Edges(string way, string near, int number) => $"""
            select * from (
                select {number} as way, upstream as id, downstream, pipeline_id as name, valid_from, {(at is null ? "null as valid_to" : "valid_to")}, '' as namespace, 0 as times
                from {way}_nodes
                {db.Dialect.JoinByIndex("lineage_edges", $"organization_id = @organization and {Holds(at, "")}", near, $"{way}_nodes.id")}
                where {way}_nodes.depth < @hops
                limit @limit) as {way}_edges
            """;

        (string Way, string Near, string Far, LineageDirection Direction)[] ways =
        [
            .. new[] { ("up", "downstream", "upstream", LineageDirection.Upstream), ("down", "upstream", "downstream", LineageDirection.Downstream) }
                .Where(way => direction.HasFlag(way.Item4)),
        ];
        var sql = $"""
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

        var around = new ConsoleContext(hops, Math.Min(budget.Edges, MostNear));
        await session.Each(sql, new { organization, id, at, hops, limit = Math.Min(budget.Edges, MostNear) + 1L }, row =>
        {
            if (row.GetInt32(0) is var way && way != 0)
            {
                around.Add((LineageDirection)way, Edge(row, 1, at));
            }
            else
            {
                around.Add(Dataset(row.GetGuid(1), row.GetString(6), row.GetString(3), row.GetFieldValue<DateTimeOffset>(4)), row.GetInt64(7));
            }
        }, ct);
        around.Start = around.Datasets.GetValueOrDefault(id);
        return around;
    }

    // The edges of a level: all of them when there is room, otherwise those that come first in order and one more.
    private async Task<List<LineageEdge>> Neighbours(Question question, LineageWalk.Side side, int room)
    {
        List<Guid> level = [.. side.Level.Order()];
        var edges = await Neighbours(question, side, room, level, ordered: false);
        return edges.Count <= room ? edges : await Neighbours(question, side, room, level, ordered: true);
    }

    private async Task<List<LineageEdge>> Neighbours(Question question, LineageWalk.Side side, int room, List<Guid> level, bool ordered)
    {
        var (session, organization, at, ct) = question;
        var (near, far) = side.Way == LineageDirection.Upstream ? ("downstream", "upstream") : ("upstream", "downstream");
        // What holds now has no end, and without that column the index alone answers.
        var sql = $"""
            -- Lineage.Neighbours
            select upstream, downstream, pipeline_id, valid_from{(at is null ? "" : ", valid_to")}
            from {db.Dialect.ByIndex("lineage_edges", $"organization_id = @organization and {Holds(at, "")}", near, "@ids")}
            {(ordered ? $"order by {near}, {far}, pipeline_id, valid_from" : "")}
            limit @limit
            """;

        List<LineageEdge> edges = [];
        foreach (var ids in level.Chunk(db.Dialect.ListLimit).TakeWhile(_ => edges.Count <= room))
        {
            await session.Each(sql, new { organization, ids, at, limit = room + 1L - edges.Count }, row => edges.Add(Edge(row, 0, at)), ct);
        }

        return edges;
    }

    // Those that the walk left aside when it was cut and that have edges to go on with.
    private async Task<HashSet<Guid>> Frontier(Question question, LineageWalk walk, int depth, Dictionary<Guid, Dataset> names)
    {
        if (walk.Cut is not { } cut)
        {
            return [];
        }

        var frontier = new HashSet<Guid> { cut.Dataset };
        foreach (var side in walk.Sides)
        {
            frontier.UnionWith(side.Onward);
            // Beyond the last hop nobody asked.
            var next = side.Level.Where(_ => side.Depth < depth);
            await Beyond(question, side, [.. side.Left.Concat(next).Where(id => !frontier.Contains(id))], frontier, names);
        }

        return frontier;
    }

    private async Task Beyond(Question question, LineageWalk.Side side, IReadOnlyList<Guid> datasets, HashSet<Guid> frontier, Dictionary<Guid, Dataset> names)
    {
        var (session, organization, at, ct) = question;
        var (near, far) = side.Way == LineageDirection.Upstream ? ("downstream", "upstream") : ("upstream", "downstream");
        // A subquery with a limit is looked up for each dataset; an exists could be planned as a join over all edges. The order is one that only the
        // right index has: to a server that knows nothing of the table yet all look alike. The names come along, because these are most of the
        // datasets of an answer that was cut.
        var sql = $"""
            -- Lineage.Beyond
            select id, namespace, name, created_at, coalesce((
                select 1
                from lineage_edges as edges
                where edges.organization_id = @organization and edges.{near} = datasets.id and {Holds(at, "edges.")}
                order by edges.{far}
                limit 1), 0)
            from {db.Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@ids")}
            """;

        foreach (var ids in datasets.Order().Chunk(db.Dialect.ListLimit))
        {
            await session.Each(sql, new { organization, ids, at }, row =>
            {
                var id = row.GetGuid(0);
                names.TryAdd(id, Dataset(id, row.GetString(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3)));
                if (row.GetInt32(4) == 1)
                {
                    frontier.Add(id);
                }
            }, ct);
        }
    }

    /// <returns>The dataset, or null when none is called so.</returns>
    public Task<Dataset?> Find(string organization, string shownId, CancellationToken ct)
    {
        const string Sql = """
            -- Lineage.Find
            select id, namespace, name, created_at
            from datasets
            where organization_id = @organization and id = @id
            """;

        return db.One<Dataset>(organization, Sql, new { organization, id = DatasetId.Of(shownId) }, ct);
    }

    private async Task Name(Question question, IEnumerable<Guid> datasets, Dictionary<Guid, Dataset> names)
    {
        var (session, organization, _, ct) = question;
        var sql = $"""
            -- Lineage.Datasets
            select id, namespace, name, created_at
            from {db.Dialect.ByIndex("datasets", "organization_id = @organization", "id", "@ids")}
            """;

        foreach (var ids in datasets.Order().Chunk(db.Dialect.ListLimit).ToList())
        {
            await session.Each(sql, new { organization, ids }, row =>
            {
                var dataset = Dataset(row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3));
                names.Add(dataset.Id, dataset);
            }, ct);
        }
    }

    private static string Holds(DateTimeOffset? at, string edges) =>
        at is null ? $"{edges}valid_to is null" : $"{edges}valid_from <= @at and ({edges}valid_to is null or {edges}valid_to > @at)";

    private static LineageEdge Edge(DbDataReader row, int first, DateTimeOffset? at) => new()
    {
        Upstream = row.GetGuid(first),
        Downstream = row.GetGuid(first + 1),
        PipelineId = row.GetString(first + 2),
        ValidFrom = row.GetFieldValue<DateTimeOffset>(first + 3),
        ValidTo = at is null || row.IsDBNull(first + 4) ? null : row.GetFieldValue<DateTimeOffset>(first + 4),
    };

    private static Dataset Dataset(Guid id, string ns, string name, DateTimeOffset createdAt) => new() { Id = id, Namespace = ns, Name = name, CreatedAt = createdAt };

    private readonly record struct Question(Session Session, string Organization, DateTimeOffset? At, CancellationToken Ct);

    // What the first statement read. When it came to its limit it is of no use but for the names, because a part of a hop may be missing.
    private sealed class ConsoleContext(int hops, int most)
    {
        private readonly Dictionary<(LineageDirection, Guid), List<LineageEdge>> _edges = [];
        private long _edgeCount;
        private long _reached;

        public Dataset? Start { get; set; }

        public Dictionary<Guid, Dataset> Datasets { get; } = [];

        public void Add(LineageDirection way, LineageEdge edge)
        {
            _edgeCount++;
            var near = way == LineageDirection.Upstream ? edge.Downstream : edge.Upstream;
            if (!_edges.TryGetValue((way, near), out var edges))
            {
                _edges.Add((way, near), edges = []);
            }

            edges.Add(edge);
        }

        public void Add(Dataset dataset, long times)
        {
            _reached += times;
            Datasets.Add(dataset.Id, dataset);
        }

        /// <summary>The edges of a way's level, or null when they are not all here.</summary>
        public List<LineageEdge>? Of(LineageWalk.Side side, int hop) => hop > hops || _edgeCount > most || _reached > most
            ? null
            : [.. side.Level.SelectMany(id => _edges.GetValueOrDefault((side.Way, id)) ?? [])];
    }
}
