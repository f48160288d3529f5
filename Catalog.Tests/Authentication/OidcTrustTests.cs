using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Api.Authentication.Oidc;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Authentication;

/// <summary>
/// Sign-in of CI jobs with tokens in the form of GitHub Actions, which contain neither an organization nor scopes.
/// </summary>
public sealed class OidcTrustTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>, IAsyncLifetime
{
    private const string Repository = "repo:octo-org/octo-repo:ref:refs/heads/main";

    private readonly Issuer _issuer = new();

    public ValueTask InitializeAsync() => _issuer.InitializeAsync();

    public ValueTask DisposeAsync() => _issuer.DisposeAsync();

    [Fact]
    public async Task A_job_of_a_trusted_repository_has_the_scopes_of_its_entry()
    {
        using var app = await _issuer.App(database, Trust(Entry(Repository)));
        using var client = app.Anonymous();
        var name = $"p{Guid.NewGuid():N}";

        Assert.Equal(201, (int)(await client.With(Job(Repository), HttpMethod.Post, json: $$"""{"name":"{{name}}"}""")).StatusCode);
        await (await client.With(Job(Repository), HttpMethod.Delete, $"/api/v1/pipelines/{name}")).Problem(403, "forbidden");
        await (await client.With(Job(Repository))).Problem(403, "forbidden");
        // Scopes and organization in the token are ignored.
        var claiming = Job(Repository, payload => (payload["scope"], payload["organization"]) = ("manage read", "default"));
        await (await client.With(claiming, HttpMethod.Delete, $"/api/v1/pipelines/{name}")).Problem(403, "forbidden");
    }

    [Fact]
    public async Task The_audit_log_names_a_job_by_its_subject()
    {
        using var app = await _issuer.App(database, Trust(Entry(Repository, scopes: ["read", "manage"])));
        using var client = app.Anonymous();
        var key = $$"""{"name":"ci","scopes":["read"]}""";
        Assert.Equal(201, (int)(await client.With(Job(Repository), HttpMethod.Post, "/api/v1/organizations/me/api-keys", key)).StatusCode);

        var log = await (await client.With(Job(Repository), path: "/api/v1/organizations/me/audit-log")).Json();

        Assert.Contains("oidc:" + Repository, log.GetProperty("items").EnumerateArray()
            .Select(entry => entry.GetProperty("actor").GetString()));
    }

    [Fact]
    public async Task A_token_with_every_claim_and_header_of_GitHub_Actions_signs_in()
    {
        const string Subject = "repo:octo-org@65/octo-repo@74:environment:prod";
        using var app = await _issuer.App(database, Trust(Entry("repo:octo-org@65/octo-repo@74:*")));
        using var client = app.Anonymous();
        var claims = new (string Name, string Value)[]
        {
            ("environment", "prod"), ("sha", "example-sha"), ("actor", "octocat"), ("actor_id", "12"), ("base_ref", ""), ("head_ref", ""),
            ("event_name", "workflow_dispatch"), ("ref_type", "branch"), ("ref_protected", "true"), ("repository_id", "74"),
            ("repository_owner_id", "65"), ("repository_visibility", "private"), ("run_id", "example-run-id"), ("run_number", "10"),
            ("job_workflow_ref", "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main"),
            ("job_workflow_sha", "example-sha"),
            ("workflow_ref", "octo-org/octo-repo/.github/workflows/load.yml@refs/heads/main"), ("workflow_sha", "example-sha"),
            ("check_run_id", "1"), ("enterprise", "octo"), ("enterprise_id", "3"),
        };
        string With(string subject)
        {
            return _issuer.CreateToken(
                header: header => (header["typ"], header["x5t"]) = ("JWT", "example-thumbprint"),
                payload: payload =>
                {
                    (payload["scope"], payload["organization"], payload["sub"]) = (null, null, subject);
                    payload["nbf"] = _issuer.Clock.Seconds - 300;
                    foreach (var (name, value) in claims)
                    {
                        payload[name] = value;
                    }
                });
        }

        Assert.Equal(201, await PostStatus(client, With(Subject)));
        // A later owner of the same names has other numbers, so its tokens are refused.
        Assert.Equal(401, await PostStatus(client, With("repo:octo-org@66/octo-repo@74:environment:prod")));
        Assert.Equal(401, await PostStatus(client, With("repo:octo-org/octo-repo:environment:prod")));
    }

    [Theory]
    [InlineData("repo:octo-org-evil/octo-repo:ref:refs/heads/main")]
    [InlineData("repo:octo-org/octo-repo:ref:refs/heads/main2")]
    [InlineData("REPO:octo-org/octo-repo:ref:refs/heads/main")]
    [InlineData("loader")]
    [InlineData(null)]
    public async Task A_job_of_another_repository_is_refused(string? subject)
    {
        using var app = await _issuer.App(database, Trust(Entry(Repository)));
        using var client = app.Anonymous();
        Assert.Equal(201, await PostStatus(client, Job(Repository)));

        await (await client.With(Job(subject))).Problem(401, "unauthorized");
    }

    [Fact]
    public async Task A_job_with_another_audience_is_refused()
    {
        using var app = await _issuer.App(database, Trust(Entry(Repository)));
        using var client = app.Anonymous();
        Assert.Equal(201, await PostStatus(client, Job(Repository)));

        await (await client.With(Job(Repository, payload => payload["aud"] = "https://github.com/octo-org"))).Problem(401, "unauthorized");
    }

    [Fact]
    public async Task An_unregistered_organization_is_refused()
    {
        using var app = await _issuer.App(database, Trust(Entry(Repository, organization: "nobody-registered-this")));
        using var client = app.Anonymous();

        await (await client.With(Job(Repository))).Problem(403, "organization_unknown");
    }

    [Fact]
    public async Task An_entry_can_name_the_default_organization()
    {
        using var app = await _issuer.App(database, Trust(Entry(Repository, organization: "default")));
        using var client = app.Anonymous();

        Assert.Equal(201, await PostStatus(client, Job(Repository)));
    }

    [Fact]
    public async Task The_first_matching_entry_applies_and_entries_precede_the_authority()
    {
        var settings = new[]
        {
            Trust(
                Entry(Repository, scopes: ["read"]),
                Entry("repo:octo-org/*"),
                Entry("repo:octo-org/*", audience: "https://other.example", scopes: ["read"])),
            ("DATAXPIPE_OIDC_AUTHORITY", _issuer.Authority),
            ("DATAXPIPE_OIDC_AUDIENCE", Issuer.Audience),
        };
        using var app = await _issuer.App(database, settings);
        using var client = app.Anonymous();
        var other = Job("repo:octo-org/other:ref:refs/heads/main");
        var otherAudience = Job("repo:octo-org/other:ref:refs/heads/main", payload => payload["aud"] = "https://other.example");

        Assert.Equal((200, 403), ((int)(await client.With(Job(Repository))).StatusCode, await PostStatus(client, Job(Repository))));
        Assert.Equal((403, 201), ((int)(await client.With(other)).StatusCode, await PostStatus(client, other)));
        Assert.Equal((200, 403), ((int)(await client.With(otherAudience)).StatusCode, await PostStatus(client, otherAudience)));
        Assert.Equal(200, (int)(await client.With(_issuer.CreateToken())).StatusCode);
        // The authority accepts any subject, but only its own audience.
        await (await client.With(_issuer.CreateToken(payload: payload => payload["aud"] = "https://other.example")))
            .Problem(401, "unauthorized");
    }

    [Fact]
    public async Task A_token_is_verified_only_with_the_keys_of_its_own_issuer()
    {
        await using var second = new Issuer();
        await second.InitializeAsync();
        using var app = await _issuer.App(database, Trust(Entry(Repository), Entry("repo:second/*", issuer: second.Authority)),
            ("DATAXPIPE_OIDC_AUTHORITY", second.Authority), ("DATAXPIPE_OIDC_AUDIENCE", Issuer.Audience),
            ("DATAXPIPE_OIDC_ORGANIZATION", _issuer.Organization));
        using var client = app.Anonymous();
        Assert.Equal(201, await PostStatus(client, Job(Repository)));
        Assert.Equal(
            201, await PostStatus(
                client, Job("repo:second/app:ref:refs/heads/main", payload => payload["iss"] = second.Authority, second.Rsa)));
        Assert.Equal(200, (int)(await client.With(second.CreateToken(payload: payload => payload["organization"] = null))).StatusCode);

        // Both issuers use the same key ids; each key is valid for its own issuer only.
        await (await client.With(Job(Repository, key: second.Rsa))).Problem(401, "unauthorized");
        await (await client.With(second.CreateToken(_issuer.Rsa))).Problem(401, "unauthorized");
        await (await client.With(Job("repo:second/app:ref:refs/heads/main"))).Problem(401, "unauthorized");
        Assert.Equal(
            401, await PostStatus(client, Job(Repository, payload => payload["iss"] = "https://token.actions.githubusercontent.com")));
        Assert.Equal((1, 1), (_issuer.KeySetRequestCount, second.KeySetRequestCount));
    }

    [Fact]
    public async Task An_unavailable_issuer_does_not_affect_others()
    {
        await using var second = new Issuer();
        await second.InitializeAsync();
        second.IsUnavailable = true;
        using var app = await _issuer.App(database, Trust(Entry("repo:second/*", issuer: second.Authority), Entry(Repository)));
        using var client = app.Anonymous();
        var waiting = Job("repo:second/app:ref:refs/heads/main", payload => payload["iss"] = second.Authority, second.Rsa);

        await (await client.With(waiting)).Problem(503, "identity_provider_unavailable");
        Assert.Equal(201, await PostStatus(client, Job(Repository)));
        Assert.Contains(app.Log.At(LogLevel.Warning), line => line.Contains(second.Authority, StringComparison.Ordinal));
        second.IsUnavailable = false;
        _issuer.Clock.Advance(SigningKeyCache.Pause);
        Assert.Equal(201, await PostStatus(client, waiting));
    }

    private static (string Name, string Value) Trust(params JsonObject[] entries) =>
        ("DATAXPIPE_OIDC_TRUST", JsonSerializer.Serialize(entries));

    private JsonObject Entry(
        string subject, string? issuer = null, string audience = Issuer.Audience, string? organization = null, string[]? scopes = null) =>
            new()
            {
                ["issuer"] = issuer ?? _issuer.Authority,
                ["audience"] = audience,
                ["subject"] = subject,
                ["organization"] = organization ?? _issuer.Organization,
                ["scopes"] = JsonSerializer.SerializeToNode(scopes ?? ["write"]),
            };

    private string Job(string? subject, Action<JsonObject>? change = null, IssuerKey? key = null) => _issuer.CreateToken(
        key,
        header: header => header["typ"] = "JWT",
        payload: payload =>
        {
            payload.Remove("scope");
            payload.Remove("organization");
            payload["sub"] = subject;
            payload["nbf"] = _issuer.Clock.Seconds - 300;
            payload["exp"] = _issuer.Clock.Seconds + 300;
            payload["repository"] = "octo-org/octo-repo";
            payload["repository_owner"] = "octo-org";
            payload["ref"] = "refs/heads/main";
            payload["workflow"] = "load";
            payload["run_attempt"] = "1";
            payload["runner_environment"] = "github-hosted";
            change?.Invoke(payload);
        });

    private static async Task<int> PostStatus(HttpClient client, string token) =>
        (int)(await client.With(token, HttpMethod.Post, json: $$"""{"name":"p{{Guid.NewGuid():N}}"}""")).StatusCode;
}
