using System.Globalization;
using System.Runtime.InteropServices;

namespace Catalog.Data.Database;

/// <summary>Says whose a file is, where this process may not use it: volumes outlive the user id that wrote to them.</summary>
public static unsafe partial class FileRights
{
    private const int CurrentDirectory = -100;
    private const uint BasicStats = 0x7ff;
    private const int StatxSize = 256;
    private const int UserOffset = 20;
    private const int ModeOffset = 28;

    /// <summary>Refuses a file that is there and that this process may not read.</summary>
    /// <param name="path">The file; one that is not there will do.</param>
    /// <param name="otherwise">What else can be done, as the end of a sentence; null: nothing.</param>
    /// <exception cref="SettingException">It may not.</exception>
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
            throw new SettingException(Refusal(path, otherwise));
        }
    }

    /// <summary>A sentence for a file that this process may not use.</summary>
    /// <inheritdoc cref="RequireReadable" path="/param"/>
    public static string Refusal(string path, string? otherwise = null) =>
        $"{path} may not be used by this process{Whose(path)}. As its owner or as root: `chown {(Own() is { } own ? own.ToString(CultureInfo.InvariantCulture) : "USER")} '{path}'`{(otherwise is null ? "" : $", or {otherwise}")}.";

    /// <summary>The owner of a file or folder and the user of this process, in brackets after a blank; empty when the system does not tell.</summary>
    public static string Whose(string path)
    {
        if (!OperatingSystem.IsLinux() || Own() is not { } own)
        {
            return "";
        }

        var stats = stackalloc byte[StatxSize];
        return Statx(CurrentDirectory, path, 0, BasicStats, stats) != 0 ? ""
            : string.Create(CultureInfo.InvariantCulture, $" (it belongs to user id {*(uint*)(stats + UserOffset)} with mode {Convert.ToString(*(ushort*)(stats + ModeOffset) & 0xfff, 8)}; this is user id {own})");
    }

    private static uint? Own() => OperatingSystem.IsLinux() ? EffectiveUser() : null;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    // Its structure is the same on every architecture; that of stat is not.
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, byte* stats);
}
