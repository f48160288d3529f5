using System.Text;
using System.Text.Json;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Judges access tokens (RFC 9068 and RFC 8725): three algorithms, the provider's own keys, and claims that must all be there.</summary>
internal sealed class AccessTokens(OidcSettings settings, SigningKeys keys, TimeProvider time)
{
    /// <summary>Characters of a token.</summary>
    public const int Longest = 8 * 1024;

    private readonly TokenClaims _claims = new(settings);

    public async ValueTask<TokenVerdict> Validate(string token, CancellationToken ct)
    {
        if (token.Length > Longest)
        {
            return new(Refusal: "The token is too long.");
        }

        if (token.Split('.') is not [var headerPart, var payloadPart, var signaturePart]
            || StrictJson.Base64(headerPart) is not { } header || StrictJson.Base64(payloadPart) is not { } payload
            || StrictJson.Base64(signaturePart) is not { } signature)
        {
            return new(Refusal: "The token is not three parts in base64url.");
        }

        if (StrictJson.Object(header) is not { } head)
        {
            return new(Refusal: "The token's header is not one JSON object, each member once.");
        }

        if (RefusalOf(head) is { } refusal)
        {
            return new(Refusal: refusal);
        }

        if (await keys.Current(ct) is not { } known)
        {
            return new(ProviderAway: true);
        }

        var (algorithm, id) = (head.Text("alg")!, head.Text("kid"));
        if (id is not null && !known.Knows(id))
        {
            known = await keys.Newest(known, ct);
        }

        if (known.Find(id, algorithm) is not { } key)
        {
            return new(Refusal: "The token is signed with no key of the provider that is made for its algorithm.");
        }

        return key.Verifies(algorithm, Encoding.ASCII.GetBytes(token, 0, headerPart.Length + 1 + payloadPart.Length), signature)
            ? _claims.Judge(payload, time.GetUtcNow())
            : new(Refusal: "The token's signature does not fit.");
    }

    // Where a header names keys of its own (jku, jwk, x5u, x5c) it is not listened to: only the provider's keys count.
    private static string? RefusalOf(JsonElement header) =>
        header.Text("alg") is not ("RS256" or "PS256" or "ES256") ? "The token's algorithm is not RS256, PS256 or ES256."
        : header.TryGetProperty("crit", out _) ? "The token's header demands an extension (crit)."
        : header.TryGetProperty("kid", out var kid) && kid.Text() is null ? "The token's kid is not text."
        : header.TryGetProperty("typ", out var typ) && typ.Text()?.ToLowerInvariant() is not ("jwt" or "at+jwt" or "application/at+jwt") ? "The token is not an access token by its typ."
        : null;
}
