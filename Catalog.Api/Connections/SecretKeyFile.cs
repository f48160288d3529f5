using System.Security.Cryptography;
using Catalog.Data.Connections;
using Catalog.Data.Database;

namespace Catalog.Api.Connections;

/// <summary>On SQLite, with no key configured, the key lies in a file beside the database, readable by its owner alone.</summary>
internal static class SecretKeyFile
{
    /// <summary>The key of a SQLite file, made when there is none yet; null on Postgres.</summary>
    /// <exception cref="SettingException">The file is there and holds no key, or may not be read.</exception>
    public static byte[]? Beside(DatabaseSettings database)
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

            using var made = new FileStream(file, options);
            made.Write(System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))));
        }
        catch (IOException) when (File.Exists(file))
        {
            // There already, made at an earlier start or by another process just now.
        }
        catch (UnauthorizedAccessException) when (File.Exists(file))
        {
            // There already, and the folder is somebody else's.
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            throw new SettingException($"The key file {file} cannot be made or read. Make the folder writable and remove what else has this name, or set DATAXPIPE_SECRET_KEY.");
        }

        return SecretKey.Read(file, CancellationToken.None).GetAwaiter().GetResult()
            ?? throw new SettingException($"The key file {file} holds no key of 32 bytes in base64. Restore it, or set DATAXPIPE_SECRET_KEY.");
    }
}
