using Catalog.Data.Database;

namespace Catalog.Migrations.Backup;

/// <summary>Backups of SQLite: one file by the online backup, compressed when asked.</summary>
internal static class SqliteArchive
{
    /// <summary>Writes a backup and what its manifest says of the database.</summary>
    public static async Task<DatabaseContents> Write(DatabaseSettings settings, string path, BackupOptions wishes, CancellationToken ct)
    {
        if (!File.Exists(settings.SqlitePath))
        {
            throw new BackupException(ExitCode.Unreachable, "file_unusable", "There is no such SQLite file: set DATAXPIPE_DB to the Catalog's.");
        }

        using var packed = wishes.Level is null ? null : new PartFile(Path.GetDirectoryName(path)!, Path.GetFileName(path).TrimStart('.') + ".copy");
        var copy = packed?.Path ?? path;
        // Not in the folder of temporary files, which may be small, or memory.
        await Task.Run(() => SqliteBackup.Copy(settings.SqlitePath, copy, wishes.LockWait), ct);
        if (SqliteBackup.Faults(copy) is { Count: > 0 } faults)
        {
            throw BackupException.Damaged($"The database is damaged, and no backup was made: {faults[0]}. Restore the newest good backup.");
        }

        var contents = await SqliteBackup.Contents(copy, ct);
        if (packed is not null)
        {
            await using var from = Gzip.Read(copy, compressed: false);
            await using var to = Gzip.Write(path, wishes.Level);
            await from.CopyToAsync(to, ct);
        }

        return contents with { Name = Path.GetFileName(settings.SqlitePath) };
    }

    /// <summary>The backup as SQLite can open it: the file itself, or decompressed into a folder.</summary>
    public static async Task<string> Unpacked(string path, Manifest manifest, string folder, CancellationToken ct)
    {
        if (manifest.Compression != "gzip")
        {
            return path;
        }

        var file = Path.Combine(folder, "unpacked.db");
        await using var from = Gzip.Read(path, compressed: true);
        await using var to = new FileStream(file, FileMode.CreateNew);
        await from.CopyToAsync(to, ct);
        return file;
    }

    /// <summary>Restores beside the target and then takes its name.</summary>
    /// <param name="target">The database file; it need not exist.</param>
    /// <param name="path">A backup that was found good.</param>
    /// <param name="manifest">What it should be.</param>
    /// <param name="mayReplace">Asked when the target is not empty, with what is there; returns when it may be replaced, otherwise throws.</param>
    /// <param name="ct">Stops before the target is touched.</param>
    public static async Task Restore(string target, string path, Manifest manifest, Func<string, IReadOnlyList<string>, Task> mayReplace, CancellationToken ct)
    {
        var occupants = SqliteBackup.Occupants(target);
        if (occupants.Count > 0)
        {
            await mayReplace(Path.GetFileName(target), occupants);
        }

        // What a link points to is the database; the link stays.
        target = (File.Exists(target) ? File.ResolveLinkTarget(target, returnFinalTarget: true)?.FullName : null) ?? target;
        var folder = Path.GetDirectoryName(Path.GetFullPath(target))!;
        using var part = new PartFile(folder, $"catalog-restore-{Guid.NewGuid():N}");
        await using (var from = Gzip.Read(path, manifest.Compression == "gzip"))
        await using (var to = new FileStream(part.Path, FileMode.Create))
        {
            await from.CopyToAsync(to, ct);
            to.Flush(flushToDisk: true);
        }

        // The disk may have been full, or the source have changed since it was examined.
        if (await BackupCheck.Content(part.Path, manifest with { Compression = "none" }, ct) is { Count: > 0 } faults)
        {
            throw BackupException.Damaged($"{manifest.File} is not what its manifest says, and the database is as it was: {faults[0]}.");
        }

        if (File.Exists(target) && !SqliteBackup.Release(target))
        {
            throw new BackupException(ExitCode.Failed, "in_use", "Another process has the database file open, and it is as it was: stop the service, then restore again.");
        }

        if (File.Exists(target) && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(part.Path, File.GetUnixFileMode(target));
        }

        File.Move(part.Path, target, overwrite: true);
        PartFile.Flush(folder);
    }
}
