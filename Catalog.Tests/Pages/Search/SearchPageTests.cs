using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Search;

/// <summary>The search page.</summary>
[Trait("Category", "Fast")]
public sealed class SearchPageTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Fact]
    public async Task Results_are_listed_by_kind_with_links()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/search?q=SALES");

        Assert.Equal("Search: SALES · Catalog", page.Title);
        Assert.Equal("/ui/pipelines/nightly", page.One("section[aria-labelledby=pipelines] li a").GetAttribute("href"));
        Assert.Equal("/ui/datasets/mart.sales", page.Html.QuerySelector("section[aria-labelledby=datasets] li a")!.GetAttribute("href"));
        Assert.Equal("/ui/pipelines?owner=sales-team", page.One("section[aria-labelledby=owners] li a").GetAttribute("href"));
        Assert.Equal("/ui/checks/rows?pipeline_id=nightly",
            (await browser.Open("/ui/search?q=row")).One("section[aria-labelledby=checks] li a").GetAttribute("href"));
    }

    [Fact]
    public async Task A_search_without_a_text_or_without_a_hit_says_so()
    {
        using var client = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, client, "read");

        Assert.Contains("Enter a part of a name", (await browser.Open("/ui/search")).Text, StringComparison.Ordinal);
        Assert.Contains("Enter a part of a name", (await browser.Open("/ui/search?q=")).Text, StringComparison.Ordinal);
        var page = await browser.Open($"/ui/search?q={Uri.EscapeDataString(PageData.Hostile)}");
        Assert.Contains($"Nothing contains {PageData.Hostile}", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<i>", page.Source, StringComparison.Ordinal);
        await browser.Open($"/ui/search?q={new string('a', 201)}", 422);
    }
}
