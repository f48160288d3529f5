using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Api.Http;
using Catalog.Data.Organizations;
using Catalog.Data.Settings;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>
/// Reads <c>DATAXPIPE_OIDC_TRUST</c>: trust rules for tokens that contain neither an organization nor scopes, such as
/// the tokens of CI jobs.
/// </summary>
internal static class OidcTrustSetting
{
    private const string Name = "DATAXPIPE_OIDC_TRUST";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <exception cref="SettingException">
    /// The setting is not valid. The message gives the number of the entry and repeats no value.
    /// </exception>
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
            // The error below does not contain the exception's message, because that message can contain a value of the
            // setting.
        }

        throw new SettingException(
            $"{Name} must be a JSON array of objects. Each object must have exactly these members: issuer, audience, subject, "
            + "organization (text) and scopes (array of text). Leave the setting out if no further issuer is trusted.");
    }

    private static TokenTrust Trust(Entry entry, string where)
    {
        foreach (var (member, text) in new[] { ("issuer", entry.Issuer), ("audience", entry.Audience), ("subject", entry.Subject) })
        {
            if (text?.Any(IsInvisible) is true)
            {
                throw new SettingException(
                    $"{where}{member} contains a line break or another invisible character; remove it.");
            }
        }

        if (!OidcSettings.IsIssuer(entry.Issuer))
        {
            throw new SettingException(
                $"{where}issuer must be exactly the issuer in the tokens, such as https://token.actions.githubusercontent.com: https "
                + "(http for loopback only), without a user, a query or a fragment.");
        }

        if (string.IsNullOrWhiteSpace(entry.Audience))
        {
            throw new SettingException(
                $"{where}audience must be the audience of these tokens, preferably the address of this service. Without it, "
                + "tokens for any other service would be accepted.");
        }

        if (string.IsNullOrWhiteSpace(entry.Subject))
        {
            throw new SettingException(
                $"{where}subject must be the trusted subject or a pattern, such as repo:acme/warehouse:ref:refs/heads/main or "
                    + "repo:acme/*.");
        }

        if (!HasFixedOwner(entry.Subject))
        {
            throw new SettingException(
                $"{where}subject must have two complete parts, each ended by : or /, before its first *, such as "
                + "repo:acme/*. Anyone can get tokens from a shared issuer, and repo:acme* would accept those of repo:acme-evil.");
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

    // An invisible character is a mistake: the entry then matches no token, or the operator cannot see which tokens it
    // matches.
    private static bool IsInvisible(char character) => char.GetUnicodeCategory(character)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static bool HasFixedOwner(string subject) =>
        subject.IndexOf('*', StringComparison.Ordinal) is var first
        && (first < 0 || subject[..first].Split(':', '/')[..^1].Count(part => part.Trim() != "") >= 2);

    // Issuers join the parts of a subject with colons. A * in the middle matches no colon, so it stays within one part.
    // A * at the end matches any text.
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
