using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Browser;

/// <summary>Sign-in, sign-out and the end of a session.</summary>
public sealed class SignInInBrowserTests(ExampleCatalog catalog) : ExampleBrowserTests(catalog), IClassFixture<ExampleCatalog>
{
    [Fact]
    public async Task A_key_signs_in_and_leads_to_the_page_that_was_asked_for()
    {
        var visit = await Visit();
        visit.Expect("status of 401");
        await visit.Go("/ui/runs?status=failed");
        Assert.StartsWith("/ui/sign-in?next=", visit.Address, StringComparison.Ordinal);

        await Enter(visit, "wrong");
        Assert.Contains("not valid", await visit["[role=alert]"].InnerTextAsync(), StringComparison.Ordinal);
        await Enter(visit, CatalogApp.Key);

        Assert.Equal("/ui/runs?status=failed", visit.Address);
    }

    [Fact]
    public async Task Sign_out_ends_the_session_also_for_the_back_button()
    {
        var visit = await Visit();
        await SignIn(visit, next: "/ui/runs");

        await visit["details.account summary"].ClickAsync();
        await visit["details.account button"].ClickAsync();
        await visit["#key"].WaitForAsync();
        await visit.Page.GoBackAsync();

        Assert.StartsWith("/ui/sign-in", visit.Address, StringComparison.Ordinal);
        Assert.Equal(0, await visit["details.account"].CountAsync());
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/ui/\\evil.example")]
    [InlineData("javascript:alert(1)")]
    public async Task Sign_in_leads_to_no_other_site(string next)
    {
        var visit = await Visit();

        await SignIn(visit, next: next);

        Assert.Equal("/ui", visit.Address);
    }

    [Fact]
    public async Task A_revoked_key_ends_the_session_of_an_open_page()
    {
        using var client = Catalog.App.Client();
        var answer = await client.PostJson("/api/v1/organizations/me/api-keys", new { name = "browser", scopes = new[] { "read" } });
        var key = await answer.Json();
        var visit = await Visit();
        visit.Expect("status (of )?401");
        await SignIn(visit, key.GetProperty("key").GetString()!, $"/ui/runs/{ExampleData.Running}");

        await client.DeleteAsync($"/api/v1/organizations/me/api-keys/{key.GetProperty("id").GetString()}", Ct);

        // The page follows the run through a stream. The stream ends with the key, and the page opens a new stream. The
        // service refuses it, so the page goes to the sign-in page.
        await visit.Page.WaitForURLAsync("**/ui/sign-in?next=*");
        await visit.Go("/ui/runs");
        Assert.StartsWith("/ui/sign-in", visit.Address, StringComparison.Ordinal);
    }

    private static async Task Enter(Visit visit, string key)
    {
        await visit["#key"].FillAsync(key);
        await visit["form:has(#key) button.primary"].ClickAsync();
        await visit["[role=alert], details.account"].WaitForAsync();
    }
}
