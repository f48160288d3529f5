using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Backup;

/// <summary>Restores one backup.</summary>
internal static class BackupRestore
{
    /// <summary>The manifest of one backup.</summary>
    /// <exception cref="BackupException">There is none, or it cannot be read.</exception>
    public static async Task<Manifest> ReadManifest(BackupPlace place, string name, CancellationToken ct)
    {
        try
        {
            return Manifest.Read(await place.Read(name + ".json", ct), name);
        }
        catch (Exception exception) when (exception is FileNotFoundException or BackupException { Code: "object_missing" })
        {
            throw BackupException.Damaged($"{name} has no manifest ({name}.json) beside it: it was never finished, or the manifest was lost. Take another backup.");
        }
    }

    /// <summary>Everything that is checked before something is written, then the restore, then what the service needs.</summary>
    /// <param name="database">The target.</param>
    /// <param name="path">The backup on this machine.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="mayClear">Asked when the target is not empty: its name, and what is there; throws when that must stay.</param>
    /// <param name="appRole">The role that the service's statements run as.</param>
    /// <param name="ct">Stops, and the target is as it was.</param>
    public static async Task Run(MigrationDatabase database, string path, Manifest manifest, Func<string, IReadOnlyList<string>, Task> mayClear, string appRole, CancellationToken ct)
    {
        var chain = Chain.BuiltIn(database.Dialect.Folder);
        if (manifest.Engine != database.Dialect.Folder)
        {
            throw new BackupException(ExitCode.Usage, "wrong_engine", $"{manifest.File} is a backup of {manifest.Engine}, and the target is {database.Dialect.Folder}. Set DATAXPIPE_DB to a database of that engine.");
        }

        if (database.Settings.Engine == DatabaseEngine.Postgres && manifest.OwnSchema != database.Settings.Schema)
        {
            throw new BackupException(ExitCode.Usage, "wrong_schema",
                $"{manifest.File} holds schema {manifest.OwnSchema}, and the target's is {database.Settings.Schema}: set DATAXPIPE_PG_SCHEMA={manifest.OwnSchema}.");
        }

        if (manifest.SchemaRevision != Chain.Base && chain.Scripts.All(script => script.Revision != manifest.SchemaRevision))
        {
            throw new BackupException(ExitCode.Drift, "newer_schema", $"{manifest.File} is at {manifest.SchemaRevision}, which this build does not know. Restore it with the build that made it ({manifest.ToolVersion}), or a later one.");
        }

        if (await BackupCheck.Faults(path, manifest, ct) is { Count: > 0 } faults)
        {
            throw BackupException.Damaged($"{manifest.File} is damaged, and nothing was restored: {string.Join("; ", faults)}.");
        }

        if (database.Settings.Engine == DatabaseEngine.Sqlite)
        {
            await SqliteArchive.Restore(database.Settings.SqlitePath!, path, manifest, mayClear, ct);
            return;
        }

        await PostgresArchive.Restore(database, path, manifest, mayClear, ct);
        if (manifest.SchemaRevision == Chain.Base)
        {
            return;
        }

        // Committed and good from here on. The dump has no grants, and without rows no journal either.
        var migrator = new Migrator(database, chain, TimeProvider.System) { AppRole = appRole };
        if (manifest.SchemaOnly)
        {
            await migrator.Stamp(manifest.SchemaRevision, force: false, ct);
        }

        await migrator.Upgrade(manifest.SchemaRevision, again: false, ct);
        await database.Analyze(ct);
    }
}
