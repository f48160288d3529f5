using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Judges access tokens (RFC 9068 and RFC 8725): three algorithms, the provider's own keys, and claims that must all be there.</summary>
internal sealed class AccessTokens(OidcSettings settings, SigningKeys keys, TimeProvider time)
{
    /// <summary>Characters of a token.</summary>
    public const int Longest = 8 * 1024;

    private const int MostRemembered = 10_000;

    private readonly TokenClaims _claims = new(settings);

    // Clients send one token many times, and judging it costs as much as many a request. By hash, so that no token lies in memory;
    // good ones only, so that nobody can fill it with others; and only as long as the very keys hold that it was judged with.
    private readonly ConcurrentDictionary<string, (TokenCaller Caller, KeySet Keys)> _remembered = new();

    public async ValueTask<TokenVerdict> Validate(string token, CancellationToken ct)
    {
        if (token.Length > Longest)
        {
            return new(Refusal: "The token is too long.");
        }

        return _remembered.TryGetValue(Hash(token), out var known) && time.GetUtcNow() < known.Caller.Ends && await keys.Current(ct) == known.Keys
            ? new(known.Caller)
            : await Judge(token, ct);
    }

    private async ValueTask<TokenVerdict> Judge(string token, CancellationToken ct)
    {
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

        if (!key.Verifies(algorithm, Encoding.ASCII.GetBytes(token, 0, headerPart.Length + 1 + payloadPart.Length), signature))
        {
            return new(Refusal: "The token's signature does not fit.");
        }

        var verdict = _claims.Judge(payload, time.GetUtcNow());
        if (verdict.Caller is { } caller)
        {
            Remember(token, caller, known);
        }

        return verdict;
    }

    private void Remember(string token, TokenCaller caller, KeySet judgedWith)
    {
        if (_remembered.Count >= MostRemembered)
        {
            _remembered.Clear();
        }

        _remembered[Hash(token)] = (caller, judgedWith);
    }

    private static string Hash(string token) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    // Where a header names keys of its own (jku, jwk, x5u, x5c) it is not listened to: only the provider's keys count.
    private static string? RefusalOf(JsonElement header) =>
        header.Text("alg") is not ("RS256" or "PS256" or "ES256") ? "The token's algorithm is not RS256, PS256 or ES256."
        : header.TryGetProperty("crit", out _) ? "The token's header demands an extension (crit)."
        : header.TryGetProperty("kid", out var kid) && kid.Text() is null ? "The token's kid is not text."
        : header.TryGetProperty("typ", out var typ) && typ.Text()?.ToLowerInvariant() is not ("jwt" or "at+jwt" or "application/at+jwt") ? "The token is not an access token by its typ."
        : null;
}
