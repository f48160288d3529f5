using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Browser;

/// <summary>Every page works without script.</summary>
public sealed class WithoutScriptTests(ExampleCatalog catalog) : ExampleBrowserTests(catalog), IClassFixture<ExampleCatalog>
{
    private const string Content =
        "() => document.querySelectorAll('main tr, main li, main dt, main summary, main pre, main svg, main h2').length";

    [Fact]
    public async Task Every_page_shows_its_content_without_script()
    {
        var with = await SignedIn();
        var without = await Visit(options => options.JavaScriptEnabled = false);
        with.Expect("status of (404|422)");
        without.Expect("status of (404|422)");
        await SignIn(without);

        foreach (var name in ExamplePages.All.Keys)
        {
            await with.Go(ExamplePages.Address(name, Catalog.Data));
            await without.Go(ExamplePages.Address(name, Catalog.Data));

            Assert.Equal((name, await with["h1"].InnerTextAsync()), (name, await without["h1"].InnerTextAsync()));
            Assert.Equal((name, await with.Read<int>(Content)), (name, await without.Read<int>(Content)));
            Assert.Equal(0, await without["main button[type=button]:visible"].CountAsync());
        }
    }

    [Fact]
    public async Task Filters_time_zone_and_sign_out_work_without_script()
    {
        var visit = await Visit(options => options.JavaScriptEnabled = false);
        await SignIn(visit, CatalogApp.Key, "/ui/runs");

        await visit["#status"].SelectOptionAsync("running");
        await visit["form.filters button"].ClickAsync();
        await visit.Page.WaitForURLAsync("**status=running");
        await visit["details.zone summary"].ClickAsync();
        await visit["#zone"].FillAsync("America/New_York");
        await visit["details.zone button"].First.ClickAsync();
        await visit["details.zone summary >> text='Times in America/New_York'"].WaitForAsync();
        Assert.Equal("/ui/runs?status=running", visit.Address);
        await visit["details.account summary"].ClickAsync();
        await visit["details.account button"].ClickAsync();

        await visit["#key"].WaitForAsync();
    }
}
