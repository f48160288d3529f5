using System.Net;
using Catalog.Data.SignIn;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.SignIn;

public sealed class SessionsOnSqlite(SqliteTestDatabase database) : SessionTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class SessionsOnPostgres(PostgresTestDatabase database) : SessionTests(database), IClassFixture<PostgresTestDatabase>
{
    [Fact]
    public async Task Without_a_secret_key_a_session_belongs_to_one_replica()
    {
        using var app = new CatalogApp(Database);
        using var replica = new CatalogApp(Database);
        using var browser = await PageClient.SignedIn(app);

        Assert.Equal("/ui/runs", (await browser.Open("/ui/runs")).Path);
        Assert.Equal("/ui/sign-in", (await Continue(browser, replica)).Path);
        Assert.Contains(app.Log.At(Microsoft.Extensions.Logging.LogLevel.Information), line =>
            line.Contains("Set DATAXPIPE_SECRET_KEY", StringComparison.Ordinal));
    }
}

/// <summary>Sessions of several replicas and after a restart, and which forms are accepted.</summary>
public abstract class SessionTests(TestDatabase database) : EndpointTestBase(database)
{
    private static readonly (string, string) SecretKey = ("DATAXPIPE_SECRET_KEY", SecretSearch.SecretKey);

    [Fact]
    public async Task Replicas_share_sessions_and_forms()
    {
        using var app = new CatalogApp(Database, SecretKey);
        using var replica = new CatalogApp(Database, SecretKey);
        using var browser = await PageClient.SignedIn(app);
        using var other = new PageClient(replica, browser.Cookies);
        var form = await browser.Open("/ui/runs");

        Assert.Equal("/ui/runs", (await other.Open("/ui/runs")).Path);
        Assert.Contains("Europe/Berlin", (await other.Submit(form, "form[action='/ui/time-zone']", 200, ("zone", "Europe/Berlin"))).Source,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_survives_a_restart_with_the_same_secret_key_and_ends_with_another()
    {
        PageClient browser;
        using (var app = new CatalogApp(Database, SecretKey))
        {
            browser = await PageClient.SignedIn(app);
        }

        using (browser)
        using (var same = new CatalogApp(Database, SecretKey))
        using (var other = new CatalogApp(Database, ("DATAXPIPE_SECRET_KEY", $"B{SecretSearch.SecretKey[1..]}")))
        {
            Assert.Equal("/ui/runs", (await Continue(browser, same)).Path);
            Assert.Equal("/ui/sign-in", (await Continue(browser, other)).Path);
        }
    }

    [Fact]
    public async Task Signing_out_ends_a_copied_cookie_on_every_replica_and_no_other_session()
    {
        using var app = new CatalogApp(Database, SecretKey);
        using var replica = new CatalogApp(Database, SecretKey);
        using var browser = await PageClient.SignedIn(app);
        using var other = await PageClient.SignedIn(app);
        using var thief = new PageClient(app, Copy(browser));
        using var far = new PageClient(replica, Copy(browser));
        Assert.Equal("/ui/runs", (await thief.Open("/ui/runs")).Path);
        Assert.Equal("/ui/runs", (await far.Open("/ui/runs")).Path);
        var copy = Copy(browser);

        await browser.Submit(await browser.Open("/ui/runs"), "form[action='/ui/sign-out']");

        Assert.Equal("/ui/sign-in", (await thief.Open("/ui/runs")).Path);
        var until = Environment.TickCount64 + 10_000;
        while ((await far.Open("/ui/runs")).Path != "/ui/sign-in")
        {
            Assert.True(Environment.TickCount64 < until, "The other replica still accepts the cookie.");
            await Task.Delay(200, Ct);
        }

        Assert.Equal("/ui/runs", (await other.Open("/ui/runs")).Path);
        using var restarted = new CatalogApp(Database, SecretKey);
        using var late = new PageClient(restarted, copy);
        Assert.Equal("/ui/sign-in", (await late.Open("/ui/runs")).Path);
    }

    [Fact]
    public async Task Ended_sessions_are_deleted_after_their_cookies_expired()
    {
        var sessions = new EndedSessionRepository(Database.Database);
        var now = DateTimeOffset.UtcNow;
        await sessions.Add(new() { Id = $"{Name}-old", ExpiresAt = now.AddHours(1) }, now, Ct);
        await sessions.Add(new() { Id = $"{Name}-same", ExpiresAt = now.AddHours(13) }, now, Ct);
        await sessions.Add(new() { Id = $"{Name}-same", ExpiresAt = now.AddHours(13) }, now.AddHours(2), Ct);

        var stored = (await sessions.List(now.AddMinutes(-1), Ct)).Select(session => session.Id)
            .Where(id => id.StartsWith(Name, StringComparison.Ordinal));

        Assert.Equal([$"{Name}-same"], stored);
        Assert.DoesNotContain($"{Name}-same", (await sessions.List(now.AddHours(14), Ct)).Select(session => session.Id));
    }

    [Fact]
    public async Task Many_cookies_of_another_deployment_delay_no_request()
    {
        PageClient browser;
        using (var other = new CatalogApp(Database, ("DATAXPIPE_SECRET_KEY", $"B{SecretSearch.SecretKey[1..]}")))
        {
            browser = await PageClient.SignedIn(other);
        }

        using (browser)
        using (var app = new CatalogApp(Database, SecretKey))
        using (var own = await PageClient.SignedIn(app))
        {
            var foreign = Enumerable.Range(0, 200).Select(_ => Continue(browser, app)).ToList();

            Assert.Equal("/ui/runs", (await own.Open("/ui/runs")).Path);
            Assert.All(await Task.WhenAll(foreign), page => Assert.Equal("/ui/sign-in", page.Path));
        }
    }

    [Fact]
    public async Task The_key_that_protects_cookies_is_encrypted_in_the_database()
    {
        using var app = new CatalogApp(Database, SecretKey);
        using var browser = await PageClient.SignedIn(app);

        var stored = await Database.Database.Many<byte[]>(
            "default", "select sealed from data_protection_keys where organization_id = 'default'", null, Ct);

        Assert.NotEmpty(stored);
        Assert.All(stored, key => Assert.DoesNotContain("masterKey", System.Text.Encoding.UTF8.GetString(key), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("no token", null)]
    [InlineData("changed token", null)]
    [InlineData("token of another browser", null)]
    [InlineData("token", "cross-site")]
    [InlineData("token", "same-site")]
    public async Task A_form_of_another_site_is_refused(string token, string? site)
    {
        using var browser = await PageClient.SignedIn(App);
        using var stranger = await PageClient.SignedIn(App);
        var (name, own) = (await browser.Open("/ui/runs")).Fields("form[action='/ui/sign-out']").Single();
        var foreign = (await stranger.Open("/ui/runs")).Fields("form[action='/ui/sign-out']").Single().Value;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/ui/sign-out");
        request.Content = new FormUrlEncodedContent(token switch
        {
            "no token" => [],
            "changed token" => [KeyValuePair.Create(name, own![..^4] + "AAAA")],
            "token of another browser" => [KeyValuePair.Create(name, foreign!)],
            _ => [KeyValuePair.Create(name, own!)],
        });
        if (site is not null)
        {
            request.Headers.Add("Sec-Fetch-Site", site);
        }

        var page = await WebPage.Read(await browser.Send(request));

        Assert.Equal(400, page.Status);
        Assert.Contains("form_expired", page.Text, StringComparison.Ordinal);
        Assert.Equal("/ui/runs", (await browser.Open("/ui/runs")).Path);
    }

    [Theory]
    [InlineData("application/json", "{}")]
    [InlineData("text/plain", "a=b")]
    [InlineData("multipart/form-data; boundary=x", "--x")]
    [InlineData("application/x-www-form-urlencoded", "%zz=%00")]
    public async Task A_body_that_is_no_form_is_an_error_page(string type, string body)
    {
        using var browser = await PageClient.SignedIn(App);
        foreach (var path in new[] { "/ui/sign-in", "/ui/sign-out", "/ui/time-zone" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path);
            request.Content = new ByteArrayContent(System.Text.Encoding.ASCII.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);

            Assert.InRange((await WebPage.Read(await browser.Send(request))).Status, 400, 422);
        }
    }

    [Theory]
    [InlineData("/ui/sign-out")]
    [InlineData("/ui/time-zone?zone=Europe/Berlin")]
    public async Task Nothing_is_changed_by_GET(string path)
    {
        using var browser = await PageClient.SignedIn(App);

        await browser.Open(path, 405);

        Assert.Equal("Times in UTC", (await browser.Open("/ui/runs")).One(".zone summary").TextContent);
    }

    protected static async Task<WebPage> Continue(PageClient browser, CatalogApp app)
    {
        // The service removes a cookie that it refuses. The request uses a copy of the cookies, so the given browser
        // keeps its cookie.
        using var client = new PageClient(app, Copy(browser));
        return await client.Open("/ui/runs");
    }

    private static CookieContainer Copy(PageClient browser)
    {
        var cookies = new CookieContainer();
        cookies.Add(browser.Cookies.GetAllCookies());
        return cookies;
    }
}
