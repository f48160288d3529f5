using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Api.Authentication.Oidc;
using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Authentication;

/// <summary>
/// Validation of DATAXPIPE_OIDC_TRUST entries and matching of subject patterns, without a running service.
/// </summary>
[Trait("Category", "Fast")]
public sealed class OidcTrustEntryTests
{
    private const string Repository = "repo:octo-org/octo-repo:ref:refs/heads/main";

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
    [InlineData("repo:acme@12/*", "repo:acme@12/app@34:ref:refs/heads/main", true)]
    [InlineData("repo:acme@12/*", "repo:acme@123/app@34:ref:refs/heads/main", false)]
    [InlineData("repo:acme@12/*", "repo:acme/app:ref:refs/heads/main", false)]
    [InlineData("repo:acme/*", "repo:acme@12/app@34:ref:refs/heads/main", false)]
    [InlineData("repo:acme@12/app@34:ref:refs/heads/main", "repo:acme@12/app@35:ref:refs/heads/main", false)]
    [InlineData("repo:acme@12/app@*:ref:refs/heads/main", "repo:acme@12/app@34:ref:refs/heads/main", true)]
    [InlineData("system:serviceaccount:ci:*", "system:serviceaccount:ci:loader", true)]
    [InlineData("system:serviceaccount:ci:*", "system:serviceaccount:ci-evil:loader", false)]
    public void A_pattern_matches_the_whole_subject_case_sensitively(string pattern, string subject, bool matches) =>
        Assert.Equal(matches, Read(Entry(pattern)).Single().Subject!.IsMatch(subject));

    [Theory]
    [InlineData("", "must be a JSON array")]
    [InlineData("{}", "must be a JSON array")]
    [InlineData("[]", "must be a JSON array")]
    [InlineData("[null]", "must be a JSON array")]
    [InlineData("[{\"c4nary\":1}]", "must be a JSON array")]
    [InlineData("[{\"issuer\":\"https://c4nary\",\"issuer\":\"https://c4nary\"}]", "must be a JSON array")]
    [InlineData("c4nary", "must be a JSON array")]
    public void A_value_other_than_an_array_of_entries_stops_the_start(string json, string expected)
    {
        var refusal = Assert.Throws<SettingException>(() => Read("[" + json + "]"));
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(expected, Assert.Throws<SettingException>(() => Read(json.Length == 0 ? "null" : json)).Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("c4nary", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("issuer", "\"http://login.example\"", "issuer must be")]
    [InlineData("issuer", "\"https://u:c4nary@login.example\"", "issuer must be")]
    [InlineData("issuer", "\"https://login.example?c4nary\"", "issuer must be")]
    [InlineData("issuer", "null", "must be a JSON array")]
    [InlineData("audience", "\" \"", "audience must be")]
    [InlineData("audience", "[\"a\"]", "must be a JSON array")]
    [InlineData("subject", "\"\"", "subject must be the trusted subject")]
    [InlineData("subject", "\"*\"", "two complete parts")]
    [InlineData("subject", "\"**\"", "two complete parts")]
    [InlineData("subject", "\"*c4nary\"", "two complete parts")]
    [InlineData("subject", "\"repo:*\"", "two complete parts")]
    [InlineData("subject", "\"repo:acme*\"", "two complete parts")]
    [InlineData("subject", "\"repo:acme@*\"", "two complete parts")]
    [InlineData("subject", "\"repo:*@12/app@34:*\"", "two complete parts")]
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
    [InlineData("issuer", "\"https://login.example\\n\"", "issuer contains a line break")]
    [InlineData("issuer", "\"https://login.example/\\u0000c4nary\"", "issuer contains a line break")]
    [InlineData("audience", "\"a\\r\\nb\"", "audience contains a line break")]
    [InlineData("subject", "\"repo:acme/app:ref:refs/heads/main\\n\"", "subject contains a line break")]
    [InlineData("subject", "\"repo:acme/\\u007f*\"", "subject contains a line break")]
    [InlineData("subject", "\"repo:acme/\\u200b*\"", "subject contains a line break")]
    public void An_invalid_entry_stops_the_start_with_one_line_without_its_value(string member, string value, string expected)
    {
        var bad = Entry(Repository);
        bad[member] = JsonNode.Parse(value);

        var refusal = Assert.Throws<SettingException>(() => Read(Entry(Repository), bad));

        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c4nary", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.Contains(expected == "must be a JSON array" ? "DATAXPIPE_OIDC_TRUST" : "DATAXPIPE_OIDC_TRUST, entry 2", refusal.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_issuer_of_GitHub_Actions_is_accepted_with_fixed_scopes()
    {
        var entry = Entry(Repository);
        entry["issuer"] = "https://token.actions.githubusercontent.com";

        var trust = Read(entry).Single();

        Assert.Equal(("https://token.actions.githubusercontent.com", "team"), (trust.Issuer, trust.Organization));
        Assert.Equal(["write"], trust.Scopes);
    }

    private static IReadOnlyList<TokenTrust> Read(string json) =>
        OidcSettings.Read(
            new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["DATAXPIPE_OIDC_TRUST"] = json }).Build());

    private static IReadOnlyList<TokenTrust> Read(params JsonObject[] entries) => Read(JsonSerializer.Serialize(entries));

    private static JsonObject Entry(string subject) => new()
    {
        ["issuer"] = "https://login.example",
        ["audience"] = Issuer.Audience,
        ["subject"] = subject,
        ["organization"] = "team",
        ["scopes"] = JsonSerializer.SerializeToNode(new[] { "write" }),
    };
}
