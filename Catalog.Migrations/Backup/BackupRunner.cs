using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Backup;

/// <summary>Makes a backup in a folder: the file first, then, when it has been found good, its manifest.</summary>
internal static class BackupRunner
{
    public static async Task<Manifest> Take(MigrationDatabase database, string folder, BackupOptions wishes, TimeProvider time, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        PartFile.Sweep(folder, time.Now());
        var started = time.Now();
        var name = Manifest.NewName(started, wishes.Extension);
        using var part = new PartFile(folder, name);
        var postgres = database.Settings.Engine == DatabaseEngine.Postgres;
        var (contents, pgDump, excluded, leftOut) = postgres
            ? await PostgresArchive.Write(database, part.Path, wishes, ct)
            : (await SqliteArchive.Write(database.Settings, part.Path, wishes, ct), null, [], null);
        var bytes = new FileInfo(part.Path) is { Exists: true, Length: > 0 and var length } ? length
            : throw new BackupException(ExitCode.Failed, "dump_failed", "The dump is empty, and no backup was made.");
        var manifest = new Manifest
        {
            File = name,
            Format = wishes.Format,
            Compression = wishes.Compression,
            Bytes = bytes,
            Sha256 = await BackupCheck.Hash(part.Path, ct),
            Engine = postgres ? "postgres" : "sqlite",
            Database = contents.Name,
            Schema = postgres ? database.Settings.Schema : null,
            ServerVersion = contents.Version,
            PgDumpVersion = pgDump,
            SchemaRevision = contents.Revision,
            SchemaFingerprint = contents.Fingerprint,
            SchemaOnly = wishes.SchemaOnly,
            Rows = wishes.SchemaOnly ? contents.Rows.ToDictionary(table => table.Key, _ => 0L) : contents.Rows,
            StartedAt = started,
            FinishedAt = time.Now(),
            Excluded = excluded,
            LeftOut = leftOut,
            ToolVersion = Manifest.BuildVersion,
        };
        // What the disk gives back, not what was handed to it.
        if (await BackupCheck.Faults(part.Path, manifest, ct) is { Count: > 0 } faults)
        {
            throw BackupException.Damaged($"The dump did not come out well, and no backup was made: {faults[0]}.");
        }

        ct.ThrowIfCancellationRequested();
        part.Publish();
        using var described = new PartFile(folder, name + ".json");
        await File.WriteAllBytesAsync(described.Path, manifest.Write(), CancellationToken.None);
        described.Publish();
        return manifest;
    }
}
