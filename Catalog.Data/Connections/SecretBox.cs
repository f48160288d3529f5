using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Connections;

/// <summary>
/// Seals what connections keep with AES-256-GCM (NIST SP 800-38D): one version byte, 12 bytes of nonce, 16 of tag, the text. What is
/// sealed for one connection of one organization cannot be opened as another's.
/// </summary>
/// <param name="key">32 bytes, or null: nothing can be sealed.</param>
public sealed class SecretBox(byte[]? key)
{
    private const byte Version = 1;
    private const int Nonce = 12;
    private const int Tag = 16;

    /// <summary>Whether there is a key.</summary>
    public bool CanSeal => key is not null;

    /// <summary>Seals a text for one connection.</summary>
    public byte[] Seal(string organization, string connection, string text)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var box = new byte[1 + Nonce + Tag + plain.Length];
        box[0] = Version;
        RandomNumberGenerator.Fill(box.AsSpan(1, Nonce));
        using var aes = new AesGcm(Key, Tag);
        aes.Encrypt(box.AsSpan(1, Nonce), plain, box.AsSpan(1 + Nonce + Tag), box.AsSpan(1 + Nonce, Tag), Owner(organization, connection));
        return box;
    }

    /// <summary>Opens what <see cref="Seal"/> made for the same connection.</summary>
    /// <returns>The text, or null when it was sealed with another key or for another connection.</returns>
    public string? Open(string organization, string connection, byte[] box)
    {
        if (key is null || box.Length < 1 + Nonce + Tag || box[0] != Version)
        {
            return null;
        }

        var plain = new byte[box.Length - 1 - Nonce - Tag];
        try
        {
            using var aes = new AesGcm(Key, Tag);
            aes.Decrypt(box.AsSpan(1, Nonce), box.AsSpan(1 + Nonce + Tag), box.AsSpan(1 + Nonce, Tag), plain, Owner(organization, connection));
            return Encoding.UTF8.GetString(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private byte[] Key => key ?? throw new InvalidOperationException("Ask CanSeal first.");

    private static byte[] Owner(string organization, string connection) => Encoding.UTF8.GetBytes($"{organization}\0{connection}");
}
