using System.Text.Json;
using Catalog.Api.Http;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Judges what a token says, once its signature is known to be the provider's.</summary>
internal sealed class TokenClaims(OidcSettings settings)
{
    /// <summary>By how much two clocks may differ.</summary>
    public static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);

    // The last second of the year 9999, where dates end here.
    private const double LastSecond = 253402300799;

    // Keys of ours are no longer, and a name in a log must not break its line.
    private const int LongestName = 256;

    // They are in id tokens, which tell a client who has signed in and let nobody in here.
    private static readonly string[] OfIdTokens = ["nonce", "at_hash", "c_hash"];

    public TokenVerdict Judge(ReadOnlyMemory<byte> payload, DateTimeOffset now)
    {
        if (StrictJson.Object(payload) is not { } claims)
        {
            return new(Refusal: "The token's payload is not one JSON object, each member once.");
        }

        if (Array.Exists(OfIdTokens, member => claims.TryGetProperty(member, out _)))
        {
            return new(Refusal: "The token is an id token.");
        }

        if (claims.Text("iss") != settings.Authority)
        {
            return new(Refusal: "The token is of another issuer.");
        }

        if (!claims.TryGetProperty("aud", out var audience) || !IsForUs(audience))
        {
            return new(Refusal: "The token is for another audience.");
        }

        if (RefusalByTime(claims, now) is { } refusal)
        {
            return new(Refusal: refusal);
        }

        return (Name(claims, "sub"), Name(claims, settings.OrganizationClaim), ScopesOf(claims)) switch
        {
            (null, _, _) => new(Refusal: "The token has no subject."),
            (_, null, _) => new(Refusal: "The token has no organization, or several."),
            (_, _, null) => new(Refusal: "The token's scopes are not text."),
            var (subject, organization, scopes) => new(new()
            {
                Subject = subject,
                Organization = organization,
                Scopes = scopes,
                Ends = DateTimeOffset.UnixEpoch.AddSeconds(Seconds(claims, "exp")!.Value) + Leeway,
            }),
        };
    }

    private bool IsForUs(JsonElement audience) => audience.ValueKind == JsonValueKind.Array
        ? audience.EnumerateArray().All(one => one.Text() is not null) && audience.EnumerateArray().Any(one => one.Text() == settings.Audience)
        : audience.Text() == settings.Audience;

    private static string? RefusalByTime(JsonElement claims, DateTimeOffset now)
    {
        var seconds = (now - DateTimeOffset.UnixEpoch).TotalSeconds;
        var leeway = Leeway.TotalSeconds;
        return Seconds(claims, "exp") is not { } end ? "The token has no time at which it ends."
            : seconds >= end + leeway ? "The token has ended."
            : claims.TryGetProperty("nbf", out _) && !(Seconds(claims, "nbf") <= seconds + leeway) ? "The token does not hold yet."
            : claims.TryGetProperty("iat", out _) && !(Seconds(claims, "iat") <= seconds + leeway) ? "The token is of the future."
            : null;
    }

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

    private static string[] Ours(IEnumerable<string> words) => [.. Scopes.All.Intersect(words, StringComparer.Ordinal)];
}
