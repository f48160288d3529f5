using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Connections;

/// <summary>
/// Encrypts the secrets of connections with AES-256-GCM (NIST SP 800-38D). The format is one version byte, a nonce of
/// 12 bytes, a tag of 16 bytes, and the ciphertext. Organization and connection are authenticated, so the secrets of
/// one connection cannot be decrypted as the secrets of another connection.
/// </summary>
/// <param name="key">A key of 32 bytes; null when no key is configured. Then nothing can be encrypted.</param>
/// <param name="previous">The key before the last change; null when there is none. It is used only to decrypt.</param>
public sealed class SecretBox(byte[]? key, byte[]? previous = null)
{
    private const byte Version = 1;
    private const int Nonce = 12;
    private const int Tag = 16;

    /// <summary>Whether a key is configured.</summary>
    public bool CanSeal => key is not null;

    /// <summary>Encrypts a text for one connection.</summary>
    public byte[] Seal(string organization, string connection, string text)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var box = new byte[1 + Nonce + Tag + plain.Length];
        box[0] = Version;
        RandomNumberGenerator.Fill(box.AsSpan(1, Nonce));
        using var aes = new AesGcm(key ?? throw new InvalidOperationException("Check CanSeal first."), Tag);
        aes.Encrypt(box.AsSpan(1, Nonce), plain, box.AsSpan(1 + Nonce + Tag), box.AsSpan(1 + Nonce, Tag), Owner(organization, connection));
        return box;
    }

    /// <summary>Decrypts the result of <see cref="Seal"/> for the same connection.</summary>
    /// <returns>
    /// The text; null when it was encrypted with another key or for another connection, or when no key is configured.
    /// </returns>
    public string? Open(string organization, string connection, byte[] box) =>
        OpenWith(key, organization, connection, box) ?? OpenWith(previous, organization, connection, box);

    /// <summary>Encrypts a secret again with the current key, if it was encrypted with the previous key.</summary>
    /// <returns>
    /// The new form; <paramref name="box"/> itself when the current key decrypts it; null when neither key decrypts it.
    /// </returns>
    public byte[]? Reseal(string organization, string connection, byte[] box) =>
        OpenWith(key, organization, connection, box) is not null ? box
            : OpenWith(previous, organization, connection, box) is { } text ? Seal(organization, connection, text) : null;

    private static string? OpenWith(byte[]? key, string organization, string connection, byte[] box)
    {
        if (key is null || box.Length < 1 + Nonce + Tag || box[0] != Version)
        {
            return null;
        }

        var plain = new byte[box.Length - 1 - Nonce - Tag];
        try
        {
            using var aes = new AesGcm(key, Tag);
            aes.Decrypt(box.AsSpan(1, Nonce), box.AsSpan(1 + Nonce + Tag), box.AsSpan(1 + Nonce, Tag), plain,
                Owner(organization, connection));
            return Encoding.UTF8.GetString(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static byte[] Owner(string organization, string connection) => Encoding.UTF8.GetBytes($"{organization}\0{connection}");
}
