using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>A token as it was sent, before its signature is verified. Its content must not be trusted.</summary>
/// <param name="Header">The first part of the token.</param>
/// <param name="Payload">The second part of the token.</param>
internal sealed record TokenText(JsonElement Header, JsonElement Payload)
{
    private const int MaxLength = 8 * 1024;

    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>
    /// Parses a token strictly. It rejects tokens with padding, duplicate members or critical extensions, which
    /// JwtBearer would accept.
    /// </summary>
    /// <exception cref="SecurityTokenValidationException">The token is rejected.</exception>
    public static TokenText Read(string token)
    {
        if (token.Length > MaxLength || token.AsSpan().ContainsAnyExcept(Allowed) || token.Split('.') is not [var header, var payload, _])
        {
            throw new SecurityTokenValidationException("The token is longer than 8 KiB, or not three parts in base64url.");
        }

        var text = new TokenText(Part(header, "header"), Part(payload, "payload"));
        var error = text.Header.TryGetProperty("crit", out _)
            ? "The token's header requires an extension (crit), which this service does not support."
            : text.Header.TryGetProperty("kid", out var kid) && kid.Text() is null
            ? "The token's header has a kid that is empty or not a string."
            // Some providers omit typ or write it in capitals. The library's ValidTypes would reject these tokens.
            : text.Header.TryGetProperty("typ", out var typ)
                && typ.Text()?.ToLowerInvariant() is not ("jwt" or "at+jwt" or "application/at+jwt")
                ? "The token's typ is not the type of an access token: JWT or at+jwt."
            : null;
        return error is null ? text : throw new SecurityTokenValidationException(error);
    }

    private static JsonElement Part(string part, string name)
    {
        var bytes = new byte[Base64Url.GetMaxDecodedLength(part.Length)];
        return Base64Url.DecodeFromChars(part, bytes, out _, out var length) == OperationStatus.Done
            && StrictJson.Object(bytes.AsMemory(0, length)) is { } json
            ? json
            : throw new SecurityTokenValidationException($"The token's {name} is not a JSON object, or contains a duplicate member.");
    }
}
