using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Backup;

/// <summary>Writes a backup into a folder: first the file, then, after a check of the file, the manifest.</summary>
internal static class BackupRunner
{
    public static async Task<Manifest> Take(MigrationDatabase database, string folder, BackupOptions options, TimeProvider time,
        CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        PartFile.DeleteStale(folder, time.Now());
        var started = time.Now();
        var name = Manifest.NewName(started, options.Extension);
        using var part = new PartFile(folder, name);
        var postgres = database.Settings.Engine == DatabaseEngine.Postgres;
        var (contents, pgDump, excluded, leftOut, requires) = postgres
            ? await PostgresArchive.Write(database, part.Path, options, ct)
            : (await SqliteArchive.Write(database.Settings, part.Path, options, ct), null, [], null, null);
        var bytes = new FileInfo(part.Path) is { Exists: true, Length: > 0 and var length } ? length
            : throw new BackupException(ExitCode.Failed, "dump_failed",
                "The dump is empty, so no backup was created. Check the free disk space, then run this again.");
        var manifest = new Manifest
        {
            File = name,
            Format = options.Format,
            Compression = options.Compression,
            Bytes = bytes,
            Sha256 = await BackupCheck.Hash(part.Path, ct),
            Engine = postgres ? "postgres" : "sqlite",
            Database = contents.Name,
            Schema = postgres ? database.Settings.Schema : null,
            ServerVersion = contents.Version,
            PgDumpVersion = pgDump,
            SchemaRevision = contents.Revision,
            SchemaFingerprint = contents.Fingerprint,
            SchemaOnly = options.SchemaOnly,
            Rows = options.SchemaOnly ? contents.Rows.ToDictionary(table => table.Key, _ => 0L) : contents.Rows,
            StartedAt = started,
            FinishedAt = time.Now(),
            Excluded = excluded,
            LeftOut = leftOut,
            Requires = requires,
            ToolVersion = Manifest.BuildVersion,
        };
        // Reads the file back from disk.
        if (await BackupCheck.FindFaults(part.Path, manifest, ct) is { Count: > 0 } faults)
        {
            throw BackupException.Damaged(
                $"The dump is damaged: {faults[0]}. No backup was created. Check the disk, then run this again.");
        }

        ct.ThrowIfCancellationRequested();
        part.Publish();
        using var manifestPart = new PartFile(folder, name + ".json");
        await File.WriteAllBytesAsync(manifestPart.Path, manifest.Write(), CancellationToken.None);
        manifestPart.Publish();
        return manifest;
    }
}
