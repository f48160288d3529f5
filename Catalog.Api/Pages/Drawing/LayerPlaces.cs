namespace Catalog.Api.Pages.Drawing;

/// <summary>
/// The coordinates of the nodes and edges in a connected part of the drawing. The order in the ranks is already known.
/// </summary>
internal sealed class LayerPlaces
{
    // How many times all rows are moved towards their neighbours.
    private const int Alignments = 6;

    private readonly LayeredGraph _graph;
    private readonly LayoutSizes _size;
    private readonly Slot[][] _slots;
    private readonly Slot[] _slotOf;
    private readonly int[] _columnOf;
    private readonly double[] _left;
    private readonly double[] _right;

    public LayerPlaces(LayeredGraph graph, IReadOnlyList<int[]> layers, LayoutSizes size)
    {
        _graph = graph;
        _size = size;
        _slotOf = new Slot[graph.RankOf.Length];
        _columnOf = new int[graph.RankOf.Length];
        _slots = [.. layers.Select(SlotsOf)];
        (_left, _right) = (new double[layers.Count], new double[layers.Count]);
        var x = 0.0;
        for (var rank = 0; rank < layers.Count; rank++)
        {
            var columns = _slots[rank].Max(slot => slot.IsLane ? 1 : slot.Items.Count);
            _left[rank] = x;
            _right[rank] = x + (columns * (size.NodeWidth + size.ColumnGap)) - size.ColumnGap;
            x = _right[rank] + size.RankGap;
        }

        Width = layers.Count == 0 ? 0 : x - size.RankGap;
        Align();
    }

    public double Width { get; }

    public double Height { get; private set; }

    /// <summary>The left upper corner of a node.</summary>
    public (double X, double Y) Corner(int node) =>
        (_left[_graph.RankOf[node]] + (_columnOf[node] * (_size.NodeWidth + _size.ColumnGap)), _slotOf[node].Top);

    /// <summary>The points of an edge from its start to its end.</summary>
    public IEnumerable<(double X, double Y)> Way(LayeredGraph.Edge edge)
    {
        var (first, last) = edge.IsBack ? (edge.To, edge.From) : (edge.From, edge.To);
        // An edge that closes a cycle starts and ends a little lower, so that it does not lie on an edge in the other
        // direction.
        var shift = edge.IsBack ? _size.NodeHeight / 4 : 0;
        var points = new List<(double X, double Y)>(Leave(first, shift));
        foreach (var lane in edge.Lanes)
        {
            var y = _slotOf[lane].Middle;
            points.Add((_left[_graph.RankOf[lane]], y));
            points.Add((_right[_graph.RankOf[lane]], y));
        }

        points.AddRange(Enter(last, shift));
        return edge.IsBack ? points.AsEnumerable().Reverse() : points;
    }

    // If the node is not in the last column of its rank, the edge runs below the row to the end of the rank.
    private IEnumerable<(double X, double Y)> Leave(int node, double shift)
    {
        var (x, y) = Corner(node);
        var end = _right[_graph.RankOf[node]];
        yield return (x + _size.NodeWidth, y + (_size.NodeHeight / 2) + shift);
        if (x + _size.NodeWidth < end - 1)
        {
            var below = y + _size.NodeHeight + (_size.RowGap / 3);
            yield return (x + _size.NodeWidth + (_size.ColumnGap * 0.8), below);
            yield return (end, below);
        }
    }

    // If the node is not in the first column of its rank, the edge runs above the row.
    private IEnumerable<(double X, double Y)> Enter(int node, double shift)
    {
        var (x, y) = Corner(node);
        if (_columnOf[node] > 0)
        {
            var above = y - (_size.RowGap / 3);
            yield return (_left[_graph.RankOf[node]], above);
            yield return (x - (_size.ColumnGap * 0.8), above);
        }

        yield return (x, y + (_size.NodeHeight / 2) + shift);
    }

    // A rank that is too high gets rows of several nodes. A lane that falls inside a row is placed after that row.
    private Slot[] SlotsOf(int[] layer)
    {
        var nodes = layer.Count(item => item < _graph.Nodes);
        // If a rank is very large, it becomes about as high as it is wide.
        var square = (int)Math.Sqrt(nodes * (_size.NodeWidth + _size.ColumnGap) / _size.Row);
        var rows = Math.Max(_size.WrapAt, square);
        var columns = Math.Max(1, (nodes + rows - 1) / rows);
        var slots = new List<Slot>();
        var lanes = new List<Slot>();
        Slot? row = null;
        foreach (var item in layer)
        {
            var isLane = item >= _graph.Nodes;
            if (isLane)
            {
                var lane = new Slot(true, _size.LaneHeight, _size.LaneHeight / 2) { Items = { item } };
                _slotOf[item] = lane;
                (row is null ? slots : lanes).Add(lane);
                continue;
            }

            if (row is null)
            {
                row = new Slot(false, _size.Row, _size.NodeHeight / 2);
                slots.Add(row);
            }

            _slotOf[item] = row;
            _columnOf[item] = row.Items.Count;
            row.Items.Add(item);
            if (row.Items.Count == columns)
            {
                slots.AddRange(lanes);
                lanes.Clear();
                row = null;
            }
        }

        return [.. slots, .. lanes];
    }

    private void Align()
    {
        foreach (var (left, right) in _graph.Links)
        {
            // Links of lanes have a higher weight, because long edges are easiest to follow when they are straight.
            var weight = left >= _graph.Nodes || right >= _graph.Nodes ? 4 : 1;
            _slotOf[left].Rights.Add((_slotOf[right], weight));
            _slotOf[right].Lefts.Add((_slotOf[left], weight));
        }

        foreach (var slots in _slots)
        {
            Stack(slots);
        }

        for (var round = 0; round < Alignments; round++)
        {
            for (var step = 0; step < _slots.Length; step++)
            {
                var slots = _slots[round % 2 == 0 ? step : _slots.Length - 1 - step];
                foreach (var slot in slots)
                {
                    slot.Wish(round % 2 == 0 ? slot.Lefts : slot.Rights);
                }

                Move(slots);
            }
        }

        var top = _slots.SelectMany(slots => slots).Select(slot => slot.Top).DefaultIfEmpty().Min();
        foreach (var slot in _slots.SelectMany(slots => slots))
        {
            slot.Top = Math.Round(slot.Top - top, 1);
            Height = Math.Max(Height, slot.Top + slot.Height - (slot.IsLane ? 0 : _size.RowGap));
        }
    }

    private static void Stack(Slot[] slots)
    {
        var top = -slots.Sum(slot => slot.Height) / 2;
        foreach (var slot in slots)
        {
            slot.Top = top;
            top += slot.Height;
        }
    }

    // Moves each slot as near as possible to its wanted place. The order stays the same, and slots do not overlap.
    // Slots that would overlap move as one block to the mean of their wanted places.
    private static void Move(Slot[] slots)
    {
        var blocks = new Stack<(double Sum, double Weight, int Count)>();
        var offset = 0.0;
        foreach (var slot in slots)
        {
            var block = (Sum: (slot.Wanted - offset) * slot.Weight, slot.Weight, Count: 1);
            while (blocks.TryPeek(out var above) && above.Sum / above.Weight >= block.Sum / block.Weight)
            {
                blocks.Pop();
                block = (above.Sum + block.Sum, above.Weight + block.Weight, above.Count + block.Count);
            }

            blocks.Push(block);
            offset += slot.Height;
        }

        var index = 0;
        offset = 0;
        foreach (var (sum, weight, count) in blocks.Reverse())
        {
            for (var last = index + count; index < last; index++)
            {
                slots[index].Top = (sum / weight) + offset;
                offset += slots[index].Height;
            }
        }
    }

    private sealed class Slot(bool isLane, double height, double middle)
    {
        public bool IsLane { get; } = isLane;
        public double Height { get; } = height;
        public List<int> Items { get; } = [];
        public List<(Slot Slot, double Weight)> Lefts { get; } = [];
        public List<(Slot Slot, double Weight)> Rights { get; } = [];
        public double Top { get; set; }
        public double Wanted { get; private set; }
        public double Weight { get; private set; } = 1;
        public double Middle => Top + middle;

        public void Wish(List<(Slot Slot, double Weight)> neighbours)
        {
            var (sum, weight) = (0.0, 0.0);
            foreach (var (slot, pull) in neighbours)
            {
                sum += slot.Middle * pull;
                weight += pull;
            }

            // A slot without neighbours on this side wants its current place, with a low weight, so that other slots
            // can push it.
            Wanted = weight > 0 ? (sum / weight) - middle : Top;
            Weight = weight > 0 ? weight : 0.1;
        }
    }
}
