using Catalog.Api.Pages.Drawing;

namespace Catalog.Tests.Pages.Drawing;

/// <summary>The layered drawing of a graph. Random graphs are compared with the rules of a drawing.</summary>
[Trait("Category", "Fast")]
public sealed class LayeredLayoutTests
{
    private static readonly LayoutSizes Sizes = new();

    private static Layout Of(string edges, params string[] nodes)
    {
        var pairs = edges.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(edge => (From: edge[..1], To: edge[1..])).ToList();
        return LayeredLayout.Of([.. nodes, .. pairs.SelectMany(pair => new[] { pair.From, pair.To })], pairs);
    }

    private static (string[] Nodes, (string, string)[] Edges) Any(Random random, int most)
    {
        var count = random.Next(1, most);
        var nodes = Enumerable.Range(0, count).Select(index => $"n{index}").ToArray();
        var edges = Enumerable.Range(0, random.Next(0, count * 2)).Select(_ => (nodes[random.Next(count)], nodes[random.Next(count)]));
        return (nodes, [.. edges]);
    }

    private static void Check(Layout layout)
    {
        var places = layout.Nodes.ToDictionary(node => node.Id);
        // The nodes are sorted by height. Only nodes that begin within the height of a node can overlap with it.
        var nodes = layout.Nodes.OrderBy(node => node.Y).ToList();
        for (var index = 0; index < nodes.Count; index++)
        {
            var node = nodes[index];
            Assert.DoesNotContain(nodes.Skip(index + 1).TakeWhile(other => other.Y < node.Y + Sizes.NodeHeight + 1),
                other => Math.Abs(other.X - node.X) < Sizes.NodeWidth + Sizes.ColumnGap);
        }

        Assert.All(layout.Nodes, node => Assert.True(node.X >= 0 && node.X + Sizes.NodeWidth <= layout.Width + 0.5
            && node.Y >= 0 && node.Y + Sizes.NodeHeight <= layout.Height + 0.5));
        foreach (var edge in layout.Edges.Where(edge => edge.From != edge.To))
        {
            var (left, right) = edge.IsBack ? (edge.To, edge.From) : (edge.From, edge.To);
            var xs = edge.Points.Select(point => point.X).ToList();
            Assert.Equal(edge.IsBack ? xs.OrderDescending() : xs.Order(), xs);
            Assert.True(places[left].X + Sizes.NodeWidth < places[right].X);
            Assert.Equal(places[left].X + Sizes.NodeWidth, xs.Min());
            Assert.Equal(places[right].X, xs.Max());
        }

        Assert.True(layout.Crossings <= layout.FirstCrossings);
    }

    [Fact]
    public void Nodes_do_not_overlap_edges_run_to_the_right_and_crossings_do_not_grow()
    {
        var random = new Random(3);
        for (var round = 0; round < 150; round++)
        {
            var (nodes, edges) = Any(random, 120);
            Check(LayeredLayout.Of(nodes, edges));
        }
    }

    [Fact]
    public void The_order_of_the_input_does_not_matter()
    {
        var random = new Random(4);
        for (var round = 0; round < 60; round++)
        {
            var (nodes, edges) = Any(random, 100);
            var first = System.Text.Json.JsonSerializer.Serialize(LayeredLayout.Of(nodes, edges));
            random.Shuffle(nodes);
            random.Shuffle(edges);
            Assert.Equal(first, System.Text.Json.JsonSerializer.Serialize(LayeredLayout.Of(nodes, edges)));
        }
    }

    [Fact]
    public void No_edge_passes_through_a_node()
    {
        var random = new Random(6);
        for (var round = 0; round < 100; round++)
        {
            var (nodes, edges) = Any(random, 60);
            var layout = LayeredLayout.Of(nodes, edges);
            // The horizontal parts of the edges: the lanes, and the parts beside a row of a wrapped rank.
            var level = layout.Edges.SelectMany(edge => edge.Points.Zip(edge.Points.Skip(1))).Where(part => part.First.Y == part.Second.Y);
            Assert.All(level, part => Assert.DoesNotContain(layout.Nodes, node =>
                Math.Max(part.First.X, part.Second.X) > node.X + 1 && Math.Min(part.First.X, part.Second.X) < node.X + Sizes.NodeWidth - 1
                && part.First.Y > node.Y && part.First.Y < node.Y + Sizes.NodeHeight));
        }
    }

    [Fact]
    public void Crossings_that_need_not_be_are_removed()
    {
        var removable = Of("za zb zc ar bq cp");
        Assert.Equal((3, 0), (removable.FirstCrossings, removable.Crossings));

        var complete = Of("ay az by bz");
        Assert.Equal((1, 1), (complete.FirstCrossings, complete.Crossings));
    }

    [Fact]
    public void An_edge_that_closes_a_cycle_is_marked_and_runs_to_the_left()
    {
        var layout = Of("ab bc ca cd");
        Check(layout);
        Assert.Equal(["ca"], layout.Edges.Where(edge => edge.IsBack).Select(edge => edge.From + edge.To));

        var pair = Of("ab ba");
        Check(pair);
        Assert.Single(pair.Edges, edge => edge.IsBack);
        Assert.NotEqual(pair.Edges[0].Points[0].Y, pair.Edges[1].Points[^1].Y);
    }

    [Fact]
    public void Self_loops_and_duplicates_are_one_edge_and_unknown_ends_are_left_out()
    {
        var layout = LayeredLayout.Of(["a", "b", "a"], [("a", "b"), ("a", "b"), ("a", "a"), ("a", "a"), ("a", "gone"), ("gone", "b")]);

        Check(layout);
        Assert.Equal(["a", "b"], layout.Nodes.Select(node => node.Id));
        Assert.Equal([("a", "b", false), ("a", "a", true)], layout.Edges.Select(edge => (edge.From, edge.To, edge.IsBack)));
        Assert.Empty(layout.Edges[1].Points);
    }

    [Fact]
    public void A_source_stands_beside_its_nearest_target()
    {
        var places = Of("ab bc cd xd").Nodes.ToDictionary(node => node.Id, node => node.X);

        Assert.Equal(places["c"], places["x"]);
    }

    [Fact]
    public void Parts_and_nodes_without_edges_stand_below_each_other()
    {
        var layout = Of("ab xy yz", "p", "q");
        var places = layout.Nodes.ToDictionary(node => node.Id, node => node.Y);

        Check(layout);
        Assert.True(places["x"] < places["a"]);
        Assert.True(places["a"] < Math.Min(places["p"], places["q"]));
    }

    [Fact]
    public void An_empty_graph_is_an_empty_drawing()
    {
        var layout = LayeredLayout.Of([], []);
        Assert.Equal((0, 0, 0, 0), (layout.Nodes.Count, layout.Edges.Count, layout.Width, layout.Height));
    }

    [Fact]
    public void A_rank_of_2000_nodes_is_wrapped()
    {
        var leaves = Enumerable.Range(0, 2000).Select(index => $"leaf{index:0000}").ToList();
        var layout = LayeredLayout.Of([.. leaves, "hub", "end"],
            [.. leaves.Select(leaf => ("hub", leaf)), .. leaves.Select(leaf => (leaf, "end")), ("hub", "end")]);

        Check(layout);
        Assert.InRange(layout.Width / layout.Height, 0.5, 2);
        Assert.InRange(layout.Nodes.GroupBy(node => node.X).Max(column => column.Count()), 16, 100);
    }

    [Fact]
    public void A_long_chain_with_many_shortcuts_is_drawn_with_bounded_work()
    {
        var nodes = Enumerable.Range(0, 3000).Select(index => $"n{index:0000}").ToList();
        var layout = LayeredLayout.Of(nodes, [.. nodes.Zip(nodes.Skip(1)), .. nodes.SkipLast(1).Select(node => (node, nodes[^1]))]);

        Check(layout);
        Assert.InRange(layout.Edges.Sum(edge => edge.Points.Count), 6000, 100_000);
    }
}
