using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Catalog.Data.Migrations;
using Catalog.Migrations.Backup;

namespace Catalog.Migrations.Verbs;

internal static class BackupVerb
{
    /// <summary>The note to the operator that the key of sealed passwords is not part of a backup.</summary>
    public const string KeyNote =
        "Passwords of connections are encrypted, and no backup contains their key. Store DATAXPIPE_SECRET_KEY (or, on SQLite without "
            + "it, the file DATABASE.key) separately: without it they cannot be decrypted after a restore.";

    public static Command Command()
    {
        var options = new BackupArguments();
        var command = Verb.On("backup",
            "Back up the database. Exits 0 only when the backup was read back completely and matches its manifest; with --keep, old "
                + "backups are then removed.",
            "backup --output /var/backups/catalog\nbackup --output /var/backups/catalog --upload s3://company-backups/catalog --keep "
                + "7 --keep-weekly 5 --keep-monthly 12",
            (database, arguments, output, ct) => BackupFailures.Translate(() => Run(database, options, arguments, output, ct)));
        options.AddTo(command);
        return command;
    }

    private static async Task<int> Run(MigrationDatabase database, BackupArguments options, ParseResult arguments, Output output,
        CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        var backup = options.ReadBackup(arguments, database.Settings.Engine);
        // The store is opened before the backup is taken, so that an invalid address fails at once.
        using var store = options.OpenUpload(arguments);
        var directory = options.ReadFolder(arguments);
        var metrics = options.ReadMetrics(arguments);
        var manifest = await BackupRunner.Take(database, directory, backup, TimeProvider.System, ct);
        Print(manifest, clock.Elapsed, output);
        if (store is not null)
        {
            await Upload.Send(store, Path.Combine(directory, manifest.File), manifest, ct);
            output.Line($"uploaded to {store.Display}");
        }

        if (metrics is not null)
        {
            BackupMetrics.Write(metrics, manifest);
        }

        var removed = await Prune(options.Rotation, directory, store, arguments, output, ct);
        output.Document(new
        {
            backup = manifest,
            path = Path.Combine(directory, manifest.File),
            uploaded = store?.Display,
            removed,
            seconds = Math.Round(clock.Elapsed.TotalSeconds, 3)
        });
        return ExitCode.Ok;
    }

    private static async Task<IReadOnlyList<string>> Prune(BackupRotationOptions rotation, string directory, ObjectStore? store,
        ParseResult arguments, Output output, CancellationToken ct)
    {
        if (!rotation.Given(arguments))
        {
            return [];
        }

        var removed = new List<string>();
        using var local = new LocalFolder(directory);
        foreach (var place in new BackupPlace?[] { local, store }.OfType<BackupPlace>())
        {
            removed.AddRange(
                await BackupPruning.Prune(place, rotation.Read(arguments), rotation.Shallow(arguments), dryRun: false, TimeProvider.System,
                    output, ct));
        }

        return removed;
    }

    private static void Print(Manifest manifest, TimeSpan elapsed, Output output)
    {
        output.Line(string.Create(CultureInfo.InvariantCulture,
            $"backed up {manifest.Database} at {manifest.SchemaRevision}: {manifest.File}, {manifest.Bytes} bytes, "
                + $"{manifest.Rows.Count} tables, {manifest.AllRows} rows, {elapsed.TotalSeconds:0.0} s"));
        foreach (var excluded in manifest.Excluded)
        {
            output.Line($"without {excluded}");
        }

        if (manifest.Requires is { Count: > 0 } requires)
        {
            output.Progress($"warning: {PostgresRestore.RequirementsText(requires)}");
        }

        if (manifest.Rows.GetValueOrDefault("connections") > 0)
        {
            output.Line(KeyNote);
        }
    }
}
