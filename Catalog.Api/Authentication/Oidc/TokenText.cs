using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>A token as it was sent, of which nothing is believed yet.</summary>
/// <param name="Header">Its first part.</param>
/// <param name="Payload">Its second part.</param>
internal sealed record TokenText(JsonElement Header, JsonElement Payload)
{
    private const int Longest = 8 * 1024;

    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>
    /// Reads a token in one way only, and refuses what JwtBearer would take: padding, a member twice, an extension that it does not know.
    /// </summary>
    /// <exception cref="SecurityTokenValidationException">Why it is refused.</exception>
    public static TokenText Read(string token)
    {
        if (token.Length > Longest || token.AsSpan().ContainsAnyExcept(Allowed) || token.Split('.') is not [var header, var payload, _])
        {
            throw new SecurityTokenValidationException("The token is too long, or not three parts in base64url.");
        }

        var text = new TokenText(Part(header, "header"), Part(payload, "payload"));
        var refusal = text.Header.TryGetProperty("crit", out _) ? "The token's header demands an extension (crit)."
            : text.Header.TryGetProperty("kid", out var kid) && kid.Text() is null ? "The token's kid is not text."
            // ValidTypes would not take it absent or in capitals, and providers write both.
            : text.Header.TryGetProperty("typ", out var typ) && typ.Text()?.ToLowerInvariant() is not ("jwt" or "at+jwt" or "application/at+jwt")
                ? "The token is not an access token by its typ."
            : null;
        return refusal is null ? text : throw new SecurityTokenValidationException(refusal);
    }

    private static JsonElement Part(string part, string name)
    {
        var bytes = new byte[Base64Url.GetMaxDecodedLength(part.Length)];
        return Base64Url.DecodeFromChars(part, bytes, out _, out var length) == OperationStatus.Done
            && StrictJson.Object(bytes.AsMemory(0, length)) is { } json
            ? json
            : throw new SecurityTokenValidationException($"The token's {name} is not one JSON object, each member once.");
    }
}
