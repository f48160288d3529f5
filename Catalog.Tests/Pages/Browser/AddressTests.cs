namespace Catalog.Tests.Pages.Browser;

/// <summary>The address contains the state of a page (acceptance rows 3 and 5).</summary>
public sealed class AddressTests(ExampleCatalog catalog) : ExampleBrowserTests(catalog), IClassFixture<ExampleCatalog>
{
    [Fact]
    public async Task Filters_and_sort_are_in_the_address_and_stay_after_back_forward_and_reload()
    {
        var visit = await SignedIn();
        await visit.Go("/ui/runs");
        await visit["#status"].SelectOptionAsync("failed");
        await visit["#ended_since"].SelectOptionAsync("30d");
        await visit["#sort"].SelectOptionAsync("ended_at");
        await visit["form.filters button"].ClickAsync();
        await visit.Page.WaitForURLAsync("**status=failed**");
        const string Filtered = "/ui/runs?status=failed&ended_since=30d&sort=ended_at";
        Assert.Equal(Filtered, visit.Address);
        var runs = await Runs(visit);
        Assert.NotEmpty(runs);

        await visit["tbody a[href^='/ui/runs/']"].First.ClickAsync();
        await visit["#events"].WaitForAsync();
        var run = visit.Address;
        await visit.Page.GoBackAsync();
        Assert.Equal((Filtered, "failed", "30d", "ended_at"), await State(visit));
        Assert.Equal(runs, await Runs(visit));
        await visit.Page.ReloadAsync();
        Assert.Equal((Filtered, "failed", "30d", "ended_at"), await State(visit));
        await visit.Page.GoForwardAsync();
        Assert.Equal(run, visit.Address);
        await visit.Page.GoBackAsync();
        await visit.Page.GoBackAsync();
        Assert.Equal(("/ui/runs", "", "", ""), await State(visit));
    }

    [Fact]
    public async Task The_pages_of_a_list_are_in_the_history()
    {
        var visit = await SignedIn();
        await visit.Go("/ui/runs?sort=started_at");
        var first = await Runs(visit);

        await visit["a[rel=next]"].ClickAsync();
        await visit.Page.WaitForURLAsync("**cursor=**");
        var second = await Runs(visit);
        await visit.Page.GoBackAsync();

        Assert.Equal(50, first.Count);
        Assert.NotEmpty(second);
        Assert.Empty(first.Intersect(second));
        Assert.Equal(first, await Runs(visit));
    }

    [Fact]
    public async Task The_time_range_is_in_the_address_and_the_last_choice_is_remembered()
    {
        var visit = await SignedIn();
        await visit.Go("/ui");
        await visit[".ranges a >> text='30 days'"].ClickAsync();
        await visit.Page.WaitForURLAsync("**range=30d");
        await visit.Go("/ui");
        Assert.Equal("30 days", await visit[".ranges a[aria-current]"].InnerTextAsync());

        await visit["#range"].FillAsync("36h");
        await visit["#range"].PressAsync("Enter");
        await visit.Page.WaitForURLAsync("**range=36h");
        await visit.Page.GoBackAsync();
        Assert.Equal("/ui", visit.Address);
    }

    [Fact]
    public async Task The_tab_is_in_the_address()
    {
        var visit = await SignedIn();
        await visit.Go($"/ui/pipelines/{ExampleData.Daily}");

        await visit[".tabs a >> text='Versions'"].ClickAsync();
        await visit.Page.WaitForURLAsync("**?tab=versions");
        Assert.Equal("Versions", await visit[".tabs a[aria-current]"].InnerTextAsync());
        await visit.Page.GoBackAsync();
        Assert.Equal("Overview", await visit[".tabs a[aria-current]"].InnerTextAsync());
        await visit.Page.GoForwardAsync();
        Assert.Equal("Versions", await visit[".tabs a[aria-current]"].InnerTextAsync());
    }

    [Theory]
    [InlineData($"/ui/runs/{ExampleData.WideRun}#stage-table_150", "th", "table_150")]
    [InlineData($"/ui/runs/{ExampleData.WideRun}#stage-table_850", "th", "table_850")]
    [InlineData($"/ui/runs/{ExampleData.Failed}#result-orders_not_empty-29", "td[data-label=Check]", "orders_not_empty")]
    public async Task A_link_to_a_part_scrolls_there(string address, string cell, string text)
    {
        var visit = await SignedIn(options => options.ViewportSize = new() { Width = 1000, Height = 400 });

        await visit.Go(address);

        var target = visit[":target"];
        await target.WaitForAsync();
        Assert.Equal(text, (await target.Locator(cell).InnerTextAsync()).Trim());
        Assert.True(await visit.Read<bool>("""
            () => { const box = document.querySelector(":target").getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; }
            """));
    }

    [Fact]
    public async Task A_link_to_an_event_opens_it()
    {
        var visit = await SignedIn();
        await visit.Go($"/ui/runs/{ExampleData.Failed}");
        var id = await visit["#events details"].Last.GetAttributeAsync("id");

        await visit.Go($"/ui/runs/{ExampleData.Running}");
        await visit.Go($"/ui/runs/{ExampleData.Failed}#{id}");

        await visit.Until("id => document.getElementById(id).open", id);
        Assert.True(await visit.Read<bool>("id => document.getElementById(id).getBoundingClientRect().top < innerHeight", id));
    }

    private static async Task<IReadOnlyList<string>> Runs(Visit visit) => await visit["tbody td[data-label=Run]"].AllInnerTextsAsync();

    private static async Task<(string, string, string, string)> State(Visit visit) => (visit.Address,
        await visit["#status"].InputValueAsync(), await visit["#ended_since"].InputValueAsync(), await visit["#sort"].InputValueAsync());
}
