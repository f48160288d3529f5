using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.SignIn;

/// <summary>Development keys, which exist on SQLite only.</summary>
public sealed class DevelopmentKeyTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Fact]
    public async Task One_click_signs_in_on_this_machine()
    {
        using var browser = new PageClient(App);
        var form = await browser.Open("/ui/sign-in?next=/ui/runs");

        var page = await browser.Submit(form, "form:not(:has(#key)):has(button[name=key])", 200, ("key", "admin-key"));

        Assert.Equal("/ui/runs", page.Path);
    }

    [Theory]
    [InlineData("X-Forwarded-For", "203.0.113.7")]
    [InlineData("Forwarded", "for=203.0.113.7")]
    [InlineData("Host", "catalog.example")]
    public async Task Through_a_proxy_or_another_name_they_are_neither_offered_nor_accepted(string header, string value)
    {
        using var browser = await PageClient.SignedIn(App, "admin-key");

        var form = await WebPage.Read(await browser.Get("/ui/sign-in", (header, value)));
        var runs = await browser.Get("/ui/runs", (header, value));

        Assert.Empty(form.Html.QuerySelectorAll("button[name=key]"));
        Assert.Equal(302, (int)runs.StatusCode);
        Assert.StartsWith("/ui/sign-in", runs.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_development_keys_their_sessions_end()
    {
        using var browser = await PageClient.SignedIn(App, "dev-key");
        using var app = new CatalogApp(Database, ("DATAXPIPE_DEV_KEYS", "false"));
        using var production = new PageClient(app, browser.Cookies);

        Assert.Equal("/ui/sign-in", (await production.Open("/ui/runs")).Path);
        await production.SignIn("admin-key", status: 401);
        Assert.Empty((await production.Open("/ui/sign-in")).Html.QuerySelectorAll("button[name=key]"));
    }
}
