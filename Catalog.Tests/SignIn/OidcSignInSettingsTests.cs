using Catalog.Api.SignIn;
using Catalog.Data.Settings;
using Catalog.Tests.Authentication;
using Catalog.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.SignIn;

[Trait("Category", "Fast")]
public sealed class OidcSignInSettingsTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>
{
    private static readonly string[] OwnScopes = ["openid", "api://catalog/read"];
    private static readonly string[] DefaultScopes = ["openid", "read", "write", "manage", "execute"];

    [Fact]
    public void Without_a_client_people_sign_in_with_keys()
    {
        Assert.Null(Read());
        Assert.Null(Read(authority: "https://login.example", audience: "catalog"));
        var least = Read("https://login.example", "catalog", "id")!;
        var all = Read("https://login.example", "catalog", "id", "c4nary", " openid  api://catalog/read ")!;
        Assert.Equal(("id", null, "catalog"), (least.ClientId, least.ClientSecret, least.Audience));
        Assert.Equal(DefaultScopes, least.Scopes);
        Assert.Equal(("c4nary", "https://login.example"), (all.ClientSecret, all.Authority));
        Assert.Equal(OwnScopes, all.Scopes);
    }

    [Theory]
    [InlineData(null, null, null, "c4nary", null, "is set without DATAXPIPE_OIDC_CLIENT_ID")]
    [InlineData("https://login.example", "a", null, null, "openid", "is set without DATAXPIPE_OIDC_CLIENT_ID")]
    [InlineData(null, null, "id", null, null, "DATAXPIPE_OIDC_CLIENT_ID is set without DATAXPIPE_OIDC_AUTHORITY")]
    [InlineData("https://login.example", null, "id", null, null, "DATAXPIPE_OIDC_CLIENT_ID is set without DATAXPIPE_OIDC_AUDIENCE")]
    [InlineData("https://login.example", "a", "id", null, "read write", "DATAXPIPE_OIDC_SCOPES must contain openid")]
    [InlineData("https://login.example", "a", "id", null, "openid c4nary\nread", "DATAXPIPE_OIDC_SCOPES must contain openid")]
    [InlineData("https://login.example", "a", "id", null, "openid c4n\u00e4ry", "DATAXPIPE_OIDC_SCOPES must contain openid")]
    [InlineData("https://login.example", "a", "\"id\"", null, null, "DATAXPIPE_OIDC_CLIENT_ID is in quotes")]
    public void An_invalid_setting_stops_the_start_and_its_value_is_not_reported(
        string? authority, string? audience, string? client, string? secret, string? scopes, string expected)
    {
        var refusal = Assert.Throws<SettingException>(() => Read(authority, audience, client, secret, scopes));

        Assert.Contains(expected, refusal.Message);
        Assert.DoesNotContain("c4n", refusal.Message);
    }

    [Fact]
    public async Task A_provider_that_does_not_answer_leads_to_a_page_that_says_so()
    {
        using var app = new CatalogApp(database, ("DATAXPIPE_OIDC_AUTHORITY", "http://127.0.0.1:9"),
            ("DATAXPIPE_OIDC_AUDIENCE", Issuer.Audience), ("DATAXPIPE_OIDC_CLIENT_ID", "pages"));
        using var browser = new RedirectFollower(app);

        var answer = await browser.Open("/ui/sign-in/provider?next=/ui/runs");
        var page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Contains("The OpenID provider does not answer. Try again later, or sign in with a key.", page);
        Assert.Contains("value=\"/ui/runs\"", page);
        Assert.Contains(app.Log.At(LogLevel.Warning), line =>
            line.Contains("Sign-in fails, because the provider http://127.0.0.1:9 does", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_client_there_is_no_way_to_the_provider()
    {
        using var app = new CatalogApp(database);
        using var browser = new RedirectFollower(app);

        Assert.Equal(404, (int)(await browser.Open("/ui/sign-in/provider")).StatusCode);
        var page = await browser.Open("/ui/sign-in");
        Assert.DoesNotContain("OpenID", await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static OidcSignInSettings? Read(
        string? authority = null, string? audience = null, string? client = null, string? secret = null, string? scopes = null) =>
        OidcSignInSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["DATAXPIPE_OIDC_AUTHORITY"] = authority,
            ["DATAXPIPE_OIDC_AUDIENCE"] = audience,
            ["DATAXPIPE_OIDC_CLIENT_ID"] = client,
            ["DATAXPIPE_OIDC_CLIENT_SECRET"] = secret,
            ["DATAXPIPE_OIDC_SCOPES"] = scopes,
        }).Build());
}
