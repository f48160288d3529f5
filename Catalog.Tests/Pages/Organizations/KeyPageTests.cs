using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Organizations;

/// <summary>The pages of API keys: a key is shown once, and nothing happens without the scope manage.</summary>
public sealed class KeyPageTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    private const string CreateForm = "form[action='/ui/keys']";

    [Fact]
    public async Task A_created_key_is_shown_once_and_works()
    {
        using var owner = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, owner, "read", "write", "manage");
        var form = await browser.Open("/ui/keys");

        var page = await browser.Submit(form, CreateForm, 200, ("name", "<b>airflow</b>"), ("expires", "86400"));

        var key = page.One("#new-key").TextContent;
        using var client = App.With(key);
        Assert.Equal(200, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);
        Assert.True(page.Answer.Headers.CacheControl is { NoStore: true });
        Assert.Equal("new-key", page.One("button[data-copy]").GetAttribute("data-copy"));
        var list = await browser.Open("/ui/keys");
        Assert.DoesNotContain(key, list.Source, StringComparison.Ordinal);
        var row = list.Rows().First(cells => cells[1] == "<b>airflow</b>");
        Assert.Equal(("live", $"dxp_{key.Substring(4, 12)}", "read, write"), (row[0], row[2], row[3]));
        // When a user reloads the answer, the browser sends the same form again. The service refuses it.
        var again = await browser.Submit(form, CreateForm, 409, ("name", "<b>airflow</b>"), ("expires", "86400"));
        Assert.DoesNotContain(key, again.Source, StringComparison.Ordinal);
        Assert.Contains("A new key is shown only once", again.Text, StringComparison.Ordinal);
        Assert.Single((await browser.Open("/ui/keys")).Rows(), cells => cells[1] == "<b>airflow</b>");
    }

    [Fact]
    public async Task A_form_that_is_not_valid_creates_nothing_and_says_why()
    {
        using var owner = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, owner, "read", "manage");
        var form = await browser.Open("/ui/keys");
        Assert.Equal(["scope-write", "scope-execute"],
            form.Html.QuerySelectorAll("input[type=checkbox][disabled]").Select(input => input.Id));

        var unnamed = await browser.Submit(form, CreateForm, 422, ("name", ""));
        var wrong = await browser.Submit(form, CreateForm, 422, ("name", "n"), ("scopes", "root"));
        var none = await browser.Submit(form, CreateForm, 422, ("name", "n"), ("scopes", null));
        var expiry = await browser.Submit(form, CreateForm, 422, ("name", "n"), ("expires", "soon"));
        var more = await browser.Submit(form, CreateForm, 403, ("name", "n"), ("scopes", "execute"));

        Assert.Contains("Name: fill in this field.", unnamed.Texts("[role=alert]")[0], StringComparison.Ordinal);
        Assert.Contains("Scopes: choose from the scopes that the form has.", wrong.Text, StringComparison.Ordinal);
        Assert.Contains("Scopes: choose at least one.", none.Text, StringComparison.Ordinal);
        Assert.Contains("Expires: choose one of the times of the list.", expiry.Text, StringComparison.Ordinal);
        Assert.Contains("'execute'", more.Text, StringComparison.Ordinal);
        Assert.DoesNotContain((await browser.Open("/ui/keys")).Rows(), cells => cells[1] == "n");
    }

    [Fact]
    public async Task A_key_is_rotated_and_the_old_one_ends_as_chosen()
    {
        using var owner = await App.Organization(Name);
        var old = await (await owner.PostJson("/api/v1/organizations/me/api-keys", new { name = "old" })).Json();
        var id = old.GetProperty("id").GetString();
        using var browser = await PageClient.SignedIn(App, owner, "read", "write", "manage");

        var page = await browser.Submit(
            await browser.Open($"/ui/keys/{id}"), $"form[action='/ui/keys/{id}/rotate']", 200, ("overlap", "0"));

        using var before = App.With(old.GetProperty("key").GetString()!);
        using var after = App.With(page.One("#new-key").TextContent);
        Assert.Equal((401, 200), ((int)(await before.GetAsync("/api/v1/runs/", Ct)).StatusCode,
            (int)(await after.GetAsync("/api/v1/runs/", Ct)).StatusCode));
        var shown = await browser.Open($"/ui/keys/{id}");
        Assert.Contains("Replaced by", shown.Text, StringComparison.Ordinal);
        Assert.Empty(shown.Html.QuerySelectorAll("main form"));
    }

    [Fact]
    public async Task A_key_is_revoked_only_by_its_name()
    {
        using var owner = await App.Organization(Name);
        var key = await (await owner.PostJson("/api/v1/organizations/me/api-keys", new { name = "nightly load" })).Json();
        var id = key.GetProperty("id").GetString();
        using var browser = await PageClient.SignedIn(App, owner, "manage", "read");
        using var client = App.With(key.GetProperty("key").GetString()!);
        var form = await browser.Open($"/ui/keys/{id}");
        var selector = $"form[action='/ui/keys/{id}/revoke']";

        await browser.Submit(form, selector, 422, ("name", "nightly"));
        Assert.Equal(200, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);
        var list = await browser.Submit(form, selector, 200, ("name", "nightly load"));

        Assert.Equal("/ui/keys", list.Path);
        Assert.Equal("revoked", list.Rows().Single(cells => cells[1] == "nightly load")[0]);
        Assert.Equal(401, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);
        await browser.Submit(form, selector, 404, ("name", "nightly load"));
    }

    [Theory]
    [InlineData("read")]
    [InlineData("write")]
    [InlineData("execute")]
    public async Task Nothing_is_shown_or_changed_without_the_scope_manage(string scope)
    {
        using var owner = await App.Organization(Name);
        var id = (await owner.GetJson("/api/v1/organizations/me/api-keys")).GetProperty("items")[0].GetProperty("id").GetString();
        using var browser = await PageClient.SignedIn(App, owner, scope);

        foreach (var path in new[] { "/ui/keys", $"/ui/keys/{id}", "/ui/audit" })
        {
            Assert.Contains("'manage'", (await browser.Open(path, 403)).Text, StringComparison.Ordinal);
        }

        foreach (var path in new[] { "/ui/keys", $"/ui/keys/{id}/rotate", $"/ui/keys/{id}/revoke", "/ui/retention", "/ui/usage/checkout" })
        {
            Assert.Contains("'manage'", (await browser.Post(path, 403, ("name", "first key"))).Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_of_another_organization_is_not_found()
    {
        using var owner = await App.Organization(Name);
        using var stranger = await App.Organization(Name + "-2");
        var id = (await stranger.GetJson("/api/v1/organizations/me/api-keys")).GetProperty("items")[0].GetProperty("id").GetString();
        using var browser = await PageClient.SignedIn(App, owner, "read", "manage");

        await browser.Open($"/ui/keys/{id}", 404);
        await browser.Post($"/ui/keys/{id}/rotate", 404, ("overlap", "0"));
        await browser.Post($"/ui/keys/{id}/revoke", 404, ("name", "first key"));
    }

    [Fact]
    public async Task The_list_is_downloaded_without_secrets()
    {
        using var owner = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, owner, "read", "manage");
        await owner.PostJson("/api/v1/organizations/me/api-keys", new { name = "=cmd()" });

        var csv = await (await browser.Get("/ui/keys?download=csv")).Content.ReadAsStringAsync(Ct);
        var json = await (await browser.Get("/ui/keys?download=json")).Json();

        Assert.StartsWith("id,name,scopes,status,", csv, StringComparison.Ordinal);
        Assert.Contains(",'=cmd(),read write,live,", csv, StringComparison.Ordinal);
        Assert.Equal(3, json.GetProperty("items").GetArrayLength());
    }
}
