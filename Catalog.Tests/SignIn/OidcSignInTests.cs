using System.Net;
using System.Web;
using Catalog.Api.SignIn;
using Catalog.Tests.Authentication;
using Catalog.Tests.Support;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Catalog.Tests.SignIn;

/// <summary>Sign-in to the pages at a certified third-party OpenID provider.</summary>
[Trait("Category", "Npm")]
public sealed class OidcSignInTests(RealProvider provider, SqliteTestDatabase database) : IClassFixture<RealProvider>,
    IClassFixture<SqliteTestDatabase>, IDisposable
{
    private const string Start = "/ui/sign-in/provider";
    private const string Cookie = "catalog-session";
    private static readonly string[] TokenScopes = ["read", "write"];

    // The tokens of the provider have the current time.
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private readonly List<IDisposable> _started = [];

    [Theory]
    [InlineData("pages", "c4nary-of-pages")]
    [InlineData("public-pages", null)]
    public async Task A_person_signs_in_with_the_organization_and_the_scopes_of_the_access_token(string client, string? secret)
    {
        var app = await App(client, secret);
        using var team = await Team(app);
        var name = $"p{Guid.NewGuid():N}";
        Assert.Equal(201, (int)(await team.PostJson("/api/v1/pipelines/", new { name })).StatusCode);
        Assert.Equal(201, (int)(await team.PostJson("/api/v1/runs/", new { pipeline_id = name, status = "running" })).StatusCode);
        using var browser = Browser(app);

        var page = await browser.Follow(Start + "?next=/ui/runs?status=running");

        Assert.Equal(("/ui/runs?status=running", 200), (browser.Address.PathAndQuery, (int)page.StatusCode));
        Assert.Contains(name, await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var ticket = Ticket(app, browser);
        Assert.Equal("certified", ticket.Principal.FindFirst("organization")!.Value);
        Assert.Equal("oidc:ada", ticket.Principal.FindFirst("actor")!.Value);
        Assert.Equal(TokenScopes, ticket.Principal.FindAll("scope").Select(scope => scope.Value));
        Assert.DoesNotContain(ticket.Properties.Items.Keys, key => key.Contains("token", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task The_request_to_the_provider_has_PKCE_a_nonce_and_cookies_that_scripts_cannot_read()
    {
        var app = await App();
        using var browser = Browser(app);

        var answer = await browser.Open(Start);

        var query = HttpUtility.ParseQueryString(answer.Headers.Location!.Query);
        Assert.Equal(("code", "S256", Issuer.Audience), (query["response_type"], query["code_challenge_method"], query["resource"]));
        Assert.All(new[] { "code_challenge", "nonce", "state" }, name => Assert.True(query[name]!.Length > 40, name));
        Assert.Equal("openid read write manage execute", query["scope"]);
        Assert.All(answer.Headers.GetValues("Set-Cookie"), cookie =>
        {
            Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        });
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("stranger")]
    [InlineData("somebody who refuses")]
    public async Task Without_access_the_person_returns_to_the_sign_in_page_with_a_message(string account)
    {
        var app = await App();
        using var browser = Browser(app);

        var page = await browser.Follow(Start + "?next=/ui/runs", account: Uri.EscapeDataString(account));

        await IsRefused(browser, page);
    }

    [Theory]
    [InlineData("state")]
    [InlineData("code")]
    [InlineData("no state")]
    [InlineData("no code")]
    public async Task A_changed_callback_is_refused(string change)
    {
        var app = await App();
        using var browser = Browser(app);
        var query = HttpUtility.ParseQueryString((await Callback(browser)).Query);
        var name = change.Split(' ')[^1];
        query[name] = change.StartsWith("no ", StringComparison.Ordinal) ? null : query[name]![..^4] + "AAAA";

        await IsRefused(browser, await browser.Follow("/ui/sign-in/callback?" + query));
    }

    [Fact]
    public async Task A_callback_works_once_and_in_its_own_browser_only()
    {
        var app = await App();
        using var browser = Browser(app);
        using var other = Browser(app);
        var callback = (await Callback(browser)).PathAndQuery;

        await IsRefused(other, await other.Follow(callback));
        Assert.Equal("/ui/runs", (await browser.Open(callback)).Headers.Location?.ToString());
        browser.Cookies.GetCookies(browser.Address)[Cookie]!.Expired = true;
        await IsRefused(browser, await browser.Follow(callback));
    }

    [Fact]
    public async Task A_callback_without_its_nonce_cookie_is_refused()
    {
        var app = await App();
        using var browser = Browser(app);
        var callback = await Callback(browser);
        var nonces = browser.Cookies.GetAllCookies().Where(cookie => cookie.Name.Contains("Nonce", StringComparison.Ordinal)).ToList();
        Assert.Single(nonces).Expired = true;

        await IsRefused(browser, await browser.Follow(callback.PathAndQuery));
    }

    [Theory]
    [InlineData("https://evil.example/ui/")]
    [InlineData("//evil.example/ui/")]
    [InlineData("/\\evil.example/ui")]
    [InlineData("/ui/\\evil.example")]
    [InlineData("/uix")]
    [InlineData("/api/v1/pipelines/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/ui/\r\nX-Evil: 1")]
    public async Task The_next_page_is_a_page_of_this_service(string next)
    {
        var app = await App();
        using var browser = Browser(app);
        var callback = await Callback(browser, next);

        Assert.Equal("/ui", (await browser.Open(callback.PathAndQuery)).Headers.Location?.ToString());
    }

    [Fact]
    public async Task A_session_ends_after_eight_hours()
    {
        var app = await App();
        using var browser = Browser(app);
        await browser.Follow(Start + "?next=/ui/runs");

        _clock.Advance(TimeSpan.FromHours(8) - TimeSpan.FromMinutes(1));
        Assert.Equal(200, (int)(await browser.Open("/ui/runs")).StatusCode);
        _clock.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal("/ui/sign-in?next=%2Fui%2Fruns", (await browser.Open("/ui/runs")).Headers.Location?.ToString());
    }

    [Fact]
    public async Task A_session_is_not_accepted_by_the_API()
    {
        var app = await App();
        using var browser = Browser(app);
        await browser.Follow(Start + "?next=/ui/runs");

        await (await browser.Open("/api/v1/pipelines/")).Problem(401, "unauthorized");
    }

    public void Dispose() => _started.ForEach(started => started.Dispose());

    private static async Task IsRefused(RedirectFollower browser, HttpResponseMessage page)
    {
        Assert.Equal(("/ui/sign-in?failed=provider", 200), (browser.Address.PathAndQuery, (int)page.StatusCode));
        Assert.Contains("The OpenID provider did not sign you in, or its token has no access to this service.",
            await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Null(browser.Cookies.GetCookies(browser.Address)[Cookie]);
        Assert.Equal(HttpStatusCode.Found, (await browser.Open("/ui/runs")).StatusCode);
    }

    // Signs in at the provider, and stops before the browser returns.
    private static async Task<Uri> Callback(RedirectFollower browser, string next = "/ui/runs")
    {
        var answer = await browser.Follow(
            $"{Start}?next={Uri.EscapeDataString(next)}", stop: uri => uri.AbsolutePath == "/ui/sign-in/callback");
        return answer.Headers.Location!;
    }

    private static Microsoft.AspNetCore.Authentication.AuthenticationTicket Ticket(CatalogApp app, RedirectFollower browser) =>
        app.Services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get(SignInServices.Scheme)
            .TicketDataFormat.Unprotect(browser.Cookies.GetCookies(browser.Address)[Cookie]!.Value)!;

    private RedirectFollower Browser(CatalogApp app)
    {
        var browser = new RedirectFollower(app);
        _started.Add(browser);
        return browser;
    }

    private async Task<CatalogApp> App(string client = "pages", string? secret = "c4nary-of-pages")
    {
        var app = new CatalogApp(database,
        [
            ("DATAXPIPE_OIDC_AUTHORITY", provider.Authority), ("DATAXPIPE_OIDC_AUDIENCE", Issuer.Audience),
            ("DATAXPIPE_OIDC_CLIENT_ID", client), .. secret is null ? [] : new[] { ("DATAXPIPE_OIDC_CLIENT_SECRET", secret) },
        ])
        { Time = _clock };
        _started.Add(app);
        using var @operator = app.Client();
        await @operator.PostJson("/api/v1/organizations/", new { id = "certified", name = "certified", plan = "self_hosted" });
        return app;
    }

    // The organization exists once in the database of the class, and shows a key only when it is created.
    private static async Task<HttpClient> Team(CatalogApp app)
    {
        using var @operator = app.Client();
        var created = await @operator.PostJson("/api/v1/organizations/certified/api-keys/", new { name = "team", scopes = TokenScopes });
        return app.With((await created.Json()).GetProperty("key").GetString()!);
    }
}
