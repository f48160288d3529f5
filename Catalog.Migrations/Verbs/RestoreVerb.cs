using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Backup;

namespace Catalog.Migrations.Verbs;

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
                var (place, name) = Located(arguments, arguments.GetValue(file)!);
                using var source = place;
                using var folder = new TemporaryFolder();
                var manifest = await BackupRestore.ReadManifest(place, name, ct);
                var path = await place.Fetch(name, folder.Path, ct);
                var schema = database.Settings.Schema;
                await BackupRestore.Run(database, path, manifest, (database, occupants) =>
                {
                    if (!arguments.GetValue(force))
                    {
                        throw new BackupException(ExitCode.Failed, "not_empty",
                            $"The database {database} is not empty: it holds {string.Join(", ", occupants.Take(5))}{(occupants.Count > 5 ? ", …" : "")}. Restore into an empty one, or add --force to take away what is there.");
                    }

                    confirmation.Ask(arguments, database, $"This takes away the Catalog's tables that {database} holds in schema {schema} ({occupants.Count} are there) and puts the backup of {manifest.StartedAt:yyyy-MM-dd HH:mm:ss}Z in its place.");
                    return Task.CompletedTask;
                }, DatabaseSettings.ReadAppRole(Verb.Settings(arguments)), ct);
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
    public static (BackupPlace Place, string Name) Located(ParseResult arguments, string file)
    {
        var remote = ObjectStoreSettings.IsAddress(file);
        var cut = file.LastIndexOf('/');
        var name = remote ? file[(cut + 1)..] : Path.GetFileName(file);
        if (!Manifest.IsName(name))
        {
            throw new BackupException(ExitCode.Usage, "usage", $"{name} is not called as backups are (catalog-YYYYMMDDTHHMMSSZ-XXXXXXXX.dump, .sql, .sql.gz, .db or .db.gz).");
        }

        return remote
            ? (BackupPlace.At(file[..cut], Verb.Settings(arguments)), name)
            : File.Exists(file) ? (new LocalFolder(Path.GetDirectoryName(Path.GetFullPath(file))!), name)
            : throw new BackupException(ExitCode.Usage, "usage", $"There is no file {file}.");
    }
}
