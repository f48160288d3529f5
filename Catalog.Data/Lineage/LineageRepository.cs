using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>Walks the lineage graph, level by level with the datasets seen so far, so that cycles end and each depth is the shortest.</summary>
public sealed class LineageRepository(CatalogDatabase db, LineageBudget budget)
{
    // SQLite takes a parameter for each id; a level is asked for in parts of this size on both engines.
    private const int Part = 1000;

    /// <summary>The part of the graph around a dataset.</summary>
    /// <param name="organization">Whose graph.</param>
    /// <param name="start">The dataset in the middle.</param>
    /// <param name="direction">Which way.</param>
    /// <param name="depth">How many hops, 0 or more.</param>
    /// <param name="at">The graph as of this time; null: as it is now.</param>
    /// <param name="ct">Cancels.</param>
    public Task<LineageGraph> Walk(
        string organization, Dataset start, LineageDirection direction, int depth, DateTimeOffset? at, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            var depths = new Dictionary<Guid, int> { [start.Id] = 0 };
            var edges = new Dictionary<(Guid, Guid, string), LineageEdge>();
            var frontier = new HashSet<Guid>();
            foreach (var way in new[] { LineageDirection.Upstream, LineageDirection.Downstream }.Where(way => direction.HasFlag(way)))
            {
                await Walk(session, organization, start.Id, way, depth, at, depths, edges, frontier, ct);
            }

            var datasets = (await Datasets(session, organization, [.. depths.Keys, .. frontier], ct)).ToDictionary(dataset => dataset.Id);
            return new LineageGraph(
                [.. depths.OrderBy(node => node.Value).ThenBy(node => datasets[node.Key].ShownId, StringComparer.Ordinal).Select(node => (datasets[node.Key], node.Value))],
                [.. edges.Values.Where(edge => depths.ContainsKey(edge.Upstream) && depths.ContainsKey(edge.Downstream))],
                frontier.Count > 0,
                [.. frontier.Select(id => datasets[id]).OrderBy(dataset => dataset.ShownId, StringComparer.Ordinal)]);
        }, ct);

    private async Task Walk(
        Session session, string organization, Guid start, LineageDirection way, int depth, DateTimeOffset? at,
        Dictionary<Guid, int> depths, Dictionary<(Guid, Guid, string), LineageEdge> edges, HashSet<Guid> frontier, CancellationToken ct)
    {
        // Its own memory of what was seen: in a cycle a dataset lies both ways, and either walk must go on through it.
        var seen = new HashSet<Guid> { start };
        List<Guid> level = [start];
        for (var hop = 1; hop <= depth && level.Count > 0; hop++)
        {
            var next = new HashSet<Guid>();
            foreach (var part in level.Chunk(Part))
            {
                var room = budget.Edges - edges.Count;
                var found = await Neighbours(session, organization, part, way, at, room + 1, ct);
                if (found.Count > room)
                {
                    frontier.UnionWith(part);
                }

                foreach (var edge in found.Take(room))
                {
                    edges[(edge.Upstream, edge.Downstream, edge.PipelineId)] = edge;
                    var (near, far) = way == LineageDirection.Upstream ? (edge.Downstream, edge.Upstream) : (edge.Upstream, edge.Downstream);
                    if (seen.Contains(far))
                    {
                        continue;
                    }

                    if (!depths.ContainsKey(far) && depths.Count >= budget.Nodes)
                    {
                        frontier.Add(near);
                        continue;
                    }

                    seen.Add(far);
                    next.Add(far);
                    depths[far] = Math.Min(hop, depths.GetValueOrDefault(far, hop));
                }
            }

            level = [.. next];
        }
    }

    private Task<List<LineageEdge>> Neighbours(
        Session session, string organization, Guid[] ids, LineageDirection way, DateTimeOffset? at, int limit, CancellationToken ct)
    {
        var (near, far) = way == LineageDirection.Upstream ? ("downstream", "upstream") : ("upstream", "downstream");
        var sql = $"""
            -- Lineage.Neighbours
            select upstream, downstream, pipeline_id, valid_from, valid_to
            from lineage_edges
            where organization_id = @organization and {db.Dialect.IsAnyOf(near, "@ids")}
              and {(at is null ? "valid_to is null" : "valid_from <= @at and (valid_to is null or valid_to > @at)")}
            order by {near}, {far}, pipeline_id, valid_from
            limit @limit
            """;

        return session.Many<LineageEdge>(sql, new { organization, ids, at, limit }, ct);
    }

    /// <summary>
    /// The dataset that people call so. An id with slashes may be a name, or any split into namespace and name; because datasets are
    /// keyed by a hash, all of these are looked up by key, and the plain name comes first.
    /// </summary>
    /// <returns>The dataset, or null when none is called so.</returns>
    public async Task<Dataset?> Find(string organization, string shownId, CancellationToken ct)
    {
        List<Guid> candidates = [DatasetId.Of("", shownId)];
        for (var slash = shownId.IndexOf('/', StringComparison.Ordinal); slash >= 0 && candidates.Count < 64; slash = shownId.IndexOf('/', slash + 1))
        {
            candidates.Add(DatasetId.Of(shownId[..slash], shownId[(slash + 1)..]));
        }

        var found = await db.Read(organization, session => Datasets(session, organization, candidates, ct), ct);
        return found.OrderBy(dataset => candidates.IndexOf(dataset.Id)).FirstOrDefault(dataset => dataset.ShownId == shownId);
    }

    private async Task<List<Dataset>> Datasets(Session session, string organization, IReadOnlyCollection<Guid> ids, CancellationToken ct)
    {
        var sql = $"""
            -- Lineage.Datasets
            select id, namespace, name, created_at
            from datasets
            where organization_id = @organization and {db.Dialect.IsAnyOf("id", "@part")}
            """;

        var datasets = new List<Dataset>();
        foreach (var part in ids.Distinct().Chunk(Part))
        {
            datasets.AddRange(await session.Many<Dataset>(sql, new { organization, part }, ct));
        }

        return datasets;
    }
}
