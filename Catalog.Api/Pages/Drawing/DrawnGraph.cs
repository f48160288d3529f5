namespace Catalog.Api.Pages.Drawing;

/// <summary>The number of checks of a dataset with one status.</summary>
/// <param name="Status">The status of the newest results of these checks.</param>
/// <param name="Count">The number of checks.</param>
public sealed record CheckTally(string Status, long Count);

/// <summary>A node of a lineage drawing.</summary>
public sealed record DrawnNode
{
    public required string Id { get; init; }

    /// <summary>The text in the box. A long text is cut in the box; the tooltip shows all of it.</summary>
    public required string Title { get; init; }

    public string Kind { get; init; } = "dataset";

    /// <summary>The status of the last run that wrote the dataset; null when no run has written it.</summary>
    public string? RunStatus { get; init; }

    /// <summary>The number of checks by status; empty when the dataset has no checks.</summary>
    public IReadOnlyList<CheckTally> Checks { get; init; } = [];

    /// <summary>The target of the box's link; null for a box without a link.</summary>
    public string? Href { get; init; }

    /// <summary>The number of neighbours of the node that the graph does not contain.</summary>
    public long Hidden { get; init; }

    /// <summary>The target of the link "+212 more"; null when this is text without a link.</summary>
    public string? HiddenHref { get; init; }
}

/// <summary>An edge of a lineage drawing.</summary>
/// <param name="From">The id of the upstream node.</param>
/// <param name="To">The id of the downstream node.</param>
/// <param name="PipelineId">The pipeline that declares the edge.</param>
/// <param name="Href">The target of the edge's link; null for an edge without a link.</param>
public sealed record DrawnEdge(string From, string To, string PipelineId, string? Href = null);

/// <summary>A graph to draw.</summary>
/// <param name="Nodes">The nodes.</param>
/// <param name="Edges">The edges. An edge with an end that is not among the nodes is left out.</param>
/// <param name="Focus">The id of the node that the graph is about, or null.</param>
public sealed record DrawnGraph(IReadOnlyList<DrawnNode> Nodes, IReadOnlyList<DrawnEdge> Edges, string? Focus = null)
{
    /// <summary>
    /// The graph with at most <paramref name="most"/> nodes: those nearest to the focus, or the first by id without a
    /// focus. Neighbours that are left out count as hidden.
    /// </summary>
    public DrawnGraph Nearest(int most)
    {
        var byId = Nodes.GroupBy(node => node.Id, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        var known = Edges.Where(edge => byId.ContainsKey(edge.From) && byId.ContainsKey(edge.To)).ToList();
        if (byId.Count <= most)
        {
            return this with { Nodes = [.. byId.Values], Edges = known };
        }

        var neighbours = known.SelectMany(edge => new[] { (Of: edge.From, edge.To), (Of: edge.To, To: edge.From) })
            .Where(pair => pair.Of != pair.To).Distinct().ToLookup(pair => pair.Of, pair => pair.To, StringComparer.Ordinal);
        var kept = Walk(byId, neighbours, most);
        var nodes = kept.Select(id => byId[id] with { Hidden = byId[id].Hidden + neighbours[id].Count(other => !kept.Contains(other)) });
        return this with { Nodes = [.. nodes], Edges = [.. known.Where(edge => kept.Contains(edge.From) && kept.Contains(edge.To))] };
    }

    private HashSet<string> Walk(Dictionary<string, DrawnNode> byId, ILookup<string, string> neighbours, int most)
    {
        var kept = new HashSet<string>(StringComparer.Ordinal);
        var next = new Queue<string>();
        var starts = byId.Keys.OrderBy(id => id != Focus).ThenBy(id => id, StringComparer.Ordinal);
        foreach (var start in starts.TakeWhile(_ => kept.Count < most).Where(kept.Add))
        {
            next.Enqueue(start);
            while (next.TryDequeue(out var id))
            {
                foreach (var other in neighbours[id].Order(StringComparer.Ordinal).TakeWhile(_ => kept.Count < most).Where(kept.Add))
                {
                    next.Enqueue(other);
                }
            }
        }

        return kept;
    }
}
