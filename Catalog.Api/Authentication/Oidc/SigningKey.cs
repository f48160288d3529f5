using System.Security.Cryptography;
using System.Text.Json;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>One public key of the provider (RFC 7517), and what it may verify.</summary>
internal sealed class SigningKey
{
    private readonly AsymmetricAlgorithm _key;
    private readonly string? _algorithm;

    // Their instances promise nothing about threads.
    private readonly Lock _turn = new();

    private SigningKey(string? id, string? algorithm, AsymmetricAlgorithm key) => (Id, _algorithm, _key) = (id, algorithm, key);

    public string? Id { get; }

    /// <returns>The key, or null when signatures must not be judged with it.</returns>
    public static SigningKey? Read(JsonElement json)
    {
        // A key for something else, one whose private half is public, and algorithms that are none of ours.
        if (json.ValueKind != JsonValueKind.Object || json.TryGetProperty("d", out _)
            || (json.TryGetProperty("use", out var use) && use.Text() != "sig")
            || (json.TryGetProperty("key_ops", out var uses) && !(uses.ValueKind == JsonValueKind.Array && uses.EnumerateArray().Any(one => one.Text() == "verify")))
            || (json.TryGetProperty("alg", out var algorithm) && algorithm.Text() is not ("RS256" or "PS256" or "ES256")))
        {
            return null;
        }

        try
        {
            AsymmetricAlgorithm? key = json.Text("kty") switch
            {
                "RSA" => Rsa(json),
                "EC" => Elliptic(json),
                _ => null,
            };
            return key is null ? null : new(json.Text("kid"), json.Text("alg"), key);
        }
        // No such key, or a point that lies on no curve.
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Whether the key is made for an algorithm: by its type, and by its own word where it has one.</summary>
    public bool Fits(string algorithm) =>
        (_algorithm is null || _algorithm == algorithm)
        && (algorithm switch { "RS256" or "PS256" => _key is RSA, "ES256" => _key is ECDsa, _ => false });

    public bool Verifies(string algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        lock (_turn)
        {
            return (_key, algorithm) switch
            {
                (RSA rsa, "RS256") => rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                (RSA rsa, "PS256") => rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
                // Zero for r or s has fooled verifiers before (CVE-2022-21449), so it is not left to one.
                (ECDsa elliptic, "ES256") => signature.Length == 64
                    && signature[..32].ContainsAnyExcept((byte)0) && signature[32..].ContainsAnyExcept((byte)0)
                    && elliptic.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
                _ => false,
            };
        }
    }

    // Below 2,048 bits a key can be broken; above 8,192 bits, or with a long exponent, each token costs more than it should.
    private static RSA? Rsa(JsonElement json) =>
        Number(json, "n") is { Length: >= 256 and <= 1024 } modulus && (modulus.Length > 256 || modulus[0] >= 0x80)
        && Number(json, "e") is { Length: >= 1 and <= 4 } exponent && (exponent[^1] & 1) == 1 && exponent is not [1]
            ? RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent })
            : null;

    private static ECDsa? Elliptic(JsonElement json) =>
        json.Text("crv") == "P-256" && Bytes(json, "x") is { Length: 32 } x && Bytes(json, "y") is { Length: 32 } y
            ? ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new() { X = x, Y = y } })
            : null;

    private static byte[]? Bytes(JsonElement json, string member) => json.Text(member) is { } text ? StrictJson.Base64(text) : null;

    // Some write the zero byte that a signed number would need.
    private static byte[]? Number(JsonElement json, string member) => Bytes(json, member)?.SkipWhile(one => one == 0).ToArray();
}
