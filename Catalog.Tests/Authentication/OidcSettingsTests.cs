using Catalog.Api.Authentication.Oidc;
using Catalog.Data.Settings;
using Catalog.Tests.Support;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Authentication;

[Trait("Category", "Fast")]
public sealed class OidcSettingsTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>
{
    [Theory]
    [InlineData("https://login.example")]
    [InlineData("https://login.example/realms/data/")]
    [InlineData("http://localhost:8080")]
    [InlineData("http://127.0.0.1:8080/realms/data")]
    [InlineData("http://[::1]:8080")]
    public void An_authority_is_kept_unchanged(string authority)
    {
        var trust = Read(authority, "catalog", null).Single();

        Assert.Equal(
            (authority, "catalog", "organization", null), (trust.Issuer, trust.Audience, trust.OrganizationClaim, trust.Organization));
    }

    [Theory]
    [InlineData("http://login.example", "a", "DATAXPIPE_OIDC_AUTHORITY must be")]
    [InlineData("http://localhost.login.example", "a", "DATAXPIPE_OIDC_AUTHORITY must be")]
    [InlineData("http://192.168.0.1", "a", "DATAXPIPE_OIDC_AUTHORITY must be")]
    [InlineData("login.example", "a", "DATAXPIPE_OIDC_AUTHORITY must be")]
    [InlineData("ftp://login.example", "a", "DATAXPIPE_OIDC_AUTHORITY must be")]
    [InlineData("file:///etc/passwd", "a", "DATAXPIPE_OIDC_AUTHORITY must be")]
    [InlineData("https://u:c4nary@login.example", "a", "DATAXPIPE_OIDC_AUTHORITY must be")]
    [InlineData("https://login.example?x=1", "a", "DATAXPIPE_OIDC_AUTHORITY must be")]
    [InlineData("https://login.example#x", "a", "DATAXPIPE_OIDC_AUTHORITY must be")]
    [InlineData("https://login.example", null, "DATAXPIPE_OIDC_AUDIENCE is missing")]
    [InlineData("https://login.example", " ", "DATAXPIPE_OIDC_AUDIENCE is missing")]
    [InlineData("", "a", "without DATAXPIPE_OIDC_AUTHORITY")]
    [InlineData(null, null, "without DATAXPIPE_OIDC_AUTHORITY", "organization")]
    [InlineData(null, null, "without DATAXPIPE_OIDC_AUTHORITY", null, "default")]
    [InlineData("https://login.example", "a", "DATAXPIPE_OIDC_ORGANIZATION must be", "organization", "default")]
    [InlineData("https://login.example", "a", "DATAXPIPE_OIDC_ORGANIZATION must be", null, "c4nary team")]
    public void An_invalid_setting_stops_the_start_and_its_value_is_not_reported(
        string? authority, string? audience, string expected, string? claim = null, string? organization = null)
    {
        var refusal = Assert.Throws<SettingException>(() => Read(authority, audience, claim, organization));

        Assert.Contains(expected, refusal.Message);
        Assert.DoesNotContain("c4nary", refusal.Message);
    }

    [Fact]
    public async Task Without_a_provider_a_token_is_refused_as_a_wrong_key()
    {
        Assert.Empty(Read(null, null, null));
        Assert.Empty(Read("", " ", ""));
        await using var issuer = new Issuer();
        await issuer.InitializeAsync();
        using var app = new CatalogApp(database) { Time = issuer.Clock };
        using var client = app.Anonymous();

        await (await client.With(issuer.CreateToken())).Problem(401, "unauthorized");
        Assert.Equal(0, issuer.DiscoveryRequestCount);
    }

    [Fact]
    public async Task The_organization_claim_is_configurable()
    {
        await using var issuer = new Issuer();
        await issuer.InitializeAsync();
        using var app = await issuer.App(database, ("DATAXPIPE_OIDC_AUTHORITY", issuer.Authority),
            ("DATAXPIPE_OIDC_AUDIENCE", Issuer.Audience),
            ("DATAXPIPE_OIDC_ORGANIZATION_CLAIM", "https://catalog.example/org"));
        using var client = app.Anonymous();

        await (await client.With(issuer.CreateToken())).Problem(401, "unauthorized");
        Assert.Equal(
            200,
            (int)(await client.With(issuer.CreateToken(payload: payload => payload["https://catalog.example/org"] = issuer.Organization)))
                .StatusCode);
    }

    [Fact]
    public async Task One_organization_can_be_set_for_all_tokens_including_default()
    {
        await using var issuer = new Issuer();
        await issuer.InitializeAsync();
        using var app = await issuer.App(database, ("DATAXPIPE_OIDC_AUTHORITY", issuer.Authority),
            ("DATAXPIPE_OIDC_AUDIENCE", Issuer.Audience),
            ("DATAXPIPE_OIDC_ORGANIZATION", "default"));
        using var client = app.Anonymous();
        using var ours = app.Client();
        var name = $"p{Guid.NewGuid():N}";
        Assert.Equal(201, (int)(await ours.PostJson("/api/v1/pipelines/", new { name })).StatusCode);

        // The organization claim of the token is ignored; its scopes still apply.
        foreach (var organization in new[] { null, issuer.Organization })
        {
            var token = issuer.CreateToken(payload: payload => payload["organization"] = organization);
            Assert.Equal(200, (int)(await client.With(token, path: $"/api/v1/pipelines/{name}")).StatusCode);
            await (await client.With(token, HttpMethod.Delete, $"/api/v1/pipelines/{name}")).Problem(403, "forbidden");
        }
    }

    private static IReadOnlyList<TokenTrust> Read(string? authority, string? audience, string? claim, string? organization = null) =>
        OidcSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["DATAXPIPE_OIDC_AUTHORITY"] = authority,
            ["DATAXPIPE_OIDC_AUDIENCE"] = audience,
            ["DATAXPIPE_OIDC_ORGANIZATION_CLAIM"] = claim,
            ["DATAXPIPE_OIDC_ORGANIZATION"] = organization,
        }).Build());
}
