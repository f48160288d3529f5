using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Selects the keys of a provider that may verify signatures, and the key for one token.</summary>
internal static class SigningKeySelection
{
    public static readonly string[] Algorithms = [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSsaPssSha256,
        SecurityAlgorithms.EcdsaSha256];

    /// <summary>
    /// Reads a key of a key set. The library would also accept weak keys and keys for other purposes.
    /// </summary>
    /// <returns>The key; null when it must not verify signatures.</returns>
    public static JsonWebKey? Read(JsonElement json)
    {
        try
        {
            var key = JsonWebKey.Create(json.GetRawText());
            // The library would prefer the key in the certificate to the parameters that are checked here.
            key.X5c.Clear();
            return key.D is null
                && key.Use is null or "sig"
                && (key.KeyOps.Count == 0 || key.KeyOps.Contains("verify"))
                && (key.Alg is null || Algorithms.Contains(key.Alg))
                // A key below 2,048 bits is too weak; a key above 8,192 bits makes each verification too expensive.
                && (key.Kty switch { "RSA" => key.KeySize is >= 2048 and <= 8192, "EC" => key.Crv == "P-256", _ => false })
                && JsonWebKeyConverter.TryConvertToSecurityKey(key, out _)
                ? key
                : null;
        }
        catch (Exception refusal) when (refusal is ArgumentException or FormatException or JsonException)
        {
            return null;
        }
    }

    /// <summary>
    /// The key that may verify a token; empty when there is none. If the token has no key id, exactly one key must
    /// match. Trying several keys would let a sender multiply the work.
    /// </summary>
    public static IEnumerable<SecurityKey> Find(IEnumerable<SecurityKey> keys, string? id, string algorithm)
    {
        var fitting = keys.OfType<JsonWebKey>().Where(key => Fits(key, algorithm) && (string.IsNullOrEmpty(id) || key.KeyId == id)).Take(2)
            .ToArray();
        return fitting.Length == 1 || !string.IsNullOrEmpty(id) ? fitting.Take(1) : [];
    }

    private static bool Fits(JsonWebKey key, string algorithm) =>
        key.Kty == (algorithm is SecurityAlgorithms.EcdsaSha256 ? "EC" : "RSA") && Algorithms.Contains(algorithm)
            && (key.Alg is null || key.Alg == algorithm);
}
