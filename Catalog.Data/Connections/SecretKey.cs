using Catalog.Data.Database;
using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;

namespace Catalog.Data.Connections;

/// <summary>The key that encrypts the secrets of connections: 32 bytes, written in base64.</summary>
public static class SecretKey
{
    /// <summary>The path of the key file of a SQLite database, used when no key is configured.</summary>
    public static string FileBeside(string database) => database + ".key";

    /// <summary>Reads a key file.</summary>
    /// <returns>The key; null when the file does not contain a valid key.</returns>
    /// <exception cref="SettingException">This process has no permission to read the file.</exception>
    public static async Task<byte[]?> Read(string file, CancellationToken ct)
    {
        FileRights.RequireReadable(file, "set DATAXPIPE_SECRET_KEY to the key in the file");
        return Parse(await File.ReadAllTextAsync(file, ct));
    }

    /// <summary>Reads a key from a setting.</summary>
    /// <returns>The key; null when the setting is absent.</returns>
    /// <exception cref="SettingException">The setting is not 32 bytes in base64.</exception>
    public static byte[]? FromSetting(IConfiguration settings, string name) => Setting.Text(settings, name) is not { } text ? null
        : Parse(text) ?? throw new SettingException($"{name} must be 32 bytes in base64; create one with `openssl rand -base64 32`.");

    /// <returns>The key; null when the text is not 32 bytes in base64.</returns>
    public static byte[]? Parse(string text)
    {
        var key = new byte[33];
        return Convert.TryFromBase64String(text.Trim(), key, out var length) && length == 32 ? key[..32] : null;
    }
}
