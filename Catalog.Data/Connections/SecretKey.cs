using Catalog.Data.Database;

namespace Catalog.Data.Connections;

/// <summary>The key that seals what connections keep: 32 bytes, written in base64.</summary>
public static class SecretKey
{
    /// <summary>Where the key of a SQLite file lies when none is configured.</summary>
    public static string FileBeside(string database) => database + ".key";

    /// <summary>The key that a file holds.</summary>
    /// <returns>Null when it holds none.</returns>
    /// <exception cref="SettingException">This process may not read it.</exception>
    public static async Task<byte[]?> Read(string file, CancellationToken ct)
    {
        FileRights.RequireReadable(file, "set DATAXPIPE_SECRET_KEY to what it holds");
        return Parse(await File.ReadAllTextAsync(file, ct));
    }

    /// <returns>The key, or null when the text holds none.</returns>
    public static byte[]? Parse(string text)
    {
        var key = new byte[33];
        return Convert.TryFromBase64String(text.Trim(), key, out var length) && length == 32 ? key[..32] : null;
    }
}
