namespace Catalog.Data.Lineage;

/// <summary>
/// The first hops around a dataset, which one statement reads. If the statement reached the row limit, edges may be
/// missing. Then the walk uses the datasets, but not the edges.
/// </summary>
/// <param name="hops">The number of hops that the statement reads.</param>
/// <param name="maxRows">The row limit of the statement.</param>
internal sealed class NearbyGraph(int hops, int maxRows)
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

    /// <summary>The edges of the side's current level, or null when they were not all read.</summary>
    public List<LineageEdge>? EdgesOf(LineageWalk.Side side, int hop) => hop > hops || _edgeCount > maxRows || _reached > maxRows
        ? null
        : [.. side.Level.SelectMany(id => _edges.GetValueOrDefault((side.Direction, id)) ?? [])];
}
