using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>The claims of a token that JwtBearer has validated, after further checks.</summary>
/// <param name="Organization">The organization whose data the caller may access.</param>
/// <param name="Subject">The caller's id at the provider.</param>
/// <param name="Scopes">The scopes of the token that this service knows. Unknown scopes are left out.</param>
/// <param name="ExpiresAt">The token is rejected from this time on. The time includes <see cref="ClockSkew"/>.</param>
internal sealed record TokenClaims(string Organization, string Subject, IReadOnlyList<string> Scopes, DateTimeOffset ExpiresAt)
{
    /// <summary>The accepted difference between the clocks of the provider and of this service.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    // The last second of the year 9999 in Unix time. It is the maximum of DateTimeOffset.
    private const double LastSecond = 253402300799;

    // The maximum length of ids in this service. Control characters are rejected too, so that a name cannot break a log
    // line.
    private const int MaxNameLength = 256;

    // Claims of id tokens. An id token tells a client who signed in; it does not authorize requests.
    private static readonly string[] IdTokenClaims = ["nonce", "at_hash", "c_hash"];

    /// <summary>Checks the claims and matches them with a trust rule.</summary>
    /// <exception cref="SecurityTokenValidationException">The token is rejected.</exception>
    public static TokenClaims Read(JsonElement claims, IReadOnlyList<TokenTrust> trusts, DateTimeOffset now)
    {
        if (Array.Exists(IdTokenClaims, member => claims.TryGetProperty(member, out _)))
        {
            throw new SecurityTokenValidationException("The token is an id token. Send an access token.");
        }

        // JwtBearer accepts times that are text, and does not check iat.
        var end = Seconds(claims, "exp") ?? throw new SecurityTokenValidationException("The token has no expiry time.");
        if ((claims.TryGetProperty("nbf", out _) && Seconds(claims, "nbf") is null)
            || (claims.TryGetProperty("iat", out _)
                && !(Seconds(claims, "iat") <= (now + ClockSkew - DateTimeOffset.UnixEpoch).TotalSeconds)))
        {
            throw new SecurityTokenValidationException("The token was issued in the future (iat), or its iat or nbf is not a time.");
        }

        var subject = Name(claims, "sub")
            ?? throw new SecurityTokenValidationException("The token has no subject (sub) of 1 to 256 visible characters.");
        var trust = trusts.FirstOrDefault(trust => IsFor(claims, trust.Audience) && (trust.Subject?.IsMatch(subject) ?? true))
            ?? throw new SecurityTokenValidationException("DATAXPIPE_OIDC_TRUST has no entry for the token's subject and audience.");
        return new(
            trust.Organization ?? OrganizationOf(claims, trust.OrganizationClaim),
            subject,
            trust.Scopes ?? ScopesOf(claims) ?? throw new SecurityTokenValidationException("The token's scopes are not text."),
            DateTimeOffset.UnixEpoch.AddSeconds(end) + ClockSkew);
    }

    private static bool IsFor(JsonElement claims, string audience) => claims.TryGetProperty("aud", out var named)
        && (named.ValueKind == JsonValueKind.Array
            ? named.EnumerateArray().Any(item => item.Text() == audience) : named.Text() == audience);

    // Users of some providers can choose their organization name. They must not be able to choose 'default', which
    // belongs to the operator.
    private static string OrganizationOf(JsonElement claims, string member) => Name(claims, member) switch
    {
        null => throw new SecurityTokenValidationException($"The token has no organization in the claim {member}, or more than one."),
        Data.Organizations.Organization.Default => throw new SecurityTokenValidationException(
            "The token names the organization 'default', which only DATAXPIPE_OIDC_ORGANIZATION or DATAXPIPE_OIDC_TRUST can assign."),
        var name => name,
    };

    private static double? Seconds(JsonElement claims, string member) =>
        claims.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds)
        && seconds is >= 0 and <= LastSecond - 60 ? seconds : null;

    private static string? Name(JsonElement claims, string member) =>
        claims.Text(member) is { Length: <= MaxNameLength } name && !string.IsNullOrWhiteSpace(name) && !name.Any(char.IsControl)
            ? name : null;

    /// <returns>
    /// The known scopes in <c>scope</c>, or in <c>scp</c> when <c>scope</c> is absent; null when they are not text.
    /// </returns>
    private static string[]? ScopesOf(JsonElement claims)
    {
        if (claims.TryGetProperty("scope", out var scope))
        {
            return scope.ValueKind == JsonValueKind.String ? KnownScopes(scope.Text()?.Split(' ') ?? []) : null;
        }

        return !claims.TryGetProperty("scp", out var scp) ? []
            : scp.ValueKind == JsonValueKind.String ? KnownScopes(scp.Text()?.Split(' ') ?? [])
            : scp.ValueKind == JsonValueKind.Array && scp.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
                ? KnownScopes(scp.EnumerateArray().Select(item => item.Text() ?? ""))
                : null;
    }

    private static string[] KnownScopes(IEnumerable<string> words) => [.. Api.Http.Scopes.All.Intersect(words, StringComparer.Ordinal)];
}
