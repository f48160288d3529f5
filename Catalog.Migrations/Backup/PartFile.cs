using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Catalog.Migrations.Backup;

/// <summary>
/// A file that is being written under a temporary name. It gets its final name only when it is complete and on disk.
/// </summary>
internal sealed class PartFile : IDisposable
{
    private readonly string _finalPath;

    /// <param name="folder">The folder of the file.</param>
    /// <param name="name">The final name.</param>
    /// <param name="secret">True to let only this user read the file, because a backup contains all data.</param>
    public PartFile(string folder, string name, bool secret = true)
    {
        _finalPath = System.IO.Path.Combine(folder, name);
        Path = System.IO.Path.Combine(folder, $".{name}.{Environment.ProcessId}.part");
        if (secret && !OperatingSystem.IsWindows())
        {
            new FileStream(
                Path, new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.Write,
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite
                }).Dispose();
        }
    }

    /// <summary>The temporary path to write to.</summary>
    public string Path { get; }

    /// <summary>Flushes the file to disk, renames it to its final name and flushes the folder.</summary>
    public void Publish()
    {
        using (var handle = File.OpenHandle(Path, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.FlushToDisk(handle);
        }

        File.Move(Path, _finalPath, overwrite: false);
        FlushFolder(System.IO.Path.GetDirectoryName(_finalPath)!);
    }

    public void Dispose()
    {
        // SQLite creates a journal next to the file, and leaves it behind when the disk is full.
        foreach (var file in new[] { Path, Path + "-journal", Path + "-wal", Path + "-shm" })
        {
            File.Delete(file);
        }
    }

    /// <summary>
    /// Deletes the temporary files that killed runs left behind: those that are older than a day and whose process no
    /// longer exists.
    /// </summary>
    public static void DeleteStale(string folder, DateTimeOffset now)
    {
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles(".catalog-*.part*", new EnumerationOptions { AttributesToSkip = 0 }))
        {
            if (file.LastWriteTimeUtc < now.UtcDateTime.AddDays(-1)
                && int.TryParse(file.Name.Split('.')[^2], CultureInfo.InvariantCulture, out var process)
                // In a container, every run has the same process id, so this file is of an earlier run.
                && (process == Environment.ProcessId || !IsRunning(process)))
            {
                file.Delete();
            }
        }
    }

    private static bool IsRunning(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Flushes a folder's entries to disk with fsync. Does nothing on Windows, which has no such call.</summary>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var folderHandle = Open(folder, 0);
        if (folderHandle >= 0)
        {
            _ = Sync(folderHandle);
            _ = Close(folderHandle);
        }
    }

    [DllImport("libc", EntryPoint = "open")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(int handle);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int handle);
}
