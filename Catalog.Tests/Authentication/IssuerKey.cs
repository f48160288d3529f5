using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Catalog.Tests.Authentication;

/// <summary>A key pair of a provider or of an attacker.</summary>
public sealed record IssuerKey(string? Id, AsymmetricAlgorithm Pair) : IDisposable
{
    private const int RsaBits = 2048;

    // It takes half a second of CPU time to create a pair, so a disposed pair is used again. Keys that are used at the
    // same time have different pairs.
    private static readonly ConcurrentBag<RSA> Spare = [];
    private int _disposals;

    public static IssuerKey Rsa(string? id, int bits = RsaBits) =>
        new(id, bits == RsaBits && Spare.TryTake(out var spare) ? spare : RSA.Create(bits));

    public static IssuerKey Elliptic(string? id, ECCurve? curve = null) => new(id, ECDsa.Create(curve ?? ECCurve.NamedCurves.nistP256));

    /// <summary>The public key as a JWK.</summary>
    public JsonObject Jwk(params (string Name, JsonNode? Value)[] more)
    {
        var jwk = new JsonObject();
        if (Id is not null)
        {
            jwk["kid"] = Id;
        }

        switch (Pair)
        {
            case RSA rsa:
                var numbers = rsa.ExportParameters(false);
                (jwk["kty"], jwk["n"], jwk["e"]) = ("RSA", Token.Encode(numbers.Modulus!), Token.Encode(numbers.Exponent!));
                break;
            case ECDsa elliptic:
                var point = elliptic.ExportParameters(false);
                (jwk["kty"], jwk["crv"], jwk["x"], jwk["y"]) = (
                    "EC", $"P-{elliptic.KeySize}", Token.Encode(point.Q.X!), Token.Encode(point.Q.Y!));
                break;
        }

        foreach (var (name, value) in more)
        {
            jwk[name] = value?.DeepClone();
        }

        return jwk;
    }

    public byte[] Sign(byte[] signed, string algorithm) => Pair switch
    {
        RSA rsa => rsa.SignData(signed, HashAlgorithmName.SHA256, algorithm == "PS256"
            ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1),
        ECDsa elliptic => elliptic.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
        _ => throw new InvalidOperationException("No such key."),
    };

    public void Dispose()
    {
        if (Interlocked.Increment(ref _disposals) > 1)
        {
            return;
        }

        if (Pair is RSA { KeySize: RsaBits } rsa)
        {
            Spare.Add(rsa);
        }
        else
        {
            Pair.Dispose();
        }
    }
}

/// <summary>Builds tokens, including invalid tokens that no library creates.</summary>
public static class Token
{
    public static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);

    public static string Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    /// <summary>Signs the header and payload texts exactly as given.</summary>
    public static string Sign(IssuerKey key, string algorithm, string header, string payload) =>
        Close($"{Encode(header)}.{Encode(payload)}", signed => key.Sign(signed, algorithm));

    public static string Close(string signed, Func<byte[], byte[]> sign) => $"{signed}.{Encode(sign(Encoding.ASCII.GetBytes(signed)))}";

    /// <summary>Replaces one part of a token: 0 header, 1 payload, 2 signature.</summary>
    public static string With(string token, int part, Func<string, string> change)
    {
        var parts = token.Split('.');
        parts[part] = change(parts[part]);
        return string.Join('.', parts);
    }
}
