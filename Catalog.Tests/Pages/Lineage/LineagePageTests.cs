using System.Xml.Linq;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Lineage;

/// <summary>The lineage page.</summary>
[Trait("Category", "Fast")]
public sealed class LineagePageTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    private const string Table = "section[aria-labelledby=datasets] table";

    [Fact]
    public async Task Without_a_dataset_it_asks_for_one_and_lists_the_newest()
    {
        using var client = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, client, "read");

        Assert.Contains("/api/v1/pipelines/", (await browser.Open("/ui/lineage")).One(".empty pre").TextContent, StringComparison.Ordinal);
        await PageData.Pipeline(client, "p", ("a", "b"));
        var page = await browser.Open("/ui/lineage");
        Assert.Equal(["a", "b"], page.Texts("main .hits a").Order());
        var shown = await browser.Submit(page, "form[action='/ui/lineage']", 200, ("dataset", "b"));
        Assert.Equal("lineage of b · Catalog", shown.Title);
        await browser.Open("/ui/lineage?dataset=nobody", 404);
    }

    [Fact]
    public async Task It_starts_at_one_hop_and_the_table_and_the_drawing_are_the_same_graph()
    {
        using var client = await App.Organization(Name);
        await Chain(client);
        using var browser = await PageClient.SignedIn(App, client, "read");

        Assert.Equal("c1 c2 c3", Drawn(await browser.Open("/ui/lineage?dataset=c2")));
        Assert.Equal("c2 c3", Drawn(await browser.Open("/ui/lineage?dataset=c2&direction=downstream")));
        Assert.Equal("c0 c1 c2 c3 c4", Drawn(await browser.Open("/ui/lineage?dataset=c2&depth=2")));
        Assert.Equal("c2", Drawn(await browser.Open("/ui/lineage?dataset=c2&at=2001-01-01T00:00:00Z")));
        var page = await browser.Open("/ui/lineage?dataset=c2");
        Assert.Equal(["start", "1 up", "1 down"], page.Rows(Table).Select(row => row[1]).OrderDescending());
        var expand = page.Html.QuerySelectorAll(".toolbar a").Single(link => link.TextContent == "Expand all");
        var all = await browser.Open(expand.GetAttribute("href")!);
        Assert.Equal(7, Drawn(all).Split(' ').Length);
        Assert.Contains("depth=1000", all.Address, StringComparison.Ordinal);
        Assert.Contains("nodes=250", all.Address, StringComparison.Ordinal);
        Assert.DoesNotContain("Expand all", all.Texts(".toolbar a"));
        Assert.Contains("Expand all", (await browser.Open("/ui/lineage?dataset=c2&depth=1000")).Texts(".toolbar a"));
        var upstream = await browser.Open("/ui/lineage?dataset=c3&direction=upstream");
        Assert.Contains("3 datasets", upstream.Texts("section[aria-labelledby=impact]")[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_to_another_dataset_is_drawn_and_is_in_the_address()
    {
        using var client = await App.Organization(Name);
        await Chain(client);
        await PageData.Pipeline(client, "detour", ("c1", "d"), ("d", "c3"), ("e", "f"));
        using var browser = await PageClient.SignedIn(App, client, "read");

        var form = await browser.Open("/ui/lineage?dataset=c0");
        var path = await browser.Submit(form, "main form[action='/ui/lineage']", 200, ("to", "c4"));

        Assert.Equal("c0 c1 c2 c3 c4 d", Drawn(path));
        Assert.StartsWith("The shortest path to c4 has 4 hops.", path.One("#path").TextContent.Trim(), StringComparison.Ordinal);
        Assert.Equal(["start", "1 down", "2 down", "2 down", "3 down", "4 down"], path.Rows(Table).Select(row => row[1]));
        Assert.Equal("c4", path.One("#to").GetAttribute("value"));
        Assert.DoesNotContain("Expand all", path.Texts(".toolbar a"));
        var csv = await (await browser.Get("/ui/lineage?dataset=c0&to=c4&download=csv")).Content.ReadAsStringAsync(Ct);
        Assert.Equal(7, csv.TrimEnd().Split("\r\n").Length);
        Assert.Equal("c0 c1", Drawn(await browser.Open(
            path.Html.QuerySelectorAll(".toolbar a").Single(link => link.TextContent == "Without the path").GetAttribute("href")!)));

        var none = await browser.Open("/ui/lineage?dataset=c4&to=c0");
        Assert.Contains("c0 is not made from c4: no path leads there.", none.One("#path").TextContent, StringComparison.Ordinal);
        Assert.Equal("c3 c4 c5", Drawn(none));
        Assert.Equal("c0 c1 c2 c3 c4 d", Drawn(await browser.Open(none.Html.QuerySelectorAll("#path a")[^1].GetAttribute("href")!)));
        await browser.Open("/ui/lineage?dataset=c0&to=nobody", 404);
    }

    [Fact]
    public async Task Of_paths_that_are_too_large_to_draw_the_first_is_drawn()
    {
        using var client = await App.Organization(Name);
        await PageData.Pipeline(
            client, "wide", [.. Enumerable.Range(0, 300).SelectMany(i => new[] { ("a", $"m{i:000}"), ($"m{i:000}", "z") })]);
        await PageData.Pipeline(client, "long", [.. Enumerable.Range(0, 300).Select(i => ($"l{i:000}", $"l{i + 1:000}"))]);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var wide = await browser.Open("/ui/lineage?dataset=a&to=z");
        var length = await browser.Open("/ui/lineage?dataset=l000&to=l300");

        Assert.Equal("a m000 z", Drawn(wide));
        Assert.Contains("too large to draw", wide.One("#path").TextContent, StringComparison.Ordinal);
        Assert.Equal(250, Drawn(length).Split(' ').Length);
        Assert.Contains("300 hops", length.One("#path").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hidden_neighbours_are_counted_and_lead_on()
    {
        using var client = await App.Organization(Name);
        await Chain(client);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/lineage?dataset=c2");
        Assert.Equal("+1 more", page.One("#node-c3 .more-text").TextContent);
        Assert.Equal("c2 c3 c4", Drawn(await browser.Open(page.One("#node-c3 .more-link").GetAttribute("href")!)));
        Assert.Empty(page.Html.QuerySelectorAll("#node-c2 .more-text"));
        Assert.Equal(["+1 up"], page.Rows(Table).Where(row => row[0] == "c1").Select(row => row[5]));
    }

    [Fact]
    public async Task A_hub_is_drawn_within_the_budget_with_both_sides()
    {
        using var client = await App.Organization(Name);
        await PageData.Pipeline(client, "in", [.. Enumerable.Range(0, 300).Select(i => ($"up{i:000}", "hub"))]);
        await PageData.Pipeline(client, "out", [.. Enumerable.Range(0, 5).Select(i => ("hub", $"down{i}"))]);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var small = await browser.Open("/ui/lineage?dataset=hub");
        var large = await browser.Open("/ui/lineage?dataset=hub&nodes=250");

        Assert.Equal((30 + 5, 125 + 5), (Drawn(small).Split(' ').Length, Drawn(large).Split(' ').Length));
        Assert.Equal(5, Drawn(small).Split(' ').Count(id => id.StartsWith("down", StringComparison.Ordinal)));
        Assert.Equal("+271 more", small.One("#node-hub .more-text").TextContent);
        Assert.Contains("The graph is larger than 60 datasets", small.Text, StringComparison.Ordinal);
        Assert.Equal(130, Drawn(await browser.Open(small.One("#node-hub .more-link").GetAttribute("href")!)).Split(' ').Length);
        Assert.Equal(250, Drawn(await browser.Open(large.One("#node-hub .more-link").GetAttribute("href")!)).Split(' ').Length);
        await browser.Open("/ui/lineage?dataset=hub&nodes=251", 422);
        await browser.Open("/ui/lineage?dataset=hub&zoom=3", 422);
    }

    [Fact]
    public async Task Nodes_have_the_last_run_and_the_states_of_checks_and_the_impact_names_owners_and_failures()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/lineage?dataset=raw.orders");

        Assert.Contains("status-failed", page.One("#node-mart_002Esales").ClassList);
        Assert.Equal("mart.sales, dataset, last run failed, checks: 1 fail", page.One("#node-mart_002Esales title").TextContent);
        Assert.Contains("1 dataset, 1 pipeline, 1 failing checks in them. Owners: sales-team", page.Text, StringComparison.Ordinal);
        Assert.Equal(["nightly", "sales-team", "rows"], Assert.Single(page.Rows("section[aria-labelledby=impact] table")));
        Assert.Equal("150", (await browser.Open("/ui/lineage?dataset=raw.orders&zoom=150")).One(".zoom").ClassName!.Split('-')[1]);
    }

    [Fact]
    public async Task The_drawing_and_its_edges_can_be_downloaded()
    {
        using var client = await App.Organization(Name);
        var id = PageData.Hostile;
        await PageData.Pipeline(client, "=p", (id, "b"), ("b", "c"));
        using var browser = await PageClient.SignedIn(App, client, "read");

        var svg = await browser.Get("/ui/lineage?dataset=b&download=svg");
        Assert.Equal(("image/svg+xml", "attachment; filename=lineage.svg"),
            (svg.Content.Headers.ContentType?.MediaType, svg.Content.Headers.ContentDisposition?.ToString()));
        var xml = XDocument.Parse(await svg.Content.ReadAsStringAsync(Ct));
        Assert.Equal("http://www.w3.org/2000/svg", xml.Root!.Name.NamespaceName);
        Assert.NotEmpty(xml.Descendants(xml.Root.Name.Namespace + "style"));
        Assert.Empty(xml.Descendants(xml.Root.Name.Namespace + "a"));

        var csv = await (await browser.Get("/ui/lineage?dataset=b&download=csv")).Content.ReadAsStringAsync(Ct);
        Assert.Equal(3, csv.TrimEnd().Split("\r\n").Length);
        Assert.Contains("b,c,'=p,", csv, StringComparison.Ordinal);
        var json = await (await browser.Get("/ui/lineage?dataset=b&download=json")).Json();
        Assert.Equal(3, json.GetProperty("nodes").GetArrayLength());

        var page = await browser.Open($"/ui/lineage?dataset={Uri.EscapeDataString(id)}");
        Assert.Equal($"lineage of {id} · Catalog", page.Title);
        foreach (var link in page.Html.QuerySelectorAll("main a").Select(link => link.GetAttribute("href")!)
            .Where(link => link.StartsWith('/') && !link.Contains("download", StringComparison.Ordinal)).Distinct())
        {
            await browser.Open(link);
        }
    }

    private static Task Chain(HttpClient client) =>
        PageData.Pipeline(client, "chain", [.. Enumerable.Range(0, 6).Select(i => ($"c{i}", $"c{i + 1}"))]);

    // The datasets of the drawing, which must be those of the table.
    private static string Drawn(WebPage page)
    {
        var drawn = page.Texts("svg.lineage .node-title").Order(StringComparer.Ordinal).ToList();
        Assert.Equal(drawn, page.Rows(Table).Select(row => row[0]).Order(StringComparer.Ordinal));
        return string.Join(' ', drawn);
    }
}
