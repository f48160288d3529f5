using System.Security.Cryptography;
using Catalog.Data.Connections;
using Catalog.Data.Database;
using Catalog.Data.Settings;

namespace Catalog.Api.Connections;

/// <summary>
/// The key file beside a SQLite database, used when no key is configured. Only its owner can read it.
/// </summary>
internal static class SecretKeyFile
{
    /// <summary>Reads the key file of a SQLite database, and creates it if it does not exist.</summary>
    /// <returns>The key; null on Postgres.</returns>
    /// <exception cref="SettingException">The file contains no valid key, or cannot be read or created.</exception>
    public static byte[]? ReadOrCreate(DatabaseSettings database)
    {
        if (database.SqlitePath is not { } path)
        {
            return null;
        }

        var file = SecretKey.FileBeside(path);
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using var created = new FileStream(file, options);
            created.Write(System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))));
        }
        catch (IOException) when (File.Exists(file))
        {
            // The file exists: it was created at an earlier start, or by another process just now.
        }
        catch (UnauthorizedAccessException) when (File.Exists(file))
        {
            // The file exists, and this process may not write to its folder.
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            throw new SettingException(
                $"The key file {file} cannot be created or read. Make the folder writable and check that {file} is a file, or set "
                    + "DATAXPIPE_SECRET_KEY.");
        }

        return SecretKey.Read(file, CancellationToken.None).GetAwaiter().GetResult()
            ?? throw new SettingException(
                $"The key file {file} does not contain a key of 32 bytes in base64. Restore the file, or set DATAXPIPE_SECRET_KEY.");
    }
}
