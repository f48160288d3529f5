using System.Net;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Catalog.Tests.Pages.SignIn;

public sealed class SignInOnSqlite(SqliteTestDatabase database) : SignInTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class SignInOnPostgres(PostgresTestDatabase database) : SignInTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Who can sign in to the pages, what a session may read, and when it ends.</summary>
public abstract class SignInTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Keys = "/api/v1/organizations/me/api-keys";

    [Fact]
    public async Task An_API_key_signs_in_and_the_page_that_was_asked_for_follows()
    {
        using var owner = await App.Organization(Name);
        using var browser = new PageClient(App);

        var form = await browser.Open("/ui/runs?status=failed");
        var page = await browser.Submit(form, "form:has(#key)", 200, ("key", $"  {await NewKey(owner)}\n"));

        Assert.Equal(("/ui/sign-in", "/ui/runs?status=failed"), (form.Path, page.Address));
        Assert.Contains(Name, page.One(".account summary").TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wrong")]
    [InlineData("")]
    [InlineData("dxp_000000000000000000000000000000000000000000000000")]
    [InlineData("<script>alert(1)</script>")]
    public async Task A_wrong_key_is_refused_and_not_repeated(string key)
    {
        using var browser = new PageClient(App);

        var page = await browser.SignIn(key, status: 401);

        Assert.Contains("not valid", page.One("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.Null(browser.Session);
        Assert.Empty(page.One("#key").GetAttribute("value") ?? "");
        Assert.True(key == "" || !page.Source.Contains(key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_key_longer_than_any_key_is_refused()
    {
        using var browser = new PageClient(App);

        await browser.SignIn(new string('k', 5000), status: 401);
        await browser.SignIn("\0", status: 422);
    }

    [Fact]
    public async Task The_operators_key_signs_in_to_the_default_organization()
    {
        using var browser = await PageClient.SignedIn(App);

        Assert.Contains("platform-key", (await browser.Open("/ui/runs")).One(".account .sheet").TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example/")]
    [InlineData("/ui\\..\\..\\evil")]
    [InlineData("/uix")]
    [InlineData("/api/v1/runs/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/ui/runs\r\nSet-Cookie: a=b")]
    [InlineData("/ui/é")]
    [InlineData("/ui/\u202e")]
    public async Task The_next_page_is_always_a_page_of_this_service(string next)
    {
        using var browser = new PageClient(App);

        var page = await browser.SignIn(CatalogApp.Key, $"/ui/sign-in?next={Uri.EscapeDataString(next)}");

        Assert.Equal("/ui", page.Address);
    }

    [Fact]
    public async Task A_session_ends_with_its_key_and_at_sign_out()
    {
        using var owner = await App.Organization(Name);
        var created = await (await owner.PostJson(Keys, new { name = "k" })).Json();
        using var browser = await PageClient.SignedIn(App, created.GetProperty("key").GetString());
        using var other = await PageClient.SignedIn(App, await NewKey(owner));
        var runs = await other.Open("/ui/runs");
        Assert.Equal("/ui/runs", (await browser.Open("/ui/runs")).Path);

        Assert.Equal(204, (int)(await owner.DeleteAsync($"{Keys}/{created.GetProperty("id").GetString()}", Ct)).StatusCode);
        var ended = await browser.Open("/ui/runs");
        var signedOut = await other.Submit(runs, "form[action='/ui/sign-out']");

        Assert.Equal(("/ui/sign-in", "/ui/sign-in"), (ended.Path, signedOut.Path));
        Assert.Equal((null, null), (browser.Session, other.Session));
        Assert.Equal("/ui/sign-in", (await other.Open("/ui/runs")).Path);
    }

    [Fact]
    public async Task A_session_ends_when_its_key_expires_or_after_twelve_hours_without_use()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var app = new CatalogApp(Database) { Time = clock };
        using var owner = await app.Organization(Name);
        var answer = await (await owner.PostJson(Keys, new { name = "k", expires_in_seconds = 3600 })).Json();
        using var hour = await PageClient.SignedIn(app, answer.GetProperty("key").GetString());
        using var idle = await PageClient.SignedIn(app, await NewKey(owner));

        clock.Advance(TimeSpan.FromMinutes(59));
        var before = (await hour.Open("/ui/runs")).Path;
        clock.Advance(TimeSpan.FromMinutes(2));
        var after = (await hour.Open("/ui/runs")).Path;
        var used = (await idle.Open("/ui/runs")).Path;
        clock.Advance(TimeSpan.FromHours(12.1));

        Assert.Equal(("/ui/runs", "/ui/sign-in", "/ui/runs"), (before, after, used));
        Assert.Equal("/ui/sign-in", (await idle.Open("/ui/runs")).Path);
    }

    [Fact]
    public async Task A_session_reads_its_own_organization_only()
    {
        using var first = await App.Organization(Name);
        using var second = await App.Organization(Name + "-2");
        await first.PostJson("/api/v1/pipelines/", new { name = "p" });
        await second.PostJson("/api/v1/pipelines/", new { name = "p" });
        await first.PostJson("/api/v1/runs/", new { id = $"{Name}-own", pipeline_id = "p", status = "running" });
        await second.PostJson("/api/v1/runs/", new { id = $"{Name}-foreign", pipeline_id = "p", status = "running" });
        using var browser = await PageClient.SignedIn(App, await NewKey(first));

        var list = await browser.Open("/ui/runs");

        Assert.Contains($"{Name}-own", list.Source, StringComparison.Ordinal);
        Assert.DoesNotContain($"{Name}-foreign", list.Source, StringComparison.Ordinal);
        await browser.Open($"/ui/runs/{Name}-foreign", 404);
    }

    [Fact]
    public async Task A_page_that_needs_another_scope_says_which()
    {
        using var owner = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, owner, "write");

        Assert.Contains("'read'", (await browser.Open("/ui/runs", 403)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cookie_is_only_for_pages_and_contains_no_key()
    {
        using var owner = await App.Organization(Name);
        var key = await NewKey(owner);
        using var browser = await PageClient.SignedIn(App, key);
        var session = browser.Session!;

        var api = await browser.Get("/api/v1/runs/");

        Assert.True(session is { HttpOnly: true, Secure: false });
        Assert.DoesNotContain(key[4..16], WebUtility.UrlDecode(session.Value), StringComparison.Ordinal);
        await api.Problem(401, "unauthorized");
        Assert.DoesNotContain(App.Log.At(LogLevel.Trace), line => line.Contains(session.Value, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("http", false)]
    [InlineData("https", true)]
    public async Task Cookies_are_strict_and_secure_behind_TLS(string? forwarded, bool secure)
    {
        using var browser = new PageClient(App);
        var form = await browser.Open("/ui/sign-in");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/ui/sign-in");
        request.Content = new FormUrlEncodedContent(form.Fields("form:has(#key)")
            .Select(field => KeyValuePair.Create(field.Name, field.Name == "key" ? CatalogApp.Key : field.Value)));
        if (forwarded is not null)
        {
            request.Headers.Add("X-Forwarded-Proto", forwarded);
        }

        var cookie = Assert.Single((await browser.Send(request)).Headers.GetValues("Set-Cookie"));

        Assert.StartsWith("catalog-session=", cookie, StringComparison.Ordinal);
        Assert.Contains("; samesite=lax; httponly", cookie, StringComparison.Ordinal);
        Assert.Equal(secure, cookie.Contains("; secure", StringComparison.Ordinal));
        Assert.DoesNotContain("domain=", cookie, StringComparison.Ordinal);
        Assert.DoesNotContain("expires=", cookie, StringComparison.Ordinal);
    }

    private static async Task<string> NewKey(HttpClient owner) =>
        (await (await owner.PostJson(Keys, new { name = "k" })).Json()).GetProperty("key").GetString()!;
}
