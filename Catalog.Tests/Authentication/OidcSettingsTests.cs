using Catalog.Api.Authentication.Oidc;
using Catalog.Data.Database;
using Catalog.Tests.Support;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Authentication;

public sealed class OidcSettingsTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>
{
    [Theory]
    [InlineData("https://login.example")]
    [InlineData("https://login.example/realms/data/")]
    [InlineData("http://localhost:8080")]
    [InlineData("http://127.0.0.1:8080/realms/data")]
    [InlineData("http://[::1]:8080")]
    public void An_authority_is_kept_to_the_letter(string authority)
    {
        var settings = Read(authority, "catalog", null)!;

        Assert.Equal((authority, "catalog", "organization"), (settings.Authority, settings.Audience, settings.OrganizationClaim));
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
    public void What_cannot_be_used_stops_the_start_and_is_not_repeated(string? authority, string? audience, string said, string? claim = null)
    {
        var refusal = Assert.Throws<SettingException>(() => Read(authority, audience, claim));

        Assert.Contains(said, refusal.Message);
        Assert.DoesNotContain("c4nary", refusal.Message);
    }

    [Fact]
    public async Task Without_a_provider_a_token_is_a_wrong_key()
    {
        Assert.Null(Read(null, null, null));
        Assert.Null(Read("", " ", ""));
        await using var issuer = new Issuer();
        await issuer.InitializeAsync();
        using var app = new CatalogApp(database) { Time = issuer.Clock };
        using var client = app.Anonymous();

        await (await client.With(issuer.Make())).Problem(401, "unauthorized");
        Assert.Equal(0, issuer.Discoveries);
    }

    [Fact]
    public async Task The_organizations_claim_can_be_another()
    {
        await using var issuer = new Issuer();
        await issuer.InitializeAsync();
        using var app = new CatalogApp(database, ("DATAXPIPE_OIDC_AUTHORITY", issuer.Authority), ("DATAXPIPE_OIDC_AUDIENCE", Issuer.Audience),
            ("DATAXPIPE_OIDC_ORGANIZATION_CLAIM", "https://catalog.example/org"))
        { Time = issuer.Clock };
        using var client = app.Anonymous();

        await (await client.With(issuer.Make())).Problem(401, "unauthorized");
        Assert.Equal(200, (int)(await client.With(issuer.Make(payload: payload => payload["https://catalog.example/org"] = "default"))).StatusCode);
    }

    private static OidcSettings? Read(string? authority, string? audience, string? claim) =>
        OidcSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["DATAXPIPE_OIDC_AUTHORITY"] = authority,
            ["DATAXPIPE_OIDC_AUDIENCE"] = audience,
            ["DATAXPIPE_OIDC_ORGANIZATION_CLAIM"] = claim,
        }).Build());
}
