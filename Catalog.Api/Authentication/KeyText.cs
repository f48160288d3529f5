using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Catalog.Api.Authentication;

/// <summary>
/// The text of an API key: <c>dxp_</c>, 12 public characters (the id, which may be logged), 30 secret characters (178
/// bits) and 6 characters of checksum. The checksum rejects a mistyped or invented key without a look-up. The key has
/// only letters and digits, so that secret scanners find it with <c>dxp_[0-9A-Za-z]{48}</c>. The design follows
/// GitHub's tokens (github.blog, "Behind GitHub's new authentication token formats").
/// </summary>
internal readonly record struct KeyText(string Id, string Secret)
{
    public const string Prefix = "dxp_";
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static readonly SearchValues<char> Allowed = SearchValues.Create(Alphabet);
    private const int IdLength = 12;
    private const int SecretLength = 30;
    private const int ChecksumLength = 6;

    /// <summary>Creates a random key.</summary>
    public static KeyText New() =>
        new(RandomNumberGenerator.GetString(Alphabet, IdLength), RandomNumberGenerator.GetString(Alphabet, SecretLength));

    /// <summary>
    /// Creates a key whose id is derived from a text, so that a repeated request creates a key with the same id.
    /// </summary>
    public static KeyText For(string text) => New() with { Id = Encode(SHA256.HashData(Encoding.UTF8.GetBytes(text)), IdLength) };

    public static bool TryParse(string text, out KeyText key)
    {
        key = default;
        if (text.Length != Prefix.Length + IdLength + SecretLength + ChecksumLength || !text.StartsWith(Prefix, StringComparison.Ordinal)
            || text.AsSpan(Prefix.Length).ContainsAnyExcept(Allowed))
        {
            return false;
        }

        key = new(text.Substring(Prefix.Length, IdLength), text.Substring(Prefix.Length + IdLength, SecretLength));
        return key.ToText() == text;
    }

    /// <summary>The complete key. It is shown once, in the response that creates it.</summary>
    public string ToText() => $"{Prefix}{Id}{Secret}{Encode(SHA256.HashData(Encoding.ASCII.GetBytes(Id + Secret)), ChecksumLength)}";

    /// <summary>The hash to store. A fast hash is enough for a secret of 178 random bits.</summary>
    public byte[] SecretHash() => SHA256.HashData(Encoding.ASCII.GetBytes(Secret));

    /// <summary>The public part only, so that a key that is logged by mistake does not reveal the secret.</summary>
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
