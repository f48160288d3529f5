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
        var file = new Argument<string>("file")
        {
            Description = "A backup file with its manifest in the same folder, or s3://bucket/prefix/NAME."
        };
        var force = new Option<bool>("--force")
        {
            Description =
                "Also restore into a database that is not empty: drops the Catalog's tables in it first. Asks for the database's name."
        };
        var confirmation = new Confirmation();
        var command = Verb.On("restore",
            "Restore a backup into an empty database. The backup is checked completely before anything is written; on failure the "
                + "database stays unchanged.",
            "restore /var/backups/catalog/catalog-20261121T103000Z-0a1b2c3d.dump\nrestore "
                + "s3://company-backups/catalog/catalog-20261121T103000Z-0a1b2c3d.dump --force --yes --database catalog",
            (database, arguments, output, ct) => BackupFailures.Translate(async () =>
            {
                var clock = Stopwatch.StartNew();
                var (place, name) = Locate(arguments, arguments.GetValue(file)!);
                using var source = place;
                using var folder = new TemporaryFolder();
                var manifest = await BackupRestore.ReadManifest(place, name, ct);
                var path = await place.Fetch(name, folder.Path, ct);
                var schema = database.Settings.Schema;
                await BackupRestore.Run(database, path, manifest, (name, existing) =>
                {
                    if (!arguments.GetValue(force))
                    {
                        throw new BackupException(ExitCode.Failed, "not_empty",
                            $"The database {name} is not empty: it contains "
                                + $"{string.Join(", ", existing.Take(5))}{(existing.Count > 5 ? ", …" : "")}. Restore into an empty "
                                + "database, or add --force to drop these tables.");
                    }

                    confirmation.Ask(
                        arguments, name,
                        $"This drops the Catalog's tables in schema {schema} of {name} ({existing.Count} exist) and replaces "
                            + $"them with the backup of {manifest.StartedAt:yyyy-MM-dd HH:mm:ss}Z.");
                    return Task.CompletedTask;
                }, DatabaseSettings.ReadAppRole(Verb.Settings(arguments)), ct);
                Report(database, manifest, clock.Elapsed, output);
                return ExitCode.Ok;
            }));
        command.Arguments.Add(file);
        command.Options.Add(force);
        confirmation.AddTo(command);
        return command;
    }

    private static void Report(MigrationDatabase database, Manifest manifest, TimeSpan elapsed, Output output)
    {
        output.Line(
            string.Create(CultureInfo.InvariantCulture,
                $"restored {manifest.SchemaRevision}, {manifest.AllRows} rows, {elapsed.TotalSeconds:0.0} s"));
        if (manifest.Rows.GetValueOrDefault("connections") > 0)
        {
            output.Line(BackupVerb.KeyNote);
        }

        var behind = manifest.SchemaRevision != Chain.BuiltIn(database.Dialect.Folder).Scripts[^1].Revision;
        if (behind)
        {
            output.Line("this build requires a newer schema: run `catalog-migrations upgrade`");
        }

        output.Document(
            new
            {
                restored = manifest.File,
                database = database.Settings.Display,
                revision = manifest.SchemaRevision,
                at_head = !behind,
                rows = manifest.AllRows,
                tables = manifest.Rows,
                seconds = Math.Round(elapsed.TotalSeconds, 3)
            });
    }

    /// <summary>Splits the path or URL of a backup into its place and its file name.</summary>
    /// <exception cref="BackupException">The name is not the name of a backup, or the local file does not
    /// exist.</exception>
    public static (BackupPlace Place, string Name) Locate(ParseResult arguments, string file)
    {
        var remote = ObjectStoreSettings.IsAddress(file);
        var slash = file.LastIndexOf('/');
        var name = remote ? file[(slash + 1)..] : Path.GetFileName(file);
        if (!Manifest.IsName(name))
        {
            throw new BackupException(ExitCode.Usage, "usage",
                $"{name} is not the name of a backup (catalog-YYYYMMDDTHHMMSSZ-XXXXXXXX.dump, .sql, .sql.gz, .db or .db.gz).");
        }

        return remote
            ? (BackupPlace.At(file[..slash], Verb.Settings(arguments)), name)
            : File.Exists(file) ? (new LocalFolder(Path.GetDirectoryName(Path.GetFullPath(file))!), name)
            : throw new BackupException(ExitCode.Usage, "usage", $"The file {file} does not exist. Correct the path.");
    }
}
