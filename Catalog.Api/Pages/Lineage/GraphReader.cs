using Catalog.Api.Lineage;
using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;

namespace Catalog.Api.Pages.Lineage;

/// <summary>Reads a part of the lineage graph, and for each dataset the details that a drawing shows.</summary>
internal sealed class GraphReader(
    LineageRepository lineage, LineagePaths paths, DatasetRepository datasets, DatasetSummaries states, PipelineRuns runs)
{
    /// <summary>The maximum number of datasets in a drawing.</summary>
    public const int MaxNodes = 250;

    // Each edge has two datasets, so a pipeline with this number of edges has at most MaxNodes datasets.
    private const int EdgesOfPipeline = MaxNodes / 2;

    /// <summary>The graph around a dataset.</summary>
    /// <param name="organization">The organization that owns the graph.</param>
    /// <param name="dataset">The shown id of the dataset.</param>
    /// <param name="direction">Upstream, downstream or both.</param>
    /// <param name="depth">The maximum number of hops.</param>
    /// <param name="at">The time at which the edges are valid; null for the current edges.</param>
    /// <param name="nodes">The maximum number of datasets, at most <see cref="MaxNodes"/>.</param>
    /// <param name="ct">Cancels the query.</param>
    /// <returns>The graph; null when the dataset does not exist.</returns>
    public async Task<DatasetGraph?> Around(string organization, string dataset, LineageDirection direction, int depth, DateTimeOffset? at,
        int nodes, CancellationToken ct)
    {
        var graph = await lineage.Within(Budget(nodes)).Walk(organization, dataset, direction, depth, at, ct);
        if (graph is { Truncated: true } && direction == LineageDirection.Both)
        {
            // A single walk could use the whole budget for upstream datasets, so each direction gets half of it.
            var half = lineage.Within(Budget((nodes + 1) / 2));
            graph = Union(
                await half.Walk(organization, dataset, LineageDirection.Upstream, depth, at, ct) ?? graph,
                await half.Walk(organization, dataset, LineageDirection.Downstream, depth, at, ct) ?? graph);
        }

        return graph is null ? null : await WithStates(organization, graph, graph.Nodes[0].Dataset.Id, at, ct);
    }

    /// <summary>
    /// The shortest paths from a dataset to another dataset downstream. If they have more datasets or edges than a
    /// drawing can have, only the first path is drawn. If that path is also too long, only its beginning is drawn.
    /// </summary>
    /// <returns>The paths; null when one of the two datasets does not exist.</returns>
    public async Task<DrawnPath?> Path(string organization, string dataset, string to, DateTimeOffset? at, CancellationToken ct)
    {
        if (await paths.Find(organization, dataset, to, LineageEndpoints.MaxDepth, at, ct) is not { } path)
        {
            return null;
        }

        if (path.Hops is not { } hops)
        {
            return new(to, null, path.Graph.Truncated, false, null);
        }

        var budget = Budget(MaxNodes);
        var isWhole = path.Graph.Nodes.Count <= budget.Nodes && path.Graph.Edges.Count <= budget.Edges;
        var graph = isWhole ? path.Graph : path.First();
        var drawn = graph.Nodes.Take(budget.Nodes).Select(node => node.Dataset.Id).ToHashSet();
        graph = graph with
        {
            Nodes = [.. graph.Nodes.Take(budget.Nodes)],
            Edges = [.. graph.Edges.Where(edge => drawn.Contains(edge.Downstream)).Take(budget.Edges)],
        };
        return new(to, hops, path.Graph.Truncated, !isWhole, await WithStates(organization, graph, DatasetId.Of(dataset), at, ct));
    }

    /// <summary>The datasets that a pipeline reads and writes, by its current edges.</summary>
    public async Task<DatasetGraph> OfPipeline(string organization, string pipeline, CancellationToken ct) =>
        await WithStates(organization, await datasets.OfPipeline(organization, pipeline, EdgesOfPipeline, ct), null, null, ct);

    /// <summary>Datasets without edges, each with the details that a list shows.</summary>
    public Task<DatasetGraph> Of(string organization, IEnumerable<Dataset> list, CancellationToken ct) =>
        WithStates(organization, new([.. list.Select(dataset => (dataset, 0))], [], false, []), null, null, ct);

    private static LineageBudget Budget(int nodes) => new(nodes, 8 * nodes);

    private static LineageGraph Union(LineageGraph one, LineageGraph other) => new(
        [.. one.Nodes.Concat(other.Nodes).OrderBy(node => node.Depth).DistinctBy(node => node.Dataset.Id)],
        [.. one.Edges.Concat(other.Edges).Distinct()], one.Truncated || other.Truncated,
        [.. one.Frontier.Concat(other.Frontier).Distinct()]);

    private async Task<DatasetGraph> WithStates(string organization, LineageGraph graph, Guid? start, DateTimeOffset? at,
        CancellationToken ct)
    {
        Guid[] ids = [.. graph.Nodes.Select(node => node.Dataset.Id)];
        var producers = await states.Producers(organization, ids, ct);
        string[] writers =
            [.. producers.SelectMany(pipelines => pipelines).Distinct(StringComparer.Ordinal).Take(DatasetSummaries.MaxDatasets)];
        var last = await runs.RecentRuns(organization, writers, 1, ct);
        var checks = await states.Checks(
            organization, [.. writers.Union(graph.Edges.Select(edge => edge.PipelineId), StringComparer.Ordinal)], ct);
        var neighbours = await states.Neighbours(organization, ids, at, ct);
        var drawnUp = graph.Edges.Select(edge => (edge.Downstream, edge.Upstream)).Distinct().ToLookup(edge => edge.Downstream);
        var drawnDown = graph.Edges.Select(edge => (edge.Upstream, edge.Downstream)).Distinct().ToLookup(edge => edge.Upstream);
        var up = start is { } one ? Reached(one, drawnUp, edge => edge.Upstream) : [];
        var down = start is { } same ? Reached(same, drawnDown, edge => edge.Downstream) : [];
        return new(
            [.. graph.Nodes.Select(node => new DatasetNode
            {
                Dataset = node.Dataset,
                Depth = node.Depth,
                Side = node.Dataset.Id == start ? null : Sides(up.Contains(node.Dataset.Id), down.Contains(node.Dataset.Id)),
                Producers = [.. producers[node.Dataset.Id].Select(id => new Producer(id, last[id].FirstOrDefault()))],
                Checks = [.. checks[node.Dataset.DisplayId]],
                HiddenUpstream = Hidden(neighbours.GetValueOrDefault(node.Dataset.Id)?.Upstream, drawnUp[node.Dataset.Id].Count()),
                HiddenDownstream = Hidden(neighbours.GetValueOrDefault(node.Dataset.Id)?.Downstream, drawnDown[node.Dataset.Id].Count()),
            })],
            graph.Edges, graph.Truncated);
    }

    private static long Hidden(long? all, int drawn) => Math.Max(0, (all ?? 0) - drawn);

    private static LineageDirection? Sides(bool up, bool down) =>
        (up, down) switch
        {
            (true, true) => LineageDirection.Both,
            (true, false) => LineageDirection.Upstream,
            (false, true) => LineageDirection.Downstream,
            _ => null,
        };

    private static HashSet<Guid> Reached<T>(Guid start, ILookup<Guid, T> edges, Func<T, Guid> far)
    {
        var reached = new HashSet<Guid> { start };
        var next = new Queue<Guid>([start]);
        while (next.TryDequeue(out var dataset))
        {
            foreach (var other in edges[dataset].Select(far).Where(reached.Add))
            {
                next.Enqueue(other);
            }
        }

        reached.Remove(start);
        return reached;
    }
}
