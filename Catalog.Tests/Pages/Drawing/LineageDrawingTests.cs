using System.Xml.Linq;
using Catalog.Api.Pages.Drawing;

namespace Catalog.Tests.Pages.Drawing;

/// <summary>A lineage graph as a page shows it and as a file.</summary>
[Trait("Category", "Fast")]
public sealed class LineageDrawingTests
{
    private static readonly DrawnGraph Small = new(
        [
            new() { Id = "raw.orders", Title = "raw.orders", RunStatus = "completed", Href = "/ui/datasets/raw.orders" },
            new()
            {
                Id = "mart", Title = "mart.orders", RunStatus = "failed", Href = "/ui/datasets/mart",
                Checks = [new("pass", 12), new("fail", 2)],
            },
            new() { Id = "board", Title = "board", Hidden = 212, HiddenHref = "/ui/lineage?expand=board" },
        ],
        [
            new("raw.orders", "mart", "load <orders>", "/ui/pipelines/1"), new("mart", "board", "publish"),
            new("board", "raw.orders", "loop"),
        ],
        "mart");

    private static Task<XElement> Xml(DrawnGraph graph, bool standalone = false) => Rendered.Xml<LineageDrawing>(
        (nameof(LineageDrawing.Graph), graph), (nameof(LineageDrawing.Standalone), standalone));

    private static DrawnGraph Star(int leaves) => new(
        [
            .. Enumerable.Range(0, leaves).Select(index => new DrawnNode { Id = $"leaf{index}", Title = $"leaf {index}" }),
            new() { Id = "hub", Title = "hub" },
        ],
        [.. Enumerable.Range(0, leaves).Select(index => new DrawnEdge("hub", $"leaf{index}", "p"))], "hub");

    [Fact]
    public async Task Nodes_have_anchors_links_states_and_words()
    {
        var root = await Xml(Small);
        var nodes = root.OfClass("node").ToDictionary(node => node.Get("id"));

        var mart = nodes["node-mart"];
        Assert.Equal("node status-failed node-focus", mart.Get("class"));
        Assert.Equal("/ui/datasets/mart", mart.Named("a")[0].Get("href"));
        Assert.Equal("mart.orders, dataset, last run failed, checks: 2 fail, 12 pass", mart.Named("a")[0].Get("aria-label"));
        Assert.Equal(["2", "12"], mart.OfClass("node-count").Select(count => count.Value));
        Assert.Equal("+212 more", Assert.Single(nodes["node-board"].OfClass("more-text")).Value);
        Assert.Equal("/ui/lineage?expand=board", Assert.Single(nodes["node-board"].Named("a")).Get("href"));
        Assert.Contains("node-raw_002Eorders", nodes.Keys);
        var drawing = root.OfClass("lineage")[0];
        Assert.Equal("group", drawing.Get("role"));
        Assert.StartsWith("Lineage of mart.orders: 3 datasets and 3 edges", drawing.Get("aria-label"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Edges_name_their_pipelines_and_those_that_close_a_cycle_are_dashed()
    {
        var root = await Xml(Small);

        Assert.Equal(3, root.OfClass("edge-head").Count);
        var back = Assert.Single(root.OfClass("edge-back"));
        Assert.Equal("mart.orders to board, pipeline publish, closes a cycle", back.Named("title")[0].Value);
        Assert.Contains("load <orders>", root.OfClass("edge-label").Select(label => label.Value));
        Assert.Equal("/ui/pipelines/1", Assert.Single(root.OfClass("edge-link")).Get("href"));
    }

    [Fact]
    public async Task At_most_250_nodes_are_drawn_and_the_others_are_counted()
    {
        var root = await Xml(Star(1000));

        Assert.Equal(250, root.OfClass("node").Count);
        Assert.Equal("+751 more", Assert.Single(root.OfClass("more-text")).Value);
        Assert.Contains("250 of 1,001 datasets are drawn", root.OfClass("chart-note")[0].Value, StringComparison.Ordinal);
        Assert.Contains("the nearest of 1,001", root.OfClass("lineage")[0].Get("aria-label"), StringComparison.Ordinal);
        Assert.InRange(root.ToString().Length, 1, 400_000);
    }

    [Fact]
    public void The_nearest_nodes_stay_whatever_the_order_of_the_input()
    {
        var chain = new DrawnGraph([.. Enumerable.Range(0, 50).Select(index => new DrawnNode { Id = $"{index:00}", Title = "" })],
            [.. Enumerable.Range(1, 49).Select(index => new DrawnEdge($"{index - 1:00}", $"{index:00}", "p"))], "20");
        var mixed = chain with { Nodes = [.. chain.Nodes.Reverse()], Edges = [.. chain.Edges.Reverse()] };

        Assert.Equal(["18", "19", "20", "21", "22"], chain.Nearest(5).Nodes.Select(node => node.Id).Order());
        Assert.Equal(chain.Nearest(5).Nodes, mixed.Nearest(5).Nodes);
        Assert.Equal([1, 1], chain.Nearest(5).Nodes.Where(node => node.Hidden > 0).Select(node => node.Hidden));
        Assert.Equal(5, (chain with { Focus = null }).Nearest(5).Nodes.Count);
    }

    [Fact]
    public async Task A_file_is_valid_XML_with_its_own_styles_and_without_links()
    {
        var html = await Rendered.Html<LineageDrawing>((nameof(LineageDrawing.Graph), Small), (nameof(LineageDrawing.Standalone), true));
        var svg = XDocument.Parse(html).Root!;

        Assert.Equal("{http://www.w3.org/2000/svg}svg", svg.Name.ToString());
        Assert.Contains("prefers-color-scheme: dark", svg.Named("style")[0].Value, StringComparison.Ordinal);
        Assert.Empty(svg.Named("a"));
        Assert.Equal("img", svg.Get("role"));
    }

    [Fact]
    public async Task A_file_has_the_rules_of_the_page()
    {
        var sheet = File.ReadAllLines(Path.Combine(ConventionTests.Root, "Catalog.Api", "wwwroot", "ui", "drawing.css"));
        var rules = (await Rendered.Html<LineageStyle>()).Split('\n').Select(line => line.Trim())
            .Where(line => line.StartsWith('.') && !line.StartsWith(".lineage-background", StringComparison.Ordinal)).ToList();

        Assert.InRange(rules.Count, 20, 40);
        Assert.Empty(rules.Except(sheet));
    }

    [Fact]
    public async Task A_file_has_the_colours_of_the_page()
    {
        var sheet = File.ReadAllText(Path.Combine(ConventionTests.Root, "Catalog.Api", "wwwroot", "ui", "ui.css"));
        var colours = (await Rendered.Html<LineageStyle>()).Split([';', '\n', '{']).Select(part => part.Trim())
            .Where(part => part.StartsWith("--", StringComparison.Ordinal) && part.Contains('#', StringComparison.Ordinal)).ToList();

        Assert.Equal(24, colours.Count);
        Assert.All(colours, colour => Assert.Contains(colour + ";", sheet, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hostile_names_and_an_empty_graph_are_drawn()
    {
        var hostile = Rendered.Hostile.Select(text => new DrawnNode
        {
            Id = text,
            Title = text,
            Kind = text,
            RunStatus = text,
            Checks = [new(text, long.MaxValue), new("fail", -1)],
            Href = text,
            Hidden = long.MaxValue,
            HiddenHref = text,
        }).ToList();
        var graph = new DrawnGraph(hostile, [.. hostile.Zip(hostile.Skip(1)).Select(pair =>
            new DrawnEdge(pair.First.Id, pair.Second.Id, pair.First.Id, pair.First.Id)), new("", "", "self")], hostile[3].Id);

        Assert.Equal(hostile.Count, (await Xml(graph)).OfClass("node").Count);
        Assert.Equal(hostile.Count, (await Xml(graph, standalone: true)).OfClass("node").Count);
        Assert.Empty((await Xml(new DrawnGraph([], []))).OfClass("node"));
    }
}
