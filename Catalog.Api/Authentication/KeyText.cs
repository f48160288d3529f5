using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Catalog.Api.Authentication;

/// <summary>
/// A key as its holder has it: <c>dxp_</c>, 12 characters that may be logged, 30 that are secret (178 bits) and 6 that tell a mistyped or
/// invented key from a real one without a look-up; letters and digits throughout, so that one expression finds it in a text:
/// <c>dxp_[0-9A-Za-z]{48}</c>. After GitHub's tokens (github.blog, "Behind GitHub's new authentication token formats").
/// </summary>
internal readonly record struct KeyText(string Id, string Secret)
{
    public const string Prefix = "dxp_";
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static readonly SearchValues<char> Allowed = SearchValues.Create(Alphabet);
    private const int IdLength = 12;
    private const int SecretLength = 30;
    private const int SumLength = 6;

    /// <summary>A key that nobody has had.</summary>
    public static KeyText New() => new(RandomNumberGenerator.GetString(Alphabet, IdLength), RandomNumberGenerator.GetString(Alphabet, SecretLength));

    /// <summary>A new key whose id follows from a text, so that a request that is sent again asks for the same one.</summary>
    public static KeyText For(string text) => New() with { Id = Encode(SHA256.HashData(Encoding.UTF8.GetBytes(text)), IdLength) };

    public static bool TryParse(string text, out KeyText key)
    {
        key = default;
        if (text.Length != Prefix.Length + IdLength + SecretLength + SumLength || !text.StartsWith(Prefix, StringComparison.Ordinal) || text.AsSpan(Prefix.Length).ContainsAnyExcept(Allowed))
        {
            return false;
        }

        key = new(text.Substring(Prefix.Length, IdLength), text.Substring(Prefix.Length + IdLength, SecretLength));
        return key.ToText() == text;
    }

    /// <summary>The whole key. Shown once, to whom it is made for.</summary>
    public string ToText() => $"{Prefix}{Id}{Secret}{Encode(SHA256.HashData(Encoding.ASCII.GetBytes(Id + Secret)), SumLength)}";

    /// <summary>What is stored of the secret. A fast hash will do for 178 random bits.</summary>
    public byte[] SecretHash() => SHA256.HashData(Encoding.ASCII.GetBytes(Secret));

    /// <summary>Never the secret, wherever a key may be printed by mistake.</summary>
    public override string ToString() => $"{Prefix}{Id}…";

    private static string Encode(byte[] hash, int length)
    {
        var text = new char[length];
        for (var i = 0; i < length; i++)
        {
            text[i] = Alphabet[(int)(BinaryPrimitives.ReadUInt16LittleEndian(hash.AsSpan(2 * i)) % (uint)Alphabet.Length)];
        }

        return new(text);
    }
}
