using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Api.Authentication.Oidc;
using Catalog.Data.Database;
using Catalog.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Authentication;

/// <summary>Sign-in of CI jobs, whose tokens hold neither an organization nor scopes: tokens shaped as GitHub Actions makes them.</summary>
public sealed class OidcTrustTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>, IAsyncLifetime
{
    private const string Repository = "repo:octo-org/octo-repo:ref:refs/heads/main";

    private readonly Issuer _issuer = new();

    public ValueTask InitializeAsync() => _issuer.InitializeAsync();

    public ValueTask DisposeAsync() => _issuer.DisposeAsync();

    [Fact]
    public async Task A_job_of_a_trusted_repository_may_do_what_its_entry_says()
    {
        using var app = await _issuer.App(database, Trust(Entry(Repository)));
        using var client = app.Anonymous();
        var name = $"p{Guid.NewGuid():N}";

        Assert.Equal(201, (int)(await client.With(Job(Repository), HttpMethod.Post, json: $$"""{"name":"{{name}}"}""")).StatusCode);
        await (await client.With(Job(Repository), HttpMethod.Delete, $"/api/v1/pipelines/{name}")).Problem(403, "forbidden");
        await (await client.With(Job(Repository))).Problem(403, "forbidden");
        // What a token says of itself adds nothing.
        var claiming = Job(Repository, payload => (payload["scope"], payload["organization"]) = ("manage read", "default"));
        await (await client.With(claiming, HttpMethod.Delete, $"/api/v1/pipelines/{name}")).Problem(403, "forbidden");
    }

    [Fact]
    public async Task The_audit_log_calls_a_job_by_its_subject()
    {
        using var app = await _issuer.App(database, Trust(Entry(Repository, scopes: ["read", "manage"])));
        using var client = app.Anonymous();
        var key = $$"""{"name":"ci","scopes":["read"]}""";
        Assert.Equal(201, (int)(await client.With(Job(Repository), HttpMethod.Post, "/api/v1/organizations/me/api-keys", key)).StatusCode);

        var log = await (await client.With(Job(Repository), path: "/api/v1/organizations/me/audit-log")).Json();

        Assert.Contains("oidc:" + Repository, log.GetProperty("items").EnumerateArray().Select(entry => entry.GetProperty("actor").GetString()));
    }

    [Theory]
    [InlineData("repo:acme/*", "repo:acme/app:ref:refs/heads/main", true)]
    [InlineData("repo:acme/*", "repo:acme/app:pull_request", true)]
    [InlineData("repo:acme/*", "repo:acme-evil/app:ref:refs/heads/main", false)]
    [InlineData("repo:acme/*", "repo:Acme/app:ref:refs/heads/main", false)]
    [InlineData("repo:acme/*", "x:repo:acme/app:ref:refs/heads/main", false)]
    [InlineData("repo:acme/*", "repo:acme", false)]
    [InlineData("repo:acme/app:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/main", true)]
    [InlineData("repo:acme/app:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/main2", false)]
    [InlineData("repo:acme/app:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/mai", false)]
    [InlineData("repo:acme/app:ref:refs/heads/main", " repo:acme/app:ref:refs/heads/main", false)]
    [InlineData("repo:acme/a.p:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/main", false)]
    [InlineData("repo:acme/*:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/main", true)]
    [InlineData("repo:acme/*:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/x", false)]
    [InlineData("repo:acme/*:ref:refs/heads/main", "repo:acme/app:environment:x:ref:refs/heads/main", false)]
    [InlineData("repo:acme/data-*:environment:prod", "repo:acme/data-loads:environment:prod", true)]
    [InlineData("repo:acme/data-*:environment:prod", "repo:acme/site:environment:prod", false)]
    [InlineData("repo:acme/app:ref:refs/heads/release/*", "repo:acme/app:ref:refs/heads/release/1/2", true)]
    [InlineData("repo:acme/app:ref:refs/heads/release/*", "repo:acme/app:ref:refs/heads/release", false)]
    [InlineData("system:serviceaccount:ci:*", "system:serviceaccount:ci:loader", true)]
    [InlineData("system:serviceaccount:ci:*", "system:serviceaccount:ci-evil:loader", false)]
    public void A_pattern_is_matched_whole_and_to_the_letter(string pattern, string subject, bool matches) =>
        Assert.Equal(matches, Read(Trust(Entry(pattern)).Value).Single().Subject!.IsMatch(subject));

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
        Assert.Equal(201, await Posts(client, Job(Repository)));

        await (await client.With(Job(subject))).Problem(401, "unauthorized");
    }

    [Fact]
    public async Task A_job_with_another_audience_is_refused()
    {
        using var app = await _issuer.App(database, Trust(Entry(Repository)));
        using var client = app.Anonymous();
        Assert.Equal(201, await Posts(client, Job(Repository)));

        await (await client.With(Job(Repository, payload => payload["aud"] = "https://github.com/octo-org"))).Problem(401, "unauthorized");
    }

    [Fact]
    public async Task An_organization_that_is_not_registered_is_refused()
    {
        using var app = await _issuer.App(database, Trust(Entry(Repository, organization: "nobody-registered-this")));
        using var client = app.Anonymous();

        await (await client.With(Job(Repository))).Problem(403, "organization_unknown");
    }

    [Fact]
    public async Task An_entry_can_name_the_operators_own_organization()
    {
        using var app = await _issuer.App(database, Trust(Entry(Repository, organization: "default")));
        using var client = app.Anonymous();

        Assert.Equal(201, await Posts(client, Job(Repository)));
    }

    [Fact]
    public async Task The_first_entry_that_matches_is_taken_and_entries_go_before_the_authority()
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
        var elsewhere = Job("repo:octo-org/other:ref:refs/heads/main", payload => payload["aud"] = "https://other.example");

        Assert.Equal((200, 403), ((int)(await client.With(Job(Repository))).StatusCode, await Posts(client, Job(Repository))));
        Assert.Equal((403, 201), ((int)(await client.With(other)).StatusCode, await Posts(client, other)));
        Assert.Equal((200, 403), ((int)(await client.With(elsewhere)).StatusCode, await Posts(client, elsewhere)));
        Assert.Equal(200, (int)(await client.With(_issuer.Make())).StatusCode);
        // The authority takes any subject, but a token of the other audience is none of its own.
        await (await client.With(_issuer.Make(payload: payload => payload["aud"] = "https://other.example"))).Problem(401, "unauthorized");
    }

    [Fact]
    public async Task Several_issuers_stand_side_by_side_and_none_vouches_for_another()
    {
        await using var second = new Issuer();
        await second.InitializeAsync();
        using var app = await _issuer.App(database, Trust(Entry(Repository), Entry("repo:second/*", issuer: second.Authority)),
            ("DATAXPIPE_OIDC_AUTHORITY", second.Authority), ("DATAXPIPE_OIDC_AUDIENCE", Issuer.Audience),
            ("DATAXPIPE_OIDC_ORGANIZATION", _issuer.Organization));
        using var client = app.Anonymous();
        Assert.Equal(201, await Posts(client, Job(Repository)));
        Assert.Equal(201, await Posts(client, Job("repo:second/app:ref:refs/heads/main", payload => payload["iss"] = second.Authority, second.Rsa)));
        Assert.Equal(200, (int)(await client.With(second.Make(payload: payload => payload["organization"] = null))).StatusCode);

        // Both name their keys alike, and each is good for its own issuer only.
        await (await client.With(Job(Repository, key: second.Rsa))).Problem(401, "unauthorized");
        await (await client.With(second.Make(_issuer.Rsa))).Problem(401, "unauthorized");
        await (await client.With(Job("repo:second/app:ref:refs/heads/main"))).Problem(401, "unauthorized");
        Assert.Equal(401, await Posts(client, Job(Repository, payload => payload["iss"] = "https://token.actions.githubusercontent.com")));
        Assert.Equal((1, 1), (_issuer.KeySets, second.KeySets));
    }

    [Fact]
    public async Task An_issuer_that_is_away_harms_no_other()
    {
        await using var second = new Issuer();
        await second.InitializeAsync();
        second.Down = true;
        using var app = await _issuer.App(database, Trust(Entry("repo:second/*", issuer: second.Authority), Entry(Repository)));
        using var client = app.Anonymous();
        var waiting = Job("repo:second/app:ref:refs/heads/main", payload => payload["iss"] = second.Authority, second.Rsa);

        await (await client.With(waiting)).Problem(503, "identity_provider_unavailable");
        Assert.Equal(201, await Posts(client, Job(Repository)));
        Assert.Contains(app.Log.At(LogLevel.Warning), line => line.Contains(second.Authority, StringComparison.Ordinal));
        second.Down = false;
        _issuer.Clock.Advance(SigningKeys.Pause);
        Assert.Equal(201, await Posts(client, waiting));
    }

    [Theory]
    [InlineData("", "must be a JSON array")]
    [InlineData("{}", "must be a JSON array")]
    [InlineData("[]", "must be a JSON array")]
    [InlineData("[null]", "must be a JSON array")]
    [InlineData("[{\"c4nary\":1}]", "must be a JSON array")]
    [InlineData("[{\"issuer\":\"https://c4nary\",\"issuer\":\"https://c4nary\"}]", "must be a JSON array")]
    [InlineData("c4nary", "must be a JSON array")]
    public void What_is_no_array_of_entries_stops_the_start(string json, string said)
    {
        var refusal = Assert.Throws<SettingException>(() => Read("[" + json + "]"));
        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(said, Assert.Throws<SettingException>(() => Read(json.Length == 0 ? "null" : json)).Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c4nary", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("issuer", "\"http://login.example\"", "issuer must be")]
    [InlineData("issuer", "\"https://u:c4nary@login.example\"", "issuer must be")]
    [InlineData("issuer", "\"https://login.example?c4nary\"", "issuer must be")]
    [InlineData("issuer", "\"https://login.example\\n\"", "issuer contains a line break")]
    [InlineData("issuer", "\"https://login.example/\\u0000c4nary\"", "issuer contains a line break")]
    [InlineData("audience", "\"a\\r\\nb\"", "audience contains a line break")]
    [InlineData("subject", "\"repo:acme/app:ref:refs/heads/main\\n\"", "subject contains a line break")]
    [InlineData("subject", "\"repo:acme/\\u007f*\"", "subject contains a line break")]
    [InlineData("subject", "\"repo:acme/\\u200b*\"", "subject contains a line break")]
    [InlineData("issuer", "null", "must be a JSON array")]
    [InlineData("audience", "\" \"", "audience must be")]
    [InlineData("audience", "[\"a\"]", "must be a JSON array")]
    [InlineData("subject", "\"\"", "subject must be the trusted subject")]
    [InlineData("subject", "\"*\"", "two complete parts")]
    [InlineData("subject", "\"**\"", "two complete parts")]
    [InlineData("subject", "\"*c4nary\"", "two complete parts")]
    [InlineData("subject", "\"repo:*\"", "two complete parts")]
    [InlineData("subject", "\"repo:acme*\"", "two complete parts")]
    [InlineData("subject", "\"repo:*/app:ref:refs/heads/main\"", "two complete parts")]
    [InlineData("subject", "\"spiffe://*\"", "two complete parts")]
    [InlineData("organization", "\"\"", "organization must be")]
    [InlineData("organization", "\"c4nary team\"", "organization must be")]
    [InlineData("scopes", "[]", "scopes must be")]
    [InlineData("scopes", "[\"read\",\"c4nary\"]", "scopes must be")]
    [InlineData("scopes", "[\"operator\"]", "scopes must be")]
    [InlineData("scopes", "[\"READ\"]", "scopes must be")]
    [InlineData("scopes", "[null]", "scopes must be")]
    [InlineData("scopes", "\"read write\"", "must be a JSON array")]
    [InlineData("scope", "[\"read\"]", "must be a JSON array")]
    public void An_entry_that_cannot_be_used_stops_the_start_in_one_line_that_repeats_nothing(string member, string value, string said)
    {
        var bad = Entry(Repository);
        bad[member] = JsonNode.Parse(value);

        var refusal = Assert.Throws<SettingException>(() => Read(Trust(Entry(Repository), bad).Value));

        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c4nary", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.Contains(said == "must be a JSON array" ? "DATAXPIPE_OIDC_TRUST" : "DATAXPIPE_OIDC_TRUST, entry 2", refusal.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<TokenTrust> Read(string json) =>
        OidcSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["DATAXPIPE_OIDC_TRUST"] = json }).Build());

    private static (string Name, string Value) Trust(params JsonObject[] entries) => ("DATAXPIPE_OIDC_TRUST", JsonSerializer.Serialize(entries));

    private JsonObject Entry(
        string subject, string? issuer = null, string audience = Issuer.Audience, string? organization = null, string[]? scopes = null) => new()
        {
            ["issuer"] = issuer ?? _issuer.Authority,
            ["audience"] = audience,
            ["subject"] = subject,
            ["organization"] = organization ?? _issuer.Organization,
            ["scopes"] = JsonSerializer.SerializeToNode(scopes ?? ["write"]),
        };

    private string Job(string? subject, Action<JsonObject>? change = null, IssuerKey? key = null) => _issuer.Make(
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

    private static async Task<int> Posts(HttpClient client, string token) =>
        (int)(await client.With(token, HttpMethod.Post, json: $$"""{"name":"p{{Guid.NewGuid():N}}"}""")).StatusCode;
}
