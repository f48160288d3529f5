using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Datasets;

/// <summary>The list of datasets and the page of one.</summary>
[Trait("Category", "Fast")]
public sealed class DatasetPageTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Fact]
    public async Task The_list_shows_the_state_of_each_dataset()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/datasets");

        Assert.Equal("3", page.Texts("h1 .count")[0]);
        var row = page.Rows().Single(row => row[0] == "mart.sales");
        Assert.StartsWith("failed", row[1], StringComparison.Ordinal);
        Assert.Equal(["1 fail", "nightly", "1", "0"], row[2..6]);
        Assert.Equal(["no producer", "none", "–", "0", "1"], page.Rows().Single(row => row[0] == "shop.orders")[1..6]);
        Assert.Equal(2, (await browser.Open("/ui/datasets?limit=2")).Rows().Count);
        var csv = await (await browser.Get("/ui/datasets?download=csv")).Content.ReadAsStringAsync(Ct);
        Assert.Contains("raw.orders,,raw.orders,", csv, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dataset_shows_its_pipelines_owners_tags_results_and_neighbours()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        await PageData.Pipeline(client, "report", ("mart.sales", "bi.report"));
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/datasets/mart.sales");

        Assert.Equal("dataset mart.sales · Catalog", page.Title);
        Assert.Equal(["nightly"], page.Rows("section[aria-labelledby=producers] table").Select(row => row[0]));
        Assert.Equal(["report"], page.Rows("section[aria-labelledby=consumers] table").Select(row => row[0]));
        Assert.Contains("sales-team", page.Texts("section[aria-labelledby=facts]")[0], StringComparison.Ordinal);
        Assert.Equal(["gold", "nightly"], page.Texts("section[aria-labelledby=facts] .tag"));
        Assert.Contains("by run run-1", page.Texts("section[aria-labelledby=facts]")[0], StringComparison.Ordinal);
        Assert.Equal(["fail", "rows", "nightly", "2025-01-02 02:05:00", "3", "too few rows"],
            Assert.Single(page.Rows("section[aria-labelledby=results] table")));
        Assert.Equal("Lineage of mart.sales: 3 datasets and 2 edges from left to right; 1 with a failed run",
            page.One("svg.lineage").GetAttribute("aria-label"));
        Assert.Contains(page.Html.QuerySelectorAll("main a"), link => link.GetAttribute("href") == "/ui/lineage?dataset=mart.sales");
        await browser.Open("/ui/datasets/nobody", 404);
    }

    [Fact]
    public async Task A_dataset_without_results_and_an_empty_list_say_what_to_do()
    {
        using var client = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, client, "read");

        Assert.Contains("/api/v1/pipelines/", (await browser.Open("/ui/datasets")).One(".empty pre").TextContent, StringComparison.Ordinal);
        await PageData.Pipeline(client, "p", ("a", "b"));
        var page = await browser.Open("/ui/datasets/a");
        Assert.Contains("/api/v1/checks/results", page.One(".empty pre").TextContent, StringComparison.Ordinal);
        Assert.Contains("it is a source", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_without_the_scope_read_sees_no_page()
    {
        using var client = await App.Organization(Name);
        await PageData.Pipeline(client, "p", ("a", "b"));
        using var writer = await PageClient.SignedIn(App, client, "write");
        using var nobody = new PageClient(App);

        foreach (var path in new[]
        {
            "/ui/pipelines", "/ui/pipelines/p", "/ui/datasets", "/ui/datasets/a", "/ui/lineage", "/ui/lineage?dataset=a", "/ui/search?q=a",
        })
        {
            Assert.Equal(403, (int)(await writer.Get(path)).StatusCode);
            Assert.Equal("/ui/sign-in", (await nobody.Open(path)).Path);
        }
    }
}
