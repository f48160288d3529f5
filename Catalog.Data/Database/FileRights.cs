using System.Globalization;
using System.Runtime.InteropServices;
using Catalog.Data.Settings;

namespace Catalog.Data.Database;

/// <summary>
/// Reports the owner of a file that this process cannot use. A typical cause is a volume with files that another user
/// id created.
/// </summary>
public static unsafe partial class FileRights
{
    private const int CurrentDirectory = -100;
    private const uint BasicStats = 0x7ff;
    private const int StatxSize = 256;
    private const int UserOffset = 20;
    private const int ModeOffset = 28;

    /// <summary>Checks that this process can read a file. A file that does not exist passes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="otherwise">An alternative fix, as the end of the message; null when there is none.</param>
    /// <exception cref="SettingException">The file exists and cannot be read.</exception>
    public static void RequireReadable(string path, string? otherwise = null)
    {
        if (!File.Exists(path))
        {
            return;
        }

        try
        {
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete).Dispose();
        }
        catch (UnauthorizedAccessException)
        {
            throw new SettingException(AccessDenied(path, otherwise));
        }
    }

    /// <summary>The error message for a file that this process cannot use.</summary>
    /// <inheritdoc cref="RequireReadable" path="/param"/>
    public static string AccessDenied(string path, string? otherwise = null) =>
        $"{path} cannot be used by this process{OwnerOf(path)}. As its owner or as root: `chown "
            + $"{(CurrentUser() is { } user ? user.ToString(CultureInfo.InvariantCulture) : "USER")} "
            + $"'{path}'`{(otherwise is null ? "" : $", or {otherwise}")}.";

    /// <summary>
    /// The owner and mode of a file or folder and the user of this process, in brackets after a blank; empty when
    /// unknown.
    /// </summary>
    public static string OwnerOf(string path)
    {
        if (!OperatingSystem.IsLinux() || CurrentUser() is not { } user)
        {
            return "";
        }

        var stats = stackalloc byte[StatxSize];
        return Statx(CurrentDirectory, path, 0, BasicStats, stats) != 0 ? ""
            : string.Create(
                CultureInfo.InvariantCulture,
                $" (its owner is user id {*(uint*)(stats + UserOffset)} with mode "
                    + $"{Convert.ToString(*(ushort*)(stats + ModeOffset) & 0xfff, 8)}; this process is user id {user})");
    }

    private static uint? CurrentUser() => OperatingSystem.IsLinux() ? EffectiveUser() : null;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    // statx is used instead of stat, because its structure has the same layout on every architecture.
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, byte* stats);
}
