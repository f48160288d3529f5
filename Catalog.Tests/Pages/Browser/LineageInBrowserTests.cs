using System.Text.RegularExpressions;

namespace Catalog.Tests.Pages.Browser;

/// <summary>Acceptance rows 10 and 11: a part of the graph at a time, and a table with the same datasets.</summary>
public sealed partial class LineageInBrowserTests(ExampleCatalog catalog) : ExampleBrowserTests(catalog), IClassFixture<ExampleCatalog>
{
    [Fact]
    public async Task Row_10_the_graph_begins_at_one_hop_and_its_expansion_is_in_the_address()
    {
        var visit = await SignedIn();
        await visit.Go(ExamplePages.Address("lineage", Catalog.Data));
        Assert.Equal(0, await visit.Read<double>("() => scrollY"));
        // There are two upstream datasets, two downstream datasets and the dataset itself.
        Assert.Equal(5, await Nodes(visit));

        await visit["main a >> text='1 hop more'"].ClickAsync();
        await visit.Page.WaitForURLAsync("**depth=2**");
        var two = await Nodes(visit);
        await visit["main a >> text='Expand all'"].ClickAsync();
        await visit.Page.WaitForURLAsync("**depth=1000**");
        var all = await Nodes(visit);
        await visit.Page.GoBackAsync();

        Assert.InRange(two, 6, 60);
        // In both directions, each further layer has one dataset more than the layer before it.
        Assert.Equal(48, all);
        Assert.Equal(two, await Nodes(visit));
        await visit["#direction"].SelectOptionAsync("upstream");
        await visit["form.filters button"].ClickAsync();
        await visit.Page.WaitForURLAsync("**direction=upstream**");
        Assert.Contains("depth=2", visit.Address, StringComparison.Ordinal);
        Assert.InRange(await Nodes(visit), 3, two - 1);
    }

    [Fact]
    public async Task Row_10_of_250_neighbours_a_part_is_drawn_and_the_others_are_counted()
    {
        var visit = await SignedIn();
        await visit.Go(ExamplePages.Address("lineage-250-neighbours", Catalog.Data));
        var drawn = await Nodes(visit);
        Assert.InRange(drawn, 2, 60);
        // The dataset has 250 consumers and two sources.
        var more = int.Parse(PlusMore().Match(await visit[".node-focus"].TextContentAsync() ?? "").Groups["number"].Value,
            System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(252, more + drawn - 1);

        await visit["main a >> text='Draw up to 250'"].ClickAsync();
        await visit.Page.WaitForURLAsync("**nodes=250**");

        Assert.InRange(await Nodes(visit), drawn + 1, 250);
        // A neighbour that is not drawn is found by the search.
        await visit["#search"].FillAsync("mart.report_249");
        await visit["#search"].PressAsync("Enter");
        await visit["main a[href*='mart.report_249']"].First.WaitForAsync();
    }

    [Theory]
    [InlineData("lineage")]
    [InlineData("lineage-expanded")]
    [InlineData("lineage-250-neighbours")]
    public async Task Row_11_drawing_and_table_have_the_same_datasets_and_states(string name)
    {
        var visit = await SignedIn();
        await visit.Go(ExamplePages.Address(name, Catalog.Data));

        var drawn = await visit.Read<string[]>("() => [...document.querySelectorAll('.node')].map(node => node.id.slice(5))");
        var listed = await visit.Read<string[]>("() => [...document.querySelectorAll('tr[id^=row-]')].map(row => row.id.slice(4))");

        Assert.Equal(listed.Order(StringComparer.Ordinal), drawn.Order(StringComparer.Ordinal));
        Assert.All(await visit[".node .node-run"].AllTextContentsAsync(), text => Assert.NotEqual("", text.Trim()));
    }

    [Fact]
    public async Task Row_5_a_link_to_a_node_brings_it_into_view()
    {
        var visit = await SignedIn();

        await visit.Go($"{ExamplePages.Address("lineage-expanded", Catalog.Data)}#node-layer_9_002Etable_19");

        Assert.True(await visit.Read<bool>("""
            () => {
                const box = document.querySelector(":target").getBoundingClientRect();
                return box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight;
            }
            """));
    }

    [Fact]
    public async Task The_drawing_is_moved_and_enlarged_without_a_mouse()
    {
        var visit = await SignedIn();
        await visit.Go(ExamplePages.Address("lineage-expanded", Catalog.Data));
        const string Left = "() => document.querySelector('.lineage-frame').scrollLeft";
        var before = await visit.Read<double>(Left);

        await visit["button[data-pan=left]"].FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        Assert.True(await visit.Read<double>(Left) < before);
        await visit["a[aria-label='Zoom in']"].FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");

        await visit.Page.WaitForURLAsync("**zoom=150**");
    }

    private static Task<int> Nodes(Visit visit) => visit[".node"].CountAsync();

    [GeneratedRegex(@"\+(?<number>\d+) more")]
    private static partial Regex PlusMore();
}
