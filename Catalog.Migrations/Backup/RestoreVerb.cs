using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Backup;

internal static class RestoreVerb
{
    public static Command Command()
    {
        var file = new Argument<string>("file") { Description = "A backup, with its manifest beside it; or s3://bucket/prefix/NAME." };
        var force = new Option<bool>("--force") { Description = "Also into a database that is not empty: takes away what is there. Asks for the database's name." };
        var confirmation = new Confirmation();
        var command = Verb.On("restore",
            "Restore a backup into an empty database. The backup is read to its end before anything is written, and when something fails the database is as it was.",
            "restore /var/backups/catalog/catalog-20261121T103000Z-0a1b2c3d.dump\nrestore s3://company-backups/catalog/catalog-20261121T103000Z-0a1b2c3d.dump --force --yes --database catalog",
            (database, arguments, output, ct) => BackupFailures.Say(async () =>
            {
                var clock = Stopwatch.StartNew();
                var (place, name) = Located(arguments.GetValue(file)!);
                using var source = place;
                using var folder = new TemporaryFolder();
                var manifest = await Described(place, name, ct);
                var path = await place.Fetch(name, folder.Path, ct);
                var schema = database.Settings.Schema;
                await Restore(database, path, manifest, (database, occupants) =>
                {
                    if (!arguments.GetValue(force))
                    {
                        throw new BackupException(ExitCode.Failed, "not_empty",
                            $"The database {database} is not empty: it holds {string.Join(", ", occupants.Take(5))}{(occupants.Count > 5 ? ", …" : "")}. Restore into an empty one, or add --force to take away what is there.");
                    }

                    confirmation.Ask(arguments, database, $"This takes away the Catalog's tables that {database} holds in schema {schema} ({occupants.Count} are there) and puts the backup of {manifest.StartedAt:yyyy-MM-dd HH:mm:ss}Z in its place.");
                    return Task.CompletedTask;
                }, ct);
                output.Line(string.Create(CultureInfo.InvariantCulture, $"restored {manifest.SchemaRevision}, {manifest.AllRows} rows, {clock.Elapsed.TotalSeconds:0.0} s"));
                if (manifest.Rows.GetValueOrDefault("connections") > 0)
                {
                    output.Line(BackupVerb.KeyApart);
                }

                var behind = manifest.SchemaRevision != Chain.BuiltIn(database.Dialect.Folder).Scripts[^1].Revision;
                if (behind)
                {
                    output.Line("this build wants a newer schema: run `catalog-migrations upgrade`");
                }

                output.Document(new { restored = manifest.File, database = database.Settings.Display, revision = manifest.SchemaRevision, at_head = !behind, rows = manifest.AllRows, tables = manifest.Rows, seconds = Math.Round(clock.Elapsed.TotalSeconds, 3) });
                return ExitCode.Ok;
            }));
        command.Arguments.Add(file);
        command.Options.Add(force);
        confirmation.AddTo(command);
        return command;
    }

    /// <summary>The place of one backup, and its name there.</summary>
    public static (BackupPlace Place, string Name) Located(string file)
    {
        var remote = ObjectStoreSettings.IsAddress(file);
        var cut = file.LastIndexOf('/');
        var name = remote ? file[(cut + 1)..] : Path.GetFileName(file);
        if (!Manifest.IsName(name))
        {
            throw new BackupException(ExitCode.Usage, "usage", $"{name} is not called as backups are (catalog-YYYYMMDDTHHMMSSZ-XXXXXXXX.dump, .sql, .sql.gz, .db or .db.gz).");
        }

        return remote
            ? (BackupPlace.At(file[..cut], Verb.Settings()), name)
            : File.Exists(file) ? (new LocalFolder(Path.GetDirectoryName(Path.GetFullPath(file))!), name)
            : throw new BackupException(ExitCode.Usage, "usage", $"There is no file {file}.");
    }

    /// <summary>The manifest of one backup.</summary>
    /// <exception cref="BackupException">There is none, or it cannot be read.</exception>
    public static async Task<Manifest> Described(BackupPlace place, string name, CancellationToken ct)
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
    /// <param name="ct">Stops, and the target is as it was.</param>
    public static async Task Restore(MigrationDatabase database, string path, Manifest manifest, Func<string, IReadOnlyList<string>, Task> mayClear, CancellationToken ct)
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

        if (await Examination.Faults(path, manifest, ct) is { Count: > 0 } faults)
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
        var migrator = new Migrator(database, chain, TimeProvider.System) { AppRole = DatabaseSettings.ReadAppRole(Verb.Settings()) };
        if (manifest.SchemaOnly)
        {
            await migrator.Stamp(manifest.SchemaRevision, force: false, ct);
        }

        await migrator.Upgrade(manifest.SchemaRevision, again: false, ct);
        await database.Analyze(ct);
    }
}
