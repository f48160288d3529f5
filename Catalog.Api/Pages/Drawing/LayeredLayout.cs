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

    /// <summary>The height of the lane of an edge where it passes a rank.</summary>
    public double LaneHeight { get; init; } = 14;

    /// <summary>The maximum number of nodes in one column. A rank with more nodes has several columns.</summary>
    public int WrapAt { get; init; } = 16;

    internal double Row => NodeHeight + RowGap;
}

/// <summary>A node with the coordinates of its left upper corner.</summary>
public sealed record PlacedNode(string Id, double X, double Y);

/// <summary>An edge with its course.</summary>
/// <param name="From">The id of the node where the edge starts.</param>
/// <param name="To">The id of the node where the edge ends.</param>
/// <param name="IsBack">Whether the edge closes a cycle. Then it runs from right to left, or is a self-loop.</param>
/// <param name="Points">
/// The points of the edge from its start to its end. Between two points of different height the edge is a curve that is
/// horizontal at both ends. A self-loop has no points.
/// </param>
public sealed record PlacedEdge(string From, string To, bool IsBack, IReadOnlyList<(double X, double Y)> Points);

/// <summary>A drawing.</summary>
/// <param name="Nodes">The nodes by id.</param>
/// <param name="Edges">The edges sorted by their ends, self-loops last. Duplicates are one edge.</param>
/// <param name="Width">The width of the drawing in pixels.</param>
/// <param name="Height">The height of the drawing in pixels.</param>
/// <param name="Crossings">How often edges cross between two ranks.</param>
/// <param name="FirstCrossings">How often edges would cross if the ranks were sorted by id.</param>
public sealed record Layout(
    IReadOnlyList<PlacedNode> Nodes, IReadOnlyList<PlacedEdge> Edges, double Width, double Height, long Crossings, long FirstCrossings);

/// <summary>
/// Draws a directed graph in layers from left to right (Sugiyama). Edges that close a cycle are turned. The rank of a
/// node comes from its longest path. A long edge has its own lane in each rank that it passes. The nodes are sorted so
/// that few edges cross. The order of the given nodes and edges does not change the drawing.
/// </summary>
public static class LayeredLayout
{
    /// <summary>Places the nodes. An edge whose start or end is not among the nodes is left out.</summary>
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

    // The connected parts of the graph, largest first. All nodes without edges together are the last part.
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
