namespace Catalog.Data.Lineage;

/// <summary>
/// What a walk has seen so far, without any SQL. It goes hop by hop, each way by itself, and takes the edges of a hop in the order of
/// their datasets' keys until one does not fit the budget: an answer is always the nearest part of the graph, however its edges were read.
/// </summary>
internal sealed class LineageWalk
{
    private readonly LineageBudget _budget;
    private readonly Dictionary<Guid, int> _depths;
    private readonly List<LineageEdge> _edges = [];

    // In a cycle an edge lies both ways; it is shown once and costs once.
    private readonly HashSet<(Guid, Guid, string, DateTimeOffset)>? _taken;

    public LineageWalk(Guid start, LineageDirection direction, LineageBudget budget)
    {
        _budget = budget;
        _depths = new() { [start] = 0 };
        Sides = [.. new[] { LineageDirection.Upstream, LineageDirection.Downstream }.Where(way => direction.HasFlag(way)).Select(way => new Side(way, start))];
        _taken = Sides.Count > 1 ? [] : null;
    }

    /// <summary>The ways that are walked.</summary>
    public IReadOnlyList<Side> Sides { get; }

    /// <summary>The datasets reached, each with the least number of hops.</summary>
    public IReadOnlyDictionary<Guid, int> Depths => _depths;

    /// <summary>The edges followed, each once.</summary>
    public IReadOnlyList<LineageEdge> Edges => _edges;

    /// <summary>The dataset at whose edges the budget ended the walk, and the way; null: it did not.</summary>
    public (Side Side, Guid Dataset)? Cut { get; private set; }

    /// <summary>The most edges that the next of a way's hops can hold without leaving the budget, those included that the other way has taken.</summary>
    public int Room => _budget.Edges - _edges.Count + (_taken?.Count ?? 0);

    /// <summary>Takes the edges of a way's whole level, and makes the next from their far ends.</summary>
    /// <param name="side">The way.</param>
    /// <param name="found">The edges, in any order; when they do not fit, only those that come first in order need to be there.</param>
    /// <param name="whole">Whether none is missing.</param>
    /// <param name="hop">How far their far ends are from the start.</param>
    public void Take(Side side, List<LineageEdge> found, bool whole, int hop)
    {
        // The order decides only what is left out, and a hop that fits whole leaves out nothing.
        if (!Fits(side, found))
        {
            found.Sort(side.Compare);
        }

        List<Guid> next = [];
        foreach (var edge in found)
        {
            var far = side.Far(edge);
            var met = side.Seen.Contains(far);
            if (_taken?.Contains(Key(edge)) == true)
            {
                // Its ends are known from the other way and have cost what they cost.
            }
            else if (_edges.Count == _budget.Edges || (!met && !_depths.ContainsKey(far) && _depths.Count >= _budget.Nodes))
            {
                Cut = (side, side.Near(edge));
                break;
            }
            else
            {
                _edges.Add(edge);
                _taken?.Add(Key(edge));
            }

            if (!met)
            {
                side.Seen.Add(far);
                _depths.TryAdd(far, hop);
                next.Add(far);
            }
        }

        if (Cut is { } cut)
        {
            side.Onward = whole ? [.. found.Select(side.Near).Where(IsLeft)] : [];
            side.Left = whole ? [] : [.. side.Level.Where(IsLeft)];
            bool IsLeft(Guid dataset) => dataset.CompareTo(cut.Dataset) > 0;
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

        var fresh = new HashSet<Guid>();
        foreach (var edge in found)
        {
            if (!_depths.ContainsKey(side.Far(edge)))
            {
                fresh.Add(side.Far(edge));
            }
        }

        return fresh.Count <= _budget.Nodes - _depths.Count;
    }

    private static (Guid, Guid, string, DateTimeOffset) Key(LineageEdge edge) => (edge.Upstream, edge.Downstream, edge.PipelineId, edge.ValidFrom);

    /// <summary>One of the ways.</summary>
    internal sealed class Side(LineageDirection way, Guid start)
    {
        private readonly bool _up = way == LineageDirection.Upstream;

        public LineageDirection Way => way;

        /// <summary>Its own memory: in a cycle a dataset lies both ways, and either walk must go on through it.</summary>
        public HashSet<Guid> Seen { get; } = [start];

        /// <summary>Whose edges come next.</summary>
        public List<Guid> Level { get; set; } = [start];

        /// <summary>How far that level is from the start.</summary>
        public int Depth { get; set; }

        /// <summary>When the budget ended the walk: those of the level that were left aside and have edges.</summary>
        public HashSet<Guid> Onward { get; set; } = [];

        /// <summary>Those that were left aside and of whose edges nothing is known.</summary>
        public List<Guid> Left { get; set; } = [];

        public Guid Near(LineageEdge edge) => _up ? edge.Downstream : edge.Upstream;

        public Guid Far(LineageEdge edge) => _up ? edge.Upstream : edge.Downstream;

        /// <summary>The order of both engines: a UUID's bytes as they are written.</summary>
        public int Compare(LineageEdge one, LineageEdge other)
        {
            var near = Near(one).CompareTo(Near(other));
            var far = near != 0 ? near : Far(one).CompareTo(Far(other));
            var pipeline = far != 0 ? far : string.CompareOrdinal(one.PipelineId, other.PipelineId);
            return pipeline != 0 ? pipeline : one.ValidFrom.CompareTo(other.ValidFrom);
        }
    }
}
