using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Catalog.Data.Database;
using Catalog.Migrations.Backup;

namespace Catalog.Migrations.Verbs;

internal static class BackupVerb
{
    public static Command Command()
    {
        var folder = new Option<string>("--output") { Description = "The folder to write to; it is made when it is not there.", Required = true, HelpName = "DIR" };
        var upload = new Option<string?>("--upload") { Description = "Also bring it to s3://bucket/prefix or spaces://bucket/prefix.", HelpName = "URL" };
        var format = new Option<string?>("--format") { Description = "On Postgres: custom (the default), or plain for SQL.", HelpName = "custom|plain" };
        format.AcceptOnlyFromAmong("custom", "plain");
        var schemaOnly = new Option<bool>("--schema-only") { Description = "On Postgres: without any row. Such a backup counts for no retention." };
        var compress = new Option<string?>("--compress") { Description = "1 to 9, or none. When it is not said: 6 on Postgres, none on SQLite.", HelpName = "N|none" };
        compress.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.Tokens[0].Value is not ("none" or ['1' or '2' or '3' or '4' or '5' or '6' or '7' or '8' or '9']))
            {
                result.AddError("--compress must be a number from 1 to 9, or none.");
            }
        });
        var lockWait = LimitOptions.Seconds("--lock-wait", TimeSpan.FromSeconds(30), "Seconds to wait for a table that somebody has locked.");
        var retention = new BackupRotationOptions();
        var command = Verb.On("backup",
            "Back the database up. Exits 0 only when the backup was read back to its end and is what its manifest says; with --keep, old ones are then removed.",
            "backup --output /var/backups/catalog\nbackup --output /var/backups/catalog --upload s3://company-backups/catalog --keep 7 --keep-weekly 5 --keep-monthly 12",
            (database, arguments, output, ct) => BackupFailures.Say(async () =>
            {
                var clock = Stopwatch.StartNew();
                var postgres = database.Settings.Engine == DatabaseEngine.Postgres;
                if (!postgres && (arguments.GetValue(format) is not null || arguments.GetValue(schemaOnly)))
                {
                    throw new BackupException(ExitCode.Usage, "usage", "--format and --schema-only are for Postgres: a backup of SQLite is the whole file.");
                }

                int? level = arguments.GetValue(compress) switch { "none" => null, { } digit => digit[0] - '0', null => postgres ? 6 : null };
                var wishes = new BackupOptions(postgres ? arguments.GetValue(format) ?? "custom" : "sqlite", level, arguments.GetValue(schemaOnly), TimeSpan.FromSeconds(arguments.GetValue(lockWait)));
                // What is wrong with the address shows before the work.
                using var store = arguments.GetValue(upload) is { } address ? Store(arguments, address) : null;
                var directory = Folder(arguments.GetValue(folder)!);
                var manifest = await BackupRunner.Take(database, directory, wishes, TimeProvider.System, ct);
                output.Line(string.Create(CultureInfo.InvariantCulture,
                    $"backed up {manifest.Database} at {manifest.SchemaRevision}: {manifest.File}, {manifest.Bytes} bytes, {manifest.Rows.Count} tables, {manifest.AllRows} rows, {clock.Elapsed.TotalSeconds:0.0} s"));
                foreach (var excluded in manifest.Excluded)
                {
                    output.Line($"without {excluded}");
                }

                if (manifest.Rows.GetValueOrDefault("connections") > 0)
                {
                    output.Line(KeyApart);
                }

                if (store is not null)
                {
                    await Upload.Send(store, Path.Combine(directory, manifest.File), manifest, ct);
                    output.Line($"uploaded to {store.Display}");
                }

                var removed = new List<string>();
                if (retention.Given(arguments))
                {
                    using var local = new LocalFolder(directory);
                    foreach (var place in new BackupPlace?[] { local, store }.OfType<BackupPlace>())
                    {
                        removed.AddRange(await Pruning.Prune(place, retention.Read(arguments), retention.Shallow(arguments), dryRun: false, TimeProvider.System, output, ct));
                    }
                }

                output.Document(new { backup = manifest, path = Path.Combine(directory, manifest.File), uploaded = store?.Display, removed, seconds = Math.Round(clock.Elapsed.TotalSeconds, 3) });
                return ExitCode.Ok;
            }));
        foreach (var option in new Option[] { folder, upload, format, schemaOnly, compress, lockWait })
        {
            command.Options.Add(option);
        }

        retention.AddTo(command);
        return command;
    }

    /// <summary>What a backup cannot hold: with it, whoever has the file would have the passwords.</summary>
    public const string KeyApart =
        "Passwords of connections are sealed, and their key is in no backup: keep DATAXPIPE_SECRET_KEY (on SQLite without it the file DATABASE.key) apart, or they cannot be opened after a restore.";

    private static string Folder(string output)
    {
        if (string.IsNullOrWhiteSpace(output))
        {
            throw new SettingException("--output: name a folder to write to.");
        }

        var directory = Path.GetFullPath(output);
        return File.Exists(directory) ? throw new SettingException($"--output: {directory} is a file; name a folder.") : directory;
    }

    private static ObjectStore Store(ParseResult arguments, string address) => ObjectStoreSettings.IsAddress(address)
        ? new ObjectStore(ObjectStoreSettings.Read(address, Verb.Settings(arguments)))
        : throw new SettingException("--upload takes s3://bucket/prefix or spaces://bucket/prefix.");
}
