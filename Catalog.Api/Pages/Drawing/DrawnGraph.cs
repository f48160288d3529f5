namespace Catalog.Api.Pages.Drawing;

/// <summary>How many checks of a dataset have a state.</summary>
/// <param name="Status">The status of their newest results.</param>
/// <param name="Count">The number of checks.</param>
public sealed record CheckTally(string Status, long Count);

/// <summary>A node of a lineage drawing.</summary>
public sealed record DrawnNode
{
    public required string Id { get; init; }

    /// <summary>The text in the box; a long one is cut, and whole on hover.</summary>
    public required string Title { get; init; }

    public string Kind { get; init; } = "dataset";

    /// <summary>The status of the last run that wrote it; null when none has.</summary>
    public string? RunStatus { get; init; }

    /// <summary>Its checks by state; empty without checks.</summary>
    public IReadOnlyList<CheckTally> Checks { get; init; } = [];

    /// <summary>Where the box leads; null for a box without a link.</summary>
    public string? Href { get; init; }

    /// <summary>The number of neighbours that the graph does not contain.</summary>
    public long Hidden { get; init; }

    /// <summary>Where "+212 more" leads; null for text.</summary>
    public string? HiddenHref { get; init; }
}

/// <summary>An edge of a lineage drawing.</summary>
/// <param name="From">The id of the upstream node.</param>
/// <param name="To">The id of the downstream node.</param>
/// <param name="PipelineId">The pipeline that declares it.</param>
/// <param name="Href">Where it leads; null for an edge without a link.</param>
public sealed record DrawnEdge(string From, string To, string PipelineId, string? Href = null);

/// <summary>A graph to draw.</summary>
/// <param name="Nodes">The nodes.</param>
/// <param name="Edges">The edges; those with an unknown end are left out.</param>
/// <param name="Focus">The id of the node that the graph is about, or null.</param>
public sealed record DrawnGraph(IReadOnlyList<DrawnNode> Nodes, IReadOnlyList<DrawnEdge> Edges, string? Focus = null)
{
    /// <summary>
    /// The graph with at most <paramref name="most"/> nodes, nearest to the focus first; without a focus, the first by
    /// id. Neighbours that are cut count as hidden.
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
