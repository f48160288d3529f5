using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Which of a provider's keys may verify signatures, and which of them verifies a token's.</summary>
internal static class VerifyingKeys
{
    public static readonly string[] Algorithms = [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.EcdsaSha256];

    /// <returns>The key, or null when signatures must not be judged with it. The library would take weak ones, and ones made for something else.</returns>
    public static JsonWebKey? Read(JsonElement json)
    {
        try
        {
            var key = JsonWebKey.Create(json.GetRawText());
            // The library would take the key of a certificate in place of the numbers that are judged here.
            key.X5c.Clear();
            return key.D is null
                && key.Use is null or "sig"
                && (key.KeyOps.Count == 0 || key.KeyOps.Contains("verify"))
                && (key.Alg is null || Algorithms.Contains(key.Alg))
                // Below 2,048 bits a key can be broken; above 8,192 bits each token costs more than it should.
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

    /// <summary>A token that names no key is judged by the only one that fits: trying several would let a sender multiply the work.</summary>
    public static IEnumerable<SecurityKey> Find(IEnumerable<SecurityKey> keys, string? id, string algorithm)
    {
        var fitting = keys.OfType<JsonWebKey>().Where(key => Fits(key, algorithm) && (string.IsNullOrEmpty(id) || key.KeyId == id)).Take(2).ToArray();
        return fitting.Length == 1 || !string.IsNullOrEmpty(id) ? fitting.Take(1) : [];
    }

    private static bool Fits(JsonWebKey key, string algorithm) =>
        key.Kty == (algorithm is SecurityAlgorithms.EcdsaSha256 ? "EC" : "RSA") && Algorithms.Contains(algorithm) && (key.Alg is null || key.Alg == algorithm);
}
