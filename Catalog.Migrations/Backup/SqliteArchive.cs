using Catalog.Data.Database;

namespace Catalog.Migrations.Backup;

/// <summary>
/// Writes and restores backups of SQLite. A backup is one file that SQLite's online backup writes; it can be
/// compressed.
/// </summary>
internal static class SqliteArchive
{
    /// <summary>Writes a backup.</summary>
    /// <returns>The contents of the backup, for its manifest.</returns>
    public static async Task<DatabaseContents> Write(DatabaseSettings settings, string path, BackupOptions options, CancellationToken ct)
    {
        if (!File.Exists(settings.SqlitePath))
        {
            throw new BackupException(
                ExitCode.Unreachable, "file_unusable", "The SQLite file does not exist: set DATAXPIPE_DB to the Catalog's file.");
        }

        using var uncompressed = options.Level is null
            ? null : new PartFile(Path.GetDirectoryName(path)!, Path.GetFileName(path).TrimStart('.') + ".copy");
        var copy = uncompressed?.Path ?? path;
        // The copy is in the target folder, because the system's temporary folder may be small or in memory.
        await Task.Run(() => SqliteFile.Copy(settings.SqlitePath, copy, options.LockWait), ct);
        if (SqliteFile.FindFaults(copy) is { Count: > 0 } faults)
        {
            throw BackupException.Damaged(
                $"The database is damaged, and no backup was created: {faults[0]}. Restore the newest good backup.");
        }

        var contents = await SqliteFile.Contents(copy, ct);
        if (uncompressed is not null)
        {
            await using var from = Gzip.Read(copy, compressed: false);
            await using var to = Gzip.Write(path, options.Level);
            await from.CopyToAsync(to, ct);
        }

        return contents with { Name = Path.GetFileName(settings.SqlitePath) };
    }

    /// <summary>
    /// Returns the path of a file that SQLite can open: the backup itself, or its decompressed copy in
    /// <paramref name="folder"/>.
    /// </summary>
    public static async Task<string> Decompress(string path, Manifest manifest, string folder, CancellationToken ct)
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

    /// <summary>Restores to a temporary file in the target's folder, then renames it to the target.</summary>
    /// <param name="target">The database file. If it is missing, it is created.</param>
    /// <param name="path">A backup that has been checked.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="confirmReplace">Called with the target's name and its tables if the target is not empty. If it
    /// throws, the tables stay unchanged.</param>
    /// <param name="ct">Cancels the restore; the target then stays unchanged.</param>
    public static async Task Restore(string target, string path, Manifest manifest, Func<string, IReadOnlyList<string>,
        Task> confirmReplace, CancellationToken ct)
    {
        var existing = SqliteFile.Tables(target);
        if (existing.Count > 0)
        {
            await confirmReplace(Path.GetFileName(target), existing);
        }

        // For a symbolic link, the file that it points to is replaced and the link stays.
        target = (File.Exists(target) ? File.ResolveLinkTarget(target, returnFinalTarget: true)?.FullName : null) ?? target;
        var folder = Path.GetDirectoryName(Path.GetFullPath(target))!;
        using var part = new PartFile(folder, $"catalog-restore-{Guid.NewGuid():N}");
        await using (var from = Gzip.Read(path, manifest.Compression == "gzip"))
        await using (var to = new FileStream(part.Path, FileMode.Create))
        {
            await from.CopyToAsync(to, ct);
            to.Flush(flushToDisk: true);
        }

        // Checks the content again, because the backup can have changed since the first check, or the copy can be
        // incomplete.
        if (await BackupCheck.FindContentFaults(part.Path, manifest with { Compression = "none" }, ct) is { Count: > 0 } faults)
        {
            throw BackupException.Damaged(
                $"{manifest.File} differs from its manifest, and the database is unchanged: {faults[0]}. Use another backup.");
        }

        if (File.Exists(target) && !SqliteFile.Release(target))
        {
            throw new BackupException(ExitCode.Failed, "in_use",
                "Another process has the database file open, so it was not changed: stop the service, then restore again.");
        }

        if (File.Exists(target) && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(part.Path, File.GetUnixFileMode(target));
        }

        File.Move(part.Path, target, overwrite: true);
        PartFile.FlushFolder(folder);
    }
}
