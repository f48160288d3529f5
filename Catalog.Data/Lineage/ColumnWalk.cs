namespace Catalog.Data.Lineage;

/// <summary>
/// The state of a walk through columns, without any SQL. The walk goes in one direction after the other, hop by hop,
/// until the budget ends it.
/// </summary>
internal sealed class ColumnWalk(ColumnNode start, LineageBudget budget)
{
    private readonly Dictionary<ColumnNode, int> _depths = new() { [start] = 0 };
    private readonly List<ColumnEdge> _edges = [];
    private readonly HashSet<(ColumnNode, ColumnNode, string)> _taken = [];
    private readonly HashSet<ColumnNode> _frontier = [];
    private HashSet<ColumnNode> _seen = [];

    public IReadOnlyDictionary<ColumnNode, int> Depths => _depths;

    public IReadOnlyList<ColumnEdge> Edges => _edges;

    /// <summary>The columns whose edges are read next.</summary>
    public HashSet<ColumnNode> Level { get; private set; } = [];

    /// <summary>Whether the budget ended the walk.</summary>
    public bool IsCut { get; private set; }

    /// <summary>The columns with edges that were not followed.</summary>
    public IReadOnlyCollection<ColumnNode> Frontier => _frontier;

    /// <summary>Returns to the start, for the next direction.</summary>
    public void Turn() => (Level, _seen) = ([start], [start]);

    /// <summary>Adds the edges of the level, and makes their far ends the next level.</summary>
    /// <param name="way">The direction.</param>
    /// <param name="found">
    /// The edges at the datasets of the level. If there are more than the budget allows, the walk stops.
    /// </param>
    /// <param name="hop">The distance of the far ends from the start.</param>
    public void AddHop(LineageDirection way, List<ColumnEdge> found, int hop)
    {
        var isUp = way == LineageDirection.Upstream;
        HashSet<ColumnNode> next = [];
        if (found.Count > budget.Edges)
        {
            // Only some edges of the hop were read, and it is not known which ones. So the whole hop is left out.
            (IsCut, Level) = (true, Cut(Level));
            return;
        }

        found.Sort(Compare);
        var datasets = Level.Select(node => node.Dataset).ToHashSet();
        var whole = Level.Where(node => node.Column.Length == 0).Select(node => node.Dataset).ToHashSet();
        foreach (var edge in found)
        {
            var (down, up) = (new ColumnNode(edge.Downstream, edge.DownstreamColumn), new ColumnNode(edge.Upstream, edge.UpstreamColumn));
            var (near, far) = isUp ? (down, up) : (up, down);
            // An edge without a column applies to every column of its dataset.
            if (!whole.Contains(near.Dataset) && !Level.Contains(near)
                && !(near.Column.Length == 0 && datasets.Contains(near.Dataset)))
            {
                continue;
            }

            if (_taken.Contains((down, up, edge.PipelineId)))
            {
                // The walk has already added this edge.
            }
            else if (_edges.Count == budget.Edges || NewNodes(near, far) > budget.Nodes - _depths.Count)
            {
                IsCut = true;
                _frontier.Add(near);
                continue;
            }
            else
            {
                _edges.Add(edge);
                _taken.Add((down, up, edge.PipelineId));
                _depths.TryAdd(near, hop - 1);
                _depths.TryAdd(far, hop);
            }

            if (_seen.Add(far))
            {
                next.Add(far);
            }
        }

        Level = next;
    }

    private int NewNodes(ColumnNode near, ColumnNode far) =>
        new[] { near, far }.Distinct().Count(node => !_depths.ContainsKey(node));

    private HashSet<ColumnNode> Cut(HashSet<ColumnNode> level)
    {
        _frontier.UnionWith(level);
        return [];
    }

    private static int Compare(ColumnEdge left, ColumnEdge right)
    {
        var (down, up) = (left.Downstream.CompareTo(right.Downstream), left.Upstream.CompareTo(right.Upstream));
        var downColumn = string.CompareOrdinal(left.DownstreamColumn, right.DownstreamColumn);
        var upColumn = string.CompareOrdinal(left.UpstreamColumn, right.UpstreamColumn);
        return down != 0 ? down
            : downColumn != 0 ? downColumn
            : up != 0 ? up
            : upColumn != 0 ? upColumn
            : string.CompareOrdinal(left.PipelineId, right.PipelineId);
    }
}
