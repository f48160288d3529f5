using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Backup;

/// <summary>Restores a backup into a database.</summary>
internal static class BackupRestore
{
    /// <summary>Reads the manifest of a backup.</summary>
    /// <exception cref="BackupException">The manifest is missing or invalid.</exception>
    public static async Task<Manifest> ReadManifest(BackupPlace place, string name, CancellationToken ct)
    {
        try
        {
            return Manifest.Read(await place.Read(name + ".json", ct), name);
        }
        catch (Exception exception) when (exception is FileNotFoundException or BackupException { Code: "object_missing" })
        {
            throw BackupException.Damaged(
                $"{name} has no manifest ({name}.json): the backup was never finished, or the manifest was lost. Use another backup.");
        }
        catch (BackupException exception) when (exception.Code == "damaged")
        {
            throw BackupException.Damaged($"{exception.Message} Use another backup.");
        }
    }

    /// <summary>
    /// Checks the backup and restores it. On Postgres, then grants the privileges of the service's role.
    /// </summary>
    /// <param name="database">The target.</param>
    /// <param name="path">The local backup file.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="confirmReplace">Called with the target's name and its tables if the target is not empty. If it
    /// throws, the tables stay unchanged.</param>
    /// <param name="appRole">The role that the service's statements run as.</param>
    /// <param name="ct">Cancels the restore. Before the commit, the target then stays unchanged.</param>
    public static async Task Run(MigrationDatabase database, string path, Manifest manifest, Func<string, IReadOnlyList<string>,
        Task> confirmReplace, string appRole, CancellationToken ct)
    {
        var chain = Chain.BuiltIn(database.Dialect.Folder);
        if (manifest.Engine != database.Dialect.Folder)
        {
            throw new BackupException(
                ExitCode.Usage, "wrong_engine",
                $"{manifest.File} is a backup of {manifest.Engine}, but the target is {database.Dialect.Folder}. Set "
                    + "DATAXPIPE_DB to a database of that engine.");
        }

        if (database.Settings.Engine == DatabaseEngine.Postgres && manifest.OwnSchema != database.Settings.Schema)
        {
            throw new BackupException(ExitCode.Usage, "wrong_schema",
                $"{manifest.File} contains schema {manifest.OwnSchema}, but the target's schema is {database.Settings.Schema}: set "
                    + $"DATAXPIPE_PG_SCHEMA={manifest.OwnSchema}.");
        }

        if (manifest.SchemaRevision != Chain.Base && chain.Scripts.All(script => script.Revision != manifest.SchemaRevision))
        {
            throw new BackupException(
                ExitCode.Drift, "newer_schema",
                $"{manifest.File} is at {manifest.SchemaRevision}, which this build does not know. Restore it with the build "
                    + $"that created it ({manifest.ToolVersion}) or a later one.");
        }

        if (await BackupCheck.FindFaults(path, manifest, ct) is { Count: > 0 } faults)
        {
            throw BackupException.Damaged(
                $"{manifest.File} is damaged, and nothing was restored: {string.Join("; ", faults)}. Use another backup.");
        }

        if (database.Settings.Engine == DatabaseEngine.Sqlite)
        {
            await SqliteArchive.Restore(database.Settings.SqlitePath!, path, manifest, confirmReplace, ct);
            return;
        }

        await PostgresRestore.Run(database, path, manifest, confirmReplace, ct);
        if (manifest.SchemaRevision == Chain.Base)
        {
            return;
        }

        // The restored data is now committed and verified. The dump contains no grants: Upgrade creates them. With
        // --schema-only, it also contains no journal rows: Stamp inserts them.
        var migrator = new Migrator(database, chain, TimeProvider.System) { AppRole = appRole };
        if (manifest.SchemaOnly)
        {
            await migrator.Stamp(manifest.SchemaRevision, force: false, ct);
        }

        await migrator.Upgrade(manifest.SchemaRevision, again: false, ct);
        await database.Analyze(ct);
    }
}
