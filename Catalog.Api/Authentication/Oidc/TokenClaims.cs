using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Whom a token speaks for that JwtBearer has found good, and by what.</summary>
/// <param name="Organization">Whose data they may see.</param>
/// <param name="Subject">What the provider calls them.</param>
/// <param name="Scopes">Words of ours only.</param>
/// <param name="Ends">From here on the token is refused.</param>
internal sealed record TokenClaims(string Organization, string Subject, IReadOnlyList<string> Scopes, DateTimeOffset Ends)
{
    /// <summary>By how much two clocks may differ.</summary>
    public static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);

    // The last second of the year 9999, where dates end here.
    private const double LastSecond = 253402300799;

    // Keys of ours are no longer, and a name in a log must not break its line.
    private const int LongestName = 256;

    // They are in id tokens, which tell a client who has signed in and let nobody in here.
    private static readonly string[] OfIdTokens = ["nonce", "at_hash", "c_hash"];

    /// <exception cref="SecurityTokenValidationException">Why the token is refused.</exception>
    public static TokenClaims Read(JsonElement claims, IReadOnlyList<TokenTrust> trusts, DateTimeOffset now)
    {
        if (Array.Exists(OfIdTokens, member => claims.TryGetProperty(member, out _)))
        {
            throw new SecurityTokenValidationException("The token is an id token.");
        }

        // JwtBearer takes times that are text, and looks at no iat.
        var end = Seconds(claims, "exp") ?? throw new SecurityTokenValidationException("The token has no time at which it ends.");
        if ((claims.TryGetProperty("nbf", out _) && Seconds(claims, "nbf") is null)
            || (claims.TryGetProperty("iat", out _) && !(Seconds(claims, "iat") <= (now + Leeway - DateTimeOffset.UnixEpoch).TotalSeconds)))
        {
            throw new SecurityTokenValidationException("The token does not hold yet, or is of the future.");
        }

        var subject = Name(claims, "sub") ?? throw new SecurityTokenValidationException("The token has no subject.");
        var trust = trusts.FirstOrDefault(trust => IsFor(claims, trust.Audience) && (trust.Subject?.IsMatch(subject) ?? true))
            ?? throw new SecurityTokenValidationException("The token's subject is none that DATAXPIPE_OIDC_TRUST names for its audience.");
        return new(
            trust.Organization ?? Claimed(claims, trust.OrganizationClaim),
            subject,
            trust.Scopes ?? ScopesOf(claims) ?? throw new SecurityTokenValidationException("The token's scopes are not text."),
            DateTimeOffset.UnixEpoch.AddSeconds(end) + Leeway);
    }

    private static bool IsFor(JsonElement claims, string audience) => claims.TryGetProperty("aud", out var named)
        && (named.ValueKind == JsonValueKind.Array ? named.EnumerateArray().Any(one => one.Text() == audience) : named.Text() == audience);

    // Nobody registers 'default', so a provider that lets its users choose a name must not be able to give it away.
    private static string Claimed(JsonElement claims, string member) => Name(claims, member) switch
    {
        null => throw new SecurityTokenValidationException("The token has no organization, or several."),
        Data.Organizations.Organization.Default => throw new SecurityTokenValidationException(
            "The token names the organization 'default', which only DATAXPIPE_OIDC_ORGANIZATION or DATAXPIPE_OIDC_TRUST can give."),
        var name => name,
    };

    private static double? Seconds(JsonElement claims, string member) =>
        claims.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds)
        && seconds is >= 0 and <= LastSecond - 60 ? seconds : null;

    private static string? Name(JsonElement claims, string member) =>
        claims.Text(member) is { Length: <= LongestName } name && !string.IsNullOrWhiteSpace(name) && !name.Any(char.IsControl) ? name : null;

    /// <returns>The words of ours in <c>scope</c>, or where that is absent in <c>scp</c>; null when they cannot be read.</returns>
    private static string[]? ScopesOf(JsonElement claims)
    {
        if (claims.TryGetProperty("scope", out var scope))
        {
            return scope.ValueKind == JsonValueKind.String ? Ours(scope.Text()?.Split(' ') ?? []) : null;
        }

        return !claims.TryGetProperty("scp", out var scp) ? []
            : scp.ValueKind == JsonValueKind.String ? Ours(scp.Text()?.Split(' ') ?? [])
            : scp.ValueKind == JsonValueKind.Array && scp.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String)
                ? Ours(scp.EnumerateArray().Select(one => one.Text() ?? ""))
                : null;
    }

    private static string[] Ours(IEnumerable<string> words) => [.. Api.Http.Scopes.All.Intersect(words, StringComparer.Ordinal)];
}
