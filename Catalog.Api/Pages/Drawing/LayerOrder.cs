namespace Catalog.Api.Pages.Drawing;

/// <summary>The order of the nodes and lanes in each rank. It is chosen so that few edges cross.</summary>
internal sealed class LayerOrder
{
    private const int Sweeps = 8;

    private readonly int[][] _lefts;
    private readonly int[][] _rights;
    private readonly int[] _position;
    private readonly int[][] _layers;

    private LayerOrder(LayeredGraph graph)
    {
        var count = graph.RankOf.Length;
        (_lefts, _rights) = Neighbours(count, graph.Links);
        _position = new int[count];
        _layers = new int[count == 0 ? 0 : graph.RankOf.Max() + 1][];
        var byRank = Enumerable.Range(0, count).ToLookup(item => graph.RankOf[item]);
        for (var rank = 0; rank < _layers.Length; rank++)
        {
            Set(rank, [.. byRank[rank]]);
        }
    }

    /// <summary>The nodes and lanes of each rank from top to bottom.</summary>
    public IReadOnlyList<int[]> Layers { get; private set; } = [];

    public long Crossings { get; private set; }

    /// <summary>The number of crossings in the order that the search begins with.</summary>
    public long FirstCrossings { get; private set; }

    /// <summary>
    /// Searches for a good order. Each pass sorts the ranks by the mean place of the neighbours on one side, from left
    /// to right and from right to left in turn. The best order is kept.
    /// </summary>
    public static LayerOrder Of(LayeredGraph graph)
    {
        var order = new LayerOrder(graph);
        order.FirstCrossings = order.Crossings = order.Count();
        order.Layers = order.Copy();
        for (var sweep = 0; sweep < Sweeps && order.Crossings > 0; sweep++)
        {
            order.Sweep(toTheRight: sweep % 2 == 0);
            var crossings = order.Count();
            if (crossings < order.Crossings)
            {
                order.Crossings = crossings;
                order.Layers = order.Copy();
            }
        }

        return order;
    }

    private void Sweep(bool toTheRight)
    {
        for (var step = 1; step < _layers.Length; step++)
        {
            var rank = toTheRight ? step : _layers.Length - 1 - step;
            var neighbours = toTheRight ? _lefts : _rights;
            var layer = _layers[rank];
            var keys = new long[layer.Length];
            for (var index = 0; index < layer.Length; index++)
            {
                // If two means are equal, the current place decides. For an item without neighbours, the current place
                // is the mean.
                keys[index] = (Mean(neighbours[layer[index]], index) << 24) | (uint)index;
            }

            Array.Sort(keys, layer);
            Set(rank, layer);
        }
    }

    private long Mean(int[] neighbours, int otherwise)
    {
        if (neighbours.Length == 0)
        {
            return otherwise * 256L;
        }

        long sum = 0;
        foreach (var neighbour in neighbours)
        {
            sum += _position[neighbour];
        }

        return sum * 256 / neighbours.Length;
    }

    private long Count()
    {
        long crossings = 0;
        for (var rank = 0; rank + 1 < _layers.Length; rank++)
        {
            crossings += Count(_layers[rank], _layers[rank + 1].Length);
        }

        return crossings;
    }

    // Counts the crossings between two ranks. It takes the links in the order of their left ends, and counts for each
    // link the earlier links whose right end is lower. A Fenwick tree contains the right ends.
    private long Count(int[] left, int rightLength)
    {
        var tree = new int[rightLength + 1];
        long crossings = 0;
        var seen = 0;
        foreach (var item in left)
        {
            var ends = _rights[item];
            foreach (var end in ends)
            {
                var notBelow = 0;
                for (var index = _position[end] + 1; index > 0; index -= index & -index)
                {
                    notBelow += tree[index];
                }

                crossings += seen - notBelow;
            }

            foreach (var end in ends)
            {
                for (var index = _position[end] + 1; index <= rightLength; index += index & -index)
                {
                    tree[index]++;
                }
            }

            seen += ends.Length;
        }

        return crossings;
    }

    private void Set(int rank, int[] layer)
    {
        _layers[rank] = layer;
        for (var index = 0; index < layer.Length; index++)
        {
            _position[layer[index]] = index;
        }
    }

    private int[][] Copy() => [.. _layers.Select(layer => layer.ToArray())];

    private static (int[][] Lefts, int[][] Rights) Neighbours(int count, IReadOnlyList<(int Left, int Right)> links)
    {
        var (lefts, rights) = (new int[count], new int[count]);
        foreach (var (left, right) in links)
        {
            rights[left]++;
            lefts[right]++;
        }

        var (leftsOf, rightsOf) = (new int[count][], new int[count][]);
        for (var item = 0; item < count; item++)
        {
            leftsOf[item] = new int[lefts[item]];
            rightsOf[item] = new int[rights[item]];
        }

        foreach (var (left, right) in links)
        {
            rights[left]--;
            rightsOf[left][rights[left]] = right;
            lefts[right]--;
            leftsOf[right][lefts[right]] = left;
        }

        return (leftsOf, rightsOf);
    }
}
