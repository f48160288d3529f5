namespace Catalog.Api.Pages.Drawing;

/// <summary>Sizes of a layered drawing, in pixels.</summary>
public sealed record LayoutSizes
{
    public double NodeWidth { get; init; } = 208;
    public double NodeHeight { get; init; } = 52;

    /// <summary>The space between two ranks, where edges curve.</summary>
    public double RankGap { get; init; } = 96;

    /// <summary>The space between two columns of one wrapped rank.</summary>
    public double ColumnGap { get; init; } = 40;

    /// <summary>The space between two nodes of a column.</summary>
    public double RowGap { get; init; } = 28;

    /// <summary>The height that an edge takes where it passes a rank.</summary>
    public double LaneHeight { get; init; } = 14;

    /// <summary>The most nodes in one column; a rank with more is wrapped into several columns.</summary>
    public int WrapAt { get; init; } = 16;

    internal double Row => NodeHeight + RowGap;
}

/// <summary>The place of a node: its left upper corner.</summary>
public sealed record PlacedNode(string Id, double X, double Y);

/// <summary>The way of an edge.</summary>
/// <param name="From">The id of the node that it leaves.</param>
/// <param name="To">The id of the node where it arrives.</param>
/// <param name="IsBack">Whether it closes a cycle: it runs from right to left.</param>
/// <param name="Points">
/// Its points from the start to the end. A part between two points of different height is a curve, horizontal at both
/// ends. A self-loop has no points.
/// </param>
public sealed record PlacedEdge(string From, string To, bool IsBack, IReadOnlyList<(double X, double Y)> Points);

/// <summary>A drawing.</summary>
/// <param name="Nodes">The nodes by id.</param>
/// <param name="Edges">The edges by their ends; duplicates are one edge.</param>
/// <param name="Width">The width of all nodes and edges.</param>
/// <param name="Height">Their height.</param>
/// <param name="Crossings">How often edges cross between two ranks.</param>
/// <param name="FirstCrossings">How often they would cross if the ranks were sorted by id.</param>
public sealed record Layout(
    IReadOnlyList<PlacedNode> Nodes, IReadOnlyList<PlacedEdge> Edges, double Width, double Height, long Crossings, long FirstCrossings);

/// <summary>
/// Draws a directed graph in layers from left to right (Sugiyama): edges that close a cycle are turned, ranks are
/// longest paths, long edges pass each rank in a lane of their own, and nodes are sorted to cross little. The same
/// graph is drawn the same way whatever the order of its nodes and edges.
/// </summary>
public static class LayeredLayout
{
    /// <summary>Places the nodes. Edges of unknown nodes are left out.</summary>
    public static Layout Of(IEnumerable<string> nodes, IEnumerable<(string From, string To)> edges, LayoutSizes? sizes = null)
    {
        var size = sizes ?? new LayoutSizes();
        var ids = nodes.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var numbers = new Dictionary<string, int>(ids.Length, StringComparer.Ordinal);
        for (var number = 0; number < ids.Length; number++)
        {
            numbers[ids[number]] = number;
        }

        var known = edges.Where(edge => numbers.ContainsKey(edge.From) && numbers.ContainsKey(edge.To))
            .Select(edge => (From: numbers[edge.From], To: numbers[edge.To])).Distinct().Order().ToList();
        var drawing = new Drawing(new (double X, double Y)[ids.Length], []);
        var height = 0.0;
        foreach (var part in Parts(ids.Length, known))
        {
            height += PlacePart(part, size, height, drawing) + size.RowGap;
        }

        var loops = known.Where(edge => edge.From == edge.To).Select(edge => new PlacedEdge(ids[edge.From], ids[edge.To], true, []));
        return new Layout(
            [.. ids.Select((id, number) => new PlacedNode(id, drawing.Nodes[number].X, drawing.Nodes[number].Y))],
            [.. drawing.Edges.OrderBy(edge => edge.From).ThenBy(edge => edge.To)
                .Select(edge => new PlacedEdge(ids[edge.From], ids[edge.To], edge.IsBack, edge.Points)).Concat(loops)],
            drawing.Width, Math.Max(0, height - size.RowGap), drawing.Crossings, drawing.FirstCrossings);
    }

    // The connected parts, largest first. Nodes without edges are one part.
    private static IEnumerable<(int[] Nodes, List<(int From, int To)> Edges)> Parts(int count, List<(int From, int To)> edges)
    {
        var parent = Enumerable.Range(0, count).ToArray();
        var single = Enumerable.Repeat(true, count).ToArray();
        var real = edges.Where(edge => edge.From != edge.To).ToList();
        foreach (var (from, to) in real)
        {
            single[from] = single[to] = false;
            var (a, b) = (Root(from), Root(to));
            parent[Math.Max(a, b)] = Math.Min(a, b);
        }

        var edgesOf = real.ToLookup(edge => Root(edge.From));
        var parts = Enumerable.Range(0, count).Where(node => !single[node]).GroupBy(Root)
            .Select(part => (Nodes: part.ToArray(), Edges: edgesOf[part.Key].ToList()))
            .OrderByDescending(part => part.Nodes.Length).ThenBy(part => part.Nodes[0]);
        var alone = Enumerable.Range(0, count).Where(node => single[node]).ToArray();
        return alone.Length == 0 ? parts : parts.Append((alone, []));

        int Root(int node)
        {
            while (parent[node] != node)
            {
                node = parent[node] = parent[parent[node]];
            }

            return node;
        }
    }

    private static double PlacePart((int[] Nodes, List<(int From, int To)> Edges) part, LayoutSizes size, double top, Drawing drawing)
    {
        var local = new Dictionary<int, int>(part.Nodes.Length);
        for (var index = 0; index < part.Nodes.Length; index++)
        {
            local[part.Nodes[index]] = index;
        }

        var graph = LayeredGraph.Of(part.Nodes.Length, [.. part.Edges.Select(edge => (local[edge.From], local[edge.To]))]);
        var order = LayerOrder.Of(graph);
        var places = new LayerPlaces(graph, order.Layers, size);
        for (var index = 0; index < part.Nodes.Length; index++)
        {
            var (x, y) = places.Corner(index);
            drawing.Nodes[part.Nodes[index]] = (x, y + top);
        }

        drawing.Edges.AddRange(graph.Edges.Select(edge => (part.Nodes[edge.From], part.Nodes[edge.To], edge.IsBack,
            (IReadOnlyList<(double X, double Y)>)[.. places.Way(edge).Select(point => (point.X, point.Y + top))])));
        drawing.Width = Math.Max(drawing.Width, places.Width);
        drawing.Crossings += order.Crossings;
        drawing.FirstCrossings += order.FirstCrossings;
        return places.Height;
    }

    private sealed record Drawing(
        (double X, double Y)[] Nodes, List<(int From, int To, bool IsBack, IReadOnlyList<(double X, double Y)> Points)> Edges)
    {
        public double Width { get; set; }
        public long Crossings { get; set; }
        public long FirstCrossings { get; set; }
    }
}
