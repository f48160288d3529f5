using System.CommandLine;
using System.Globalization;
using Catalog.Migrations.Backup;

namespace Catalog.Migrations.Verbs;

internal static class BackupsVerb
{
    public static Command Command()
    {
        var command = new Command("backups", "List, verify and prune backups, and rehearse a restore.") {
            List(), Verify(), Prune(), DrillVerb.Command() };
        Verb.Examples.Add(
            command, "backups list /var/backups/catalog\nbackups verify all s3://company-backups/catalog\nbackups prune "
                + "/var/backups/catalog --keep-last 7 --keep-monthly 12 --dry-run\nbackups drill /var/backups/catalog");
        return command;
    }

    /// <summary>The argument that names the folder or bucket of the backups; default: the working directory.</summary>
    public static Argument<string> Place() =>
        new("place")
        {
            Description = "A folder, or s3://bucket/prefix or spaces://bucket/prefix.",
            DefaultValueFactory = _ => ".",
            HelpName = "DIR or URL"
        };

    private static Command List()
    {
        var where = Place();
        var deep = new Option<bool>("--deep") { Description = "Read every backup completely and check it. Remote backups are downloaded." };
        var command = Verb.On(
            "list", "List backups, newest first.", "backups list /var/backups/catalog\nbackups list s3://company-backups/catalog --deep",
            (arguments, output, ct) => BackupFailures.Translate(async () =>
            {
                using var place = BackupPlace.At(arguments.GetValue(where)!, Verb.Settings(arguments));
                var all = await StoredBackup.List(place, ct);
                all = arguments.GetValue(deep) ? await CheckAll(place, all, ct) : all;
                output.Table(["when", "revision", "engine", "format", ">size", ">rows", "state", "!file"],
                    all.Select(backup => (IReadOnlyList<string?>)
                [
                    backup.Manifest?.StartedAt.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                    backup.Manifest?.SchemaRevision, backup.Manifest?.Engine,
                    backup.Manifest is { } manifest ? manifest.Format + (manifest.SchemaOnly ? " schema-only" : "") + (
                        manifest.Compression == "gzip" ? " gzip" : "") : null,
                    backup.Bytes?.ToString(CultureInfo.InvariantCulture), backup.Manifest?.AllRows.ToString(CultureInfo.InvariantCulture),
                    backup.Description, backup.Name,
                ]));
                output.Document(
                    new
                    {
                        place = place.Display,
                        backups = all.Select(backup =>
                        new
                        {
                            file = backup.Name,
                            state = backup.State,
                            fault = backup.Fault,
                            bytes = backup.Bytes,
                            manifest = backup.Manifest
                        })
                    });
                return ExitCode.Ok;
            }));
        command.Arguments.Add(where);
        command.Options.Add(deep);
        return command;
    }

    private static Command Verify()
    {
        var what = new Argument<string>("what") { Description = "Path or URL of a backup, or all.", HelpName = "FILE or all" };
        var where = Place();
        var command = Verb.On(
            "verify", "Read backups completely and compare them with their manifests. Exits 4 when a backup is damaged, 1 when there "
                + "is no backup.",
            "backups verify /var/backups/catalog/catalog-20261121T103000Z-0a1b2c3d.dump\nbackups verify all s3://company-backups/catalog",
            (arguments, output, ct) => BackupFailures.Translate(async () =>
            {
                var file = arguments.GetValue(what) is "all" ? null : arguments.GetValue(what);
                var (place, name) = file is null
                    ? (BackupPlace.At(arguments.GetValue(where)!, Verb.Settings(arguments)), null) : RestoreVerb.Locate(arguments, file);
                using var source = place;
                var chosen = (await StoredBackup.List(place, ct)).Where(backup => name is null || backup.Name == name).ToList();
                if (chosen.Count == 0)
                {
                    throw new BackupException(ExitCode.Failed, "no_backup", name is null
                        ? $"No backup was found in {place.Display}. Correct the path, or take a backup first."
                        : $"No backup named {name} was found in {place.Display}. Correct the name or the path.");
                }

                var all = new List<StoredBackup>();
                foreach (var backup in chosen)
                {
                    var result = await backup.Check(place, ct);
                    all.Add(result);
                    output.Line(result.State switch
                    {
                        BackupState.Complete =>
                            $"good {backup.Name}: {backup.Manifest!.Bytes} bytes, SHA-256 {backup.Manifest.Sha256[..16]}, read "
                                + $"completely, {backup.Manifest.Rows.Count} tables, {backup.Manifest.AllRows} rows",
                        BackupState.NoManifest => $"no manifest {backup.Name}: it is unfinished or still being written",
                        _ => $"damaged {backup.Name}: {result.Fault}",
                    });
                }

                output.Document(
                    new
                    {
                        place = place.Display,
                        checked_backups = all.Count,
                        backups = all.Select(backup =>
                        new
                        {
                            file = backup.Name,
                            state = backup.State,
                            fault = backup.Fault,
                            bytes = backup.Bytes,
                            rows = backup.Manifest?.AllRows
                        })
                    });
                // With "all", a file without a manifest can be a backup that is still being written. A backup that the
                // operator names must have a manifest.
                return all.Any(backup => backup.State == BackupState.Damaged || (name is not null && backup.State != BackupState.Complete))
                    ? ExitCode.Drift
                    : all.Any(backup => backup.State == BackupState.Complete) ? ExitCode.Ok : ExitCode.Failed;
            }));
        command.Arguments.Add(what);
        command.Arguments.Add(where);
        return command;
    }

    private static Command Prune()
    {
        var where = Place();
        var dryRun = new Option<bool>("--dry-run") { Description = "List what would be removed; remove nothing." };
        var retention = new BackupRotationOptions();
        var command = Verb.On("prune",
            "Remove old backups by the given --keep rules. Counts only good backups, and refuses when the newest backup is not good.",
            "backups prune /var/backups/catalog --keep-last 7 --keep-daily 14 --keep-weekly 8 --keep-monthly 12 --dry-run",
            (arguments, output, ct) => BackupFailures.Translate(async () =>
            {
                using var place = BackupPlace.At(arguments.GetValue(where)!, Verb.Settings(arguments));
                var removed = await BackupPruning.Prune(place, retention.Read(arguments), retention.Shallow(arguments),
                    arguments.GetValue(dryRun), TimeProvider.System, output, ct);
                output.Line($"{removed.Count} {(arguments.GetValue(dryRun) ? "would be removed" : "removed")} from {place.Display}");
                output.Document(new { place = place.Display, dry_run = arguments.GetValue(dryRun), removed });
                return ExitCode.Ok;
            }));
        command.Arguments.Add(where);
        command.Options.Add(dryRun);
        retention.AddTo(command);
        return command;
    }

    private static async Task<IReadOnlyList<StoredBackup>> CheckAll(
        BackupPlace place, IReadOnlyList<StoredBackup> all, CancellationToken ct)
    {
        var results = new List<StoredBackup>();
        foreach (var backup in all)
        {
            results.Add(await backup.Check(place, ct));
        }

        return results;
    }
}
