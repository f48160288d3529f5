using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>
/// Finds the shortest paths from a dataset downstream to another dataset. Two walks, one from each end, meet in the
/// middle. The walk with fewer datasets goes on first, so a dataset with very many neighbours at one end does little
/// harm.
/// </summary>
public sealed class LineagePaths(CatalogDatabase db, LineageBudget budget)
{
    /// <param name="organization">The organization that owns the graph.</param>
    /// <param name="from">The shown id of the dataset where the paths begin.</param>
    /// <param name="to">The shown id of the dataset where the paths end.</param>
    /// <param name="depth">The maximum number of hops, 0 or more.</param>
    /// <param name="at">The time at which the edges are valid; null for the current edges.</param>
    /// <param name="ct">Cancels the query.</param>
    /// <returns>The paths, or null when one of the datasets does not exist.</returns>
    public async Task<LineagePath?> Find(
        string organization, string from, string to, int depth, DateTimeOffset? at, CancellationToken ct)
    {
        var reader = new LineageReader(db, organization, at, ct);
        var (start, end) = (DatasetId.Of(from), DatasetId.Of(to));
        var datasets = new Dictionary<Guid, Dataset>();
        await reader.Datasets(new[] { start, end }.Distinct(), datasets);
        if (!datasets.ContainsKey(start) || !datasets.ContainsKey(end))
        {
            (start, end) = (await reader.OfAlias(start) ?? start, await reader.OfAlias(end) ?? end);
            await reader.Datasets(new[] { start, end }.Distinct().Where(id => !datasets.ContainsKey(id)), datasets);
        }

        if (!datasets.ContainsKey(start) || !datasets.ContainsKey(end))
        {
            return null;
        }

        var half = new LineageBudget(Math.Max(1, budget.Nodes / 2), Math.Max(1, budget.Edges / 2));
        var down = new LineageWalk(start, LineageDirection.Downstream, half);
        var up = new LineageWalk(end, LineageDirection.Upstream, half);
        var (meeting, truncated) = await Meet(reader, down, up, depth);
        if (meeting.Count == 0)
        {
            return new LineagePath(null, new LineageGraph([], [], truncated, []));
        }

        var length = down.Depths[meeting[0]] + up.Depths[meeting[0]];
        var (before, after) = (EdgesTo(meeting, down), EdgesTo(meeting, up));
        Dictionary<Guid, int> hops = new() { [start] = 0, [end] = length };
        foreach (var edge in before)
        {
            (hops[edge.Upstream], hops[edge.Downstream]) = (down.Depths[edge.Upstream], down.Depths[edge.Downstream]);
        }

        foreach (var edge in after)
        {
            (hops[edge.Upstream], hops[edge.Downstream]) = (length - up.Depths[edge.Upstream], length - up.Depths[edge.Downstream]);
        }

        await reader.Datasets(hops.Keys.Where(id => !datasets.ContainsKey(id)), datasets);
        return new LineagePath(length, new LineageGraph(
            LineageRepository.NearestFirst(hops, datasets),
            [.. before.Concat(after).OrderBy(edge => hops[edge.Upstream])
                .ThenBy(edge => datasets[edge.Upstream].DisplayId, StringComparer.Ordinal)
                .ThenBy(edge => datasets[edge.Downstream].DisplayId, StringComparer.Ordinal)
                .ThenBy(edge => edge.PipelineId, StringComparer.Ordinal)],
            truncated, []));
    }

    // Walks from both ends until the walks meet. Returns the meeting datasets with the smallest sum of distances (every
    // shortest path contains one of them), and whether a limit stopped the search or a walk.
    private static async Task<(List<Guid> Meeting, bool Truncated)> Meet(
        LineageReader reader, LineageWalk down, LineageWalk up, int depth)
    {
        List<Guid> meeting = [.. down.Depths.Keys.Where(up.Depths.ContainsKey)];
        while (meeting.Count == 0)
        {
            LineageWalk[] open = [.. new[] { down, up }.Where(walk => walk.Cut is null).OrderBy(walk => walk.Sides[0].Level.Count)];
            if (open.Length == 0 || open[0].Sides[0].Level.Count == 0 || down.Sides[0].Depth + up.Sides[0].Depth >= depth)
            {
                // If one walk has no datasets left to visit, there is no path, and the result is not truncated.
                return ([], open.Length == 0 || open[0].Sides[0].Level.Count > 0);
            }

            var side = open[0].Sides[0];
            var found = await reader.Neighbours(side, open[0].Room);
            open[0].AddHop(side, found, found.Count <= open[0].Room, side.Depth + 1);
            var other = (open[0] == down ? up : down).Depths;
            var met = side.Level.Where(other.ContainsKey).ToList();
            meeting = [.. met.Where(id => other[id] == met.Min(one => other[one]))];
        }

        return (meeting, down.Cut is not null || up.Cut is not null);
    }

    // Returns the edges of a walk that are part of a shortest path from its start to one of the ends.
    private static List<LineageEdge> EdgesTo(List<Guid> ends, LineageWalk walk)
    {
        var side = walk.Sides[0];
        var byFar = walk.Edges.Where(edge => walk.Depths[side.Far(edge)] == walk.Depths[side.Near(edge)] + 1).ToLookup(side.Far);
        List<LineageEdge> edges = [];
        var seen = new HashSet<Guid>(ends);
        for (var next = new Queue<Guid>(ends); next.TryDequeue(out var id);)
        {
            foreach (var edge in byFar[id])
            {
                edges.Add(edge);
                if (seen.Add(side.Near(edge)))
                {
                    next.Enqueue(side.Near(edge));
                }
            }
        }

        return edges;
    }
}

/// <summary>The shortest paths from one dataset to another.</summary>
/// <param name="Hops">The number of hops of each path; null when no path was found.</param>
/// <param name="Graph">
/// The datasets and edges of all these paths, with the distance from the start; empty when no path was found. If it is
/// truncated, a limit ended the search, and paths may be missing: shorter paths too.
/// </param>
public sealed record LineagePath(int? Hops, LineageGraph Graph)
{
    /// <summary>
    /// The first path, in the order of the names of its datasets, as a graph. Call this only when a path was found.
    /// </summary>
    public LineageGraph First()
    {
        var edges = Graph.Edges.ToLookup(edge => edge.Upstream);
        var depths = Graph.Nodes.ToDictionary(node => node.Dataset.Id);
        List<(Dataset Dataset, int Depth)> nodes = [Graph.Nodes[0]];
        List<LineageEdge> way = [];
        while (edges[nodes[^1].Dataset.Id].FirstOrDefault() is { } edge)
        {
            way.AddRange(edges[edge.Upstream].Where(other => other.Downstream == edge.Downstream));
            nodes.Add(depths[edge.Downstream]);
        }

        return Graph with { Nodes = nodes, Edges = way };
    }
}
