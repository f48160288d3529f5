using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Api.Http;
using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>
/// Reads <c>DATAXPIPE_OIDC_TRUST</c>: whose tokens are taken although they hold neither an organization nor scopes, as those of CI jobs.
/// </summary>
internal static class OidcTrustSetting
{
    private const string Name = "DATAXPIPE_OIDC_TRUST";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <exception cref="SettingException">It cannot be used. The message names the entry by its number and repeats nothing of it.</exception>
    public static IReadOnlyList<TokenTrust> Read(string json)
    {
        try
        {
            if (JsonSerializer.Deserialize<Entry[]>(json, Options) is { Length: > 0 } entries && entries.All(entry => entry is not null))
            {
                return [.. entries.Select((entry, index) => Trust(entry, $"{Name}, entry {index + 1}: "))];
            }
        }
        catch (JsonException)
        {
            // Said below: its own message may repeat what stands there.
        }

        throw new SettingException(
            $"{Name} must be a JSON array of objects, each with exactly issuer, audience, subject, organization (text) and scopes "
            + "(an array of text), each once. Leave it out where no further issuer is trusted.");
    }

    private static TokenTrust Trust(Entry entry, string where)
    {
        foreach (var (member, text) in new[] { ("issuer", entry.Issuer), ("audience", entry.Audience), ("subject", entry.Subject) })
        {
            if (text?.Any(IsUnseen) is true)
            {
                throw new SettingException(
                    $"{where}{member} holds a line break or another character that is not seen; write it without, as tokens hold it.");
            }
        }

        if (!OidcSettings.IsIssuer(entry.Issuer))
        {
            throw new SettingException(
                $"{where}issuer must be the issuer to the letter, such as https://token.actions.githubusercontent.com: https "
                + "(http for loopback only), without a user, a query or a fragment.");
        }

        if (string.IsNullOrWhiteSpace(entry.Audience))
        {
            throw new SettingException(
                $"{where}audience must be what these tokens name as their audience, best this service's own address. Without it "
                + "a token made for any other service would be taken.");
        }

        if (string.IsNullOrWhiteSpace(entry.Subject))
        {
            throw new SettingException(
                $"{where}subject must say which subjects are trusted, such as repo:acme/warehouse:ref:refs/heads/main or repo:acme/*.");
        }

        if (!NamesItsOwner(entry.Subject))
        {
            throw new SettingException(
                $"{where}subject must have two whole parts, each ended by : or /, before its first *, such as "
                + "repo:acme/*. Strangers too get tokens of a shared issuer, and repo:acme* would take those of repo:acme-evil.");
        }

        if (!Organization.IsId(entry.Organization))
        {
            throw new SettingException($"{where}organization must be the id of a registered organization, or default.");
        }

        return entry.Scopes.Length > 0 && entry.Scopes.All(Scopes.All.Contains)
            ? new()
            {
                Issuer = entry.Issuer,
                Audience = entry.Audience,
                Subject = Pattern(entry.Subject),
                Organization = entry.Organization,
                Scopes = entry.Scopes,
            }
            : throw new SettingException($"{where}scopes must be one or more of {string.Join(", ", Scopes.All)}.");
    }

    // Such an entry is never met, or hides in a list what it takes.
    private static bool IsUnseen(char character) => char.GetUnicodeCategory(character)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static bool NamesItsOwner(string subject) =>
        subject.IndexOf('*', StringComparison.Ordinal) is var first
        && (first < 0 || subject[..first].Split(':', '/')[..^1].Count(part => part.Trim() != "") >= 2);

    // Colons separate what issuers put together, so a * within stays in its part: what stands behind it is then no other part's text.
    private static Regex Pattern(string subject)
    {
        var within = Regex.Escape(subject.TrimEnd('*')).Replace(@"\*", "[^:]*", StringComparison.Ordinal);
        return new($@"\A{within}{(subject.EndsWith('*') ? ".*" : "")}\z", RegexOptions.NonBacktracking | RegexOptions.Singleline);
    }

    private sealed record Entry
    {
        public required string Issuer { get; init; }

        public required string Audience { get; init; }

        public required string Subject { get; init; }

        public required string Organization { get; init; }

        public required string[] Scopes { get; init; }
    }
}
