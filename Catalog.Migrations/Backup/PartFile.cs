using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Catalog.Migrations.Backup;

/// <summary>A file being written: under its final name there is either all of it, on the disk, or nothing.</summary>
internal sealed class PartFile : IDisposable
{
    private readonly string _final;

    /// <param name="folder">Where it will lie.</param>
    /// <param name="name">What it will be called.</param>
    /// <param name="secret">Whether only this user may read it: a backup holds everything.</param>
    public PartFile(string folder, string name, bool secret = true)
    {
        _final = System.IO.Path.Combine(folder, name);
        Path = System.IO.Path.Combine(folder, $".{name}.{Environment.ProcessId}.part");
        if (secret && !OperatingSystem.IsWindows())
        {
            new FileStream(Path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }).Dispose();
        }
    }

    /// <summary>Where to write.</summary>
    public string Path { get; }

    /// <summary>Gives the file its final name, once it and the folder's entry are on the disk.</summary>
    public void Publish()
    {
        using (var handle = File.OpenHandle(Path, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.FlushToDisk(handle);
        }

        File.Move(Path, _final, overwrite: false);
        Flush(System.IO.Path.GetDirectoryName(_final)!);
    }

    public void Dispose()
    {
        // SQLite keeps a journal beside a file that it writes, and leaves it when the disk is full.
        foreach (var file in new[] { Path, Path + "-journal", Path + "-wal", Path + "-shm" })
        {
            File.Delete(file);
        }
    }

    /// <summary>Removes what killed runs have left: older than a day, and their process is gone.</summary>
    public static void Sweep(string folder, DateTimeOffset now)
    {
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles(".catalog-*.part*", new EnumerationOptions { AttributesToSkip = 0 }))
        {
            if (file.LastWriteTimeUtc < now.UtcDateTime.AddDays(-1)
                && int.TryParse(file.Name.Split('.')[^2], CultureInfo.InvariantCulture, out var process)
                // In containers every run has the same number.
                && (process == Environment.ProcessId || !Lives(process)))
            {
                file.Delete();
            }
        }
    }

    private static bool Lives(int id)
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

    /// <summary>Puts a folder's entries on the disk; where the system has no such call it does so by itself.</summary>
    public static void Flush(string folder)
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
