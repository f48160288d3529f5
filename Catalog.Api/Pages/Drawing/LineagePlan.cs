using System.Text;

namespace Catalog.Api.Pages.Drawing;

/// <summary>The boxes and the lines of a lineage drawing.</summary>
/// <param name="Width">The width of the drawing in pixels.</param>
/// <param name="Height">The height of the drawing in pixels.</param>
/// <param name="Boxes">The nodes.</param>
/// <param name="Lines">The edges, one for each pair of nodes.</param>
/// <param name="Label">The drawing in one sentence.</param>
/// <param name="Left">The number of nodes of the graph that are not drawn.</param>
public sealed record LineagePlan(
    double Width, double Height, IReadOnlyList<LineagePlan.Box> Boxes, IReadOnlyList<LineagePlan.Line> Lines, string Label, int Left)
{
    /// <summary>The maximum number of nodes.</summary>
    public const int MaximumNodes = 250;

    // Up to this number of edges, the drawing has room for the names of pipelines.
    private const int MaximumLabelled = 40;
    private const double LabelledGap = 140;
    private const double Margin = 24;

    /// <summary>Computes the positions of all boxes and lines.</summary>
    public static LineagePlan Of(DrawnGraph graph)
    {
        var near = graph.Nearest(MaximumNodes);
        var pairs = near.Edges.GroupBy(edge => (edge.From, edge.To)).ToDictionary(group => group.Key, group => group.ToList());
        var labelled = pairs.Count <= MaximumLabelled;
        var sizes = new LayoutSizes { RankGap = labelled ? LabelledGap : 96 };
        var layout = LayeredLayout.Of(near.Nodes.Select(node => node.Id), pairs.Keys, sizes);
        var nodes = near.Nodes.ToDictionary(node => node.Id, StringComparer.Ordinal);
        var places = layout.Nodes.ToDictionary(node => node.Id, StringComparer.Ordinal);
        var pipelinesTo = near.Edges.GroupBy(edge => edge.To, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => Pipelines(group), StringComparer.Ordinal);
        var titled = new HashSet<string>(StringComparer.Ordinal);
        var lines = layout.Edges.Select(edge =>
        {
            var label = labelled && HasRoom(edge) && titled.Add(edge.To) ? LabelOf(pipelinesTo[edge.To]) : null;
            return LineOf(edge, pairs[(edge.From, edge.To)], nodes, label, places[edge.From], sizes);
        }).ToList();
        var total = graph.Nodes.Select(node => node.Id).Distinct(StringComparer.Ordinal).Count();
        return new LineagePlan(layout.Width + (2 * Margin), layout.Height + (2 * Margin),
            [.. layout.Nodes.Select(place => BoxOf(nodes[place.Id], place, graph.Focus))], lines,
            LabelOf(graph, near, lines.Count, total), total - near.Nodes.Count);
    }

    private static Box BoxOf(DrawnNode node, PlacedNode place, string? focus)
    {
        var run = StatusLook.Of(node.RunStatus);
        var checks = node.Checks.Where(check => check.Count > 0).Select(check => (Look: StatusLook.Of(check.Status), check.Count))
            .OrderBy(check => check.Look.IsFailure ? 0 : 1).ThenBy(check => check.Look.Class == "status-pass")
            .ThenBy(check => check.Look.Word, StringComparer.Ordinal).Take(4).ToList();
        var words = new List<string> { DisplayText.Clean(node.Title), DisplayText.Clean(node.Kind) };
        words.Add(node.RunStatus is null ? "no run" : $"last run {run.Word}");
        words.Add(checks.Count == 0 ? "no check results"
            : "checks: " + string.Join(", ", checks.Select(check => $"{DisplayText.Count(check.Count)} {check.Look.Word}")));
        return new Box(node, place.X + Margin, place.Y + Margin, DisplayText.Shorten(node.Title, 20), string.Join(", ", words), run,
            Marks(checks), node.Id == focus);
    }

    // The statuses of checks stand at the right end of the second line. The worst status is on the left.
    private static List<Mark> Marks(List<(StatusLook Look, long Count)> checks)
    {
        var marks = new List<Mark>();
        var x = 198.0;
        foreach (var (look, count) in checks.AsEnumerable().Reverse())
        {
            var text = count > 999 ? "999+" : DisplayText.Count(count);
            x -= 15 + (text.Length * 7);
            marks.Insert(0, new Mark(x, look, text));
            x -= 5;
        }

        return marks;
    }

    private static Line LineOf(
        PlacedEdge edge, List<DrawnEdge> drawn, Dictionary<string, DrawnNode> nodes, string? label, PlacedNode from, LayoutSizes sizes)
    {
        var points = edge.Points.Select(point => (X: point.X + Margin, Y: point.Y + Margin)).ToList();
        (double X, double Y) corner = (from.X + Margin + sizes.NodeWidth, from.Y + Margin);
        var title = $"{DisplayText.Clean(nodes[edge.From].Title)} to {DisplayText.Clean(nodes[edge.To].Title)}, "
            + $"pipeline {string.Join(", ", Pipelines(drawn).Take(10))}{(edge.IsBack ? ", closes a cycle" : "")}";
        var href = drawn.Select(one => one.Href).FirstOrDefault(one => one is not null);
        var path = points.Count > 0 ? Path(points) : Loop(corner.X, corner.Y);
        var at = points.Count > 0 ? points[^1] : corner with { Y = corner.Y + 16 };
        // If the line comes from above, the label stands below the arrowhead; otherwise it stands above.
        var fromAbove = points.Count > 0 && points[^2].Y < at.Y;
        var head = Head(at, points.Count > 0 && points[^2].X < at.X);
        var link = href is null ? null : DisplayText.Clean(href);
        return new Line(path, head, edge.IsBack, title, link, label, at.X - 12, at.Y + (fromAbove ? 15 : -7));
    }

    private static string Path(List<(double X, double Y)> points)
    {
        var path = new StringBuilder($"M{Number(points[0].X)} {Number(points[0].Y)}");
        foreach (var (start, end) in points.Zip(points.Skip(1)))
        {
            var middle = Number((start.X + end.X) / 2);
            path.Append(start.Y == end.Y ? "H" + Number(end.X)
                : $"C{middle} {Number(start.Y)} {middle} {Number(end.Y)} {Number(end.X)} {Number(end.Y)}");
        }

        return path.ToString();
    }

    private static string Loop(double right, double top) =>
        $"M{Number(right - 30)} {Number(top)}c0-26 60-10 30 16";

    private static string Head((double X, double Y) at, bool toTheRight) =>
        $"M{Number(at.X)} {Number(at.Y)}l{(toTheRight ? "-9" : "9")}-4.5v9z";

    private static string Number(double value) => DisplayText.Number(value);

    private static bool HasRoom(PlacedEdge edge) =>
        !edge.IsBack && edge.Points.Count > 1 && edge.Points[^1].X - edge.Points[^2].X > LabelledGap - 1;

    private static List<string> Pipelines(IEnumerable<DrawnEdge> edges) =>
        [.. edges.Select(edge => DisplayText.Clean(edge.PipelineId)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static string LabelOf(List<string> pipelines) =>
        pipelines.Count == 1 ? DisplayText.Shorten(pipelines[0], 18) : DisplayText.Of(pipelines.Count, "pipeline");

    private static string LabelOf(DrawnGraph graph, DrawnGraph near, int edges, int total)
    {
        var focus = graph.Nodes.FirstOrDefault(node => node.Id == graph.Focus);
        var failed = near.Nodes.Count(node => StatusLook.Of(node.RunStatus).IsFailure);
        return "Lineage" + (focus is null ? "" : $" of {DisplayText.Shorten(focus.Title, 80)}")
            + $": {DisplayText.Of(near.Nodes.Count, "dataset")} and {DisplayText.Of(edges, "edge")} from left to right"
            + (near.Nodes.Count < total ? $", the nearest of {DisplayText.Count(total)}" : "")
            + (failed > 0 ? $"; {DisplayText.Count(failed)} with a failed run" : "");
    }

    /// <summary>A node.</summary>
    /// <param name="Node">The node.</param>
    /// <param name="X">The left edge of its box.</param>
    /// <param name="Y">The top of its box.</param>
    /// <param name="Title">The title, cut to fit into the box.</param>
    /// <param name="Label">The whole title and the statuses in words.</param>
    /// <param name="Run">The look of the last run's status.</param>
    /// <param name="Checks">The statuses of the dataset's checks with their numbers.</param>
    /// <param name="IsFocus">Whether the graph is about this node.</param>
    public sealed record Box(
        DrawnNode Node, double X, double Y, string Title, string Label, StatusLook Run, IReadOnlyList<Mark> Checks, bool IsFocus);

    /// <summary>The number of checks with one status.</summary>
    /// <param name="X">The distance from the left edge of the box, in pixels.</param>
    /// <param name="Look">The look of the status.</param>
    /// <param name="Text">The number.</param>
    public sealed record Mark(double X, StatusLook Look, string Text);

    /// <summary>An edge.</summary>
    /// <param name="Path">The SVG path of the line.</param>
    /// <param name="Head">The SVG path of the arrowhead.</param>
    /// <param name="IsBack">Whether the edge closes a cycle.</param>
    /// <param name="Title">The text of the tooltip.</param>
    /// <param name="Href">The target of the edge's link, or null.</param>
    /// <param name="Label">The name of the pipeline beside the arrowhead, or null.</param>
    /// <param name="LabelX">The right end of the label.</param>
    /// <param name="LabelY">The baseline of the label.</param>
    public sealed record Line(
        string Path, string Head, bool IsBack, string Title, string? Href, string? Label, double LabelX, double LabelY);
}
