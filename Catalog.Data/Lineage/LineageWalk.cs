namespace Catalog.Data.Lineage;

/// <summary>
/// The state of a walk through the graph, without any SQL. The walk goes hop by hop, and each direction is separate. It
/// adds the edges of a hop in key order until an edge exceeds the budget. So the result is always the nearest part of
/// the graph, in whatever order the edges were read.
/// </summary>
internal sealed class LineageWalk
{
    private readonly LineageBudget _budget;
    private readonly Dictionary<Guid, int> _depths;
    private readonly List<LineageEdge> _edges = [];

    // The added edges. In a cycle both directions reach the same edge, which is listed once and counts once. Null when
    // there is only one direction.
    private readonly HashSet<(Guid, Guid, string, DateTimeOffset)>? _taken;

    public LineageWalk(Guid start, LineageDirection direction, LineageBudget budget)
        : this([start], direction, budget)
    {
    }

    public LineageWalk(IReadOnlyCollection<Guid> starts, LineageDirection direction, LineageBudget budget)
    {
        _budget = budget;
        _depths = starts.ToDictionary(start => start, _ => 0);
        Sides = [.. new[] { LineageDirection.Upstream, LineageDirection.Downstream }.Where(each => direction.HasFlag(each))
            .Select(each => new Side(each, starts))];
        _taken = Sides.Count > 1 ? [] : null;
    }

    /// <summary>One entry for each direction that is walked.</summary>
    public IReadOnlyList<Side> Sides { get; }

    /// <summary>The datasets that were reached, with the smallest number of hops from the start.</summary>
    public IReadOnlyDictionary<Guid, int> Depths => _depths;

    /// <summary>The edges that were followed, each once.</summary>
    public IReadOnlyList<LineageEdge> Edges => _edges;

    /// <summary>
    /// The dataset at whose edges the budget stopped the walk, and its side; null while the budget has not stopped the
    /// walk.
    /// </summary>
    public (Side Side, Guid Dataset)? Cut { get; private set; }

    /// <summary>
    /// The maximum number of edges in the next hop that can fit the budget. It includes edges that the other direction
    /// has already added.
    /// </summary>
    public int Room => _budget.Edges - _edges.Count + (_taken?.Count ?? 0);

    /// <summary>Adds the edges of one hop of a side, and makes their far ends the side's next level.</summary>
    /// <param name="side">The side.</param>
    /// <param name="found">The edges of the side's current level, in any order. When they do not fit the budget, the
    /// first edges in key order are enough.</param>
    /// <param name="complete">Whether <paramref name="found"/> contains all edges of the level.</param>
    /// <param name="hop">The distance of the far ends from the start, in hops.</param>
    public void AddHop(Side side, List<LineageEdge> found, bool complete, int hop)
    {
        // The order only matters when some edges do not fit.
        if (!Fits(side, found))
        {
            found.Sort(side.Compare);
        }

        List<Guid> next = [];
        foreach (var edge in found)
        {
            var far = side.Far(edge);
            var seen = side.Seen.Contains(far);
            if (_taken?.Contains(Key(edge)) == true)
            {
                // The other direction has already added this edge and its ends.
            }
            else if (_edges.Count == _budget.Edges || (!seen && !_depths.ContainsKey(far) && _depths.Count >= _budget.Nodes))
            {
                Cut = (side, side.Near(edge));
                break;
            }
            else
            {
                _edges.Add(edge);
                _taken?.Add(Key(edge));
            }

            if (!seen)
            {
                side.Seen.Add(far);
                _depths.TryAdd(far, hop);
                next.Add(far);
            }
        }

        if (Cut is { } cut)
        {
            side.Unfollowed = complete ? [.. found.Select(side.Near).Where(IsAfterCut)] : [];
            side.Unread = complete ? [] : [.. side.Level.Where(IsAfterCut)];
            bool IsAfterCut(Guid dataset) => dataset.CompareTo(cut.Dataset) > 0;
        }

        side.Level = next;
        side.Depth = hop;
    }

    private bool Fits(Side side, List<LineageEdge> found)
    {
        if (found.Count > _budget.Edges - _edges.Count)
        {
            return false;
        }

        if (found.Count <= _budget.Nodes - _depths.Count)
        {
            return true;
        }

        var added = new HashSet<Guid>();
        foreach (var edge in found)
        {
            if (!_depths.ContainsKey(side.Far(edge)))
            {
                added.Add(side.Far(edge));
            }
        }

        return added.Count <= _budget.Nodes - _depths.Count;
    }

    private static (Guid, Guid, string, DateTimeOffset) Key(LineageEdge edge) =>
        (edge.Upstream, edge.Downstream, edge.PipelineId, edge.ValidFrom);

    /// <summary>The part of the walk in one direction.</summary>
    internal sealed class Side(LineageDirection direction, IReadOnlyCollection<Guid> starts)
    {
        private readonly bool _up = direction == LineageDirection.Upstream;

        public LineageDirection Direction => direction;

        /// <summary>
        /// The datasets that this side has reached. Each side has its own set: in a cycle both sides reach a dataset,
        /// and both continue from it.
        /// </summary>
        public HashSet<Guid> Seen { get; } = [.. starts];

        /// <summary>The datasets whose edges are read next.</summary>
        public List<Guid> Level { get; set; } = [.. starts];

        /// <summary>The distance of <see cref="Level"/> from the start, in hops.</summary>
        public int Depth { get; set; }

        /// <summary>
        /// The datasets of the last level with edges that were read but not followed; empty until the budget stops the
        /// walk.
        /// </summary>
        public HashSet<Guid> Unfollowed { get; set; } = [];

        /// <summary>
        /// The datasets of the last level whose edges were not all read; empty until the budget stops the walk.
        /// </summary>
        public List<Guid> Unread { get; set; } = [];

        public Guid Near(LineageEdge edge) => _up ? edge.Downstream : edge.Upstream;

        public Guid Far(LineageEdge edge) => _up ? edge.Upstream : edge.Downstream;

        /// <summary>
        /// Compares edges in key order. As in both engines, UUIDs are sorted by their bytes in the order of their text.
        /// </summary>
        public int Compare(LineageEdge left, LineageEdge right)
        {
            var near = Near(left).CompareTo(Near(right));
            var far = near != 0 ? near : Far(left).CompareTo(Far(right));
            var pipeline = far != 0 ? far : string.CompareOrdinal(left.PipelineId, right.PipelineId);
            return pipeline != 0 ? pipeline : left.ValidFrom.CompareTo(right.ValidFrom);
        }
    }
}
