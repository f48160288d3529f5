using System.CommandLine;
using System.Globalization;
using Catalog.Migrations.Backup;

namespace Catalog.Migrations.Verbs;

internal static class BackupsVerb
{
    public static Command Command()
    {
        var command = new Command("backups", "List, verify and prune backups, and rehearse a restore.") { List(), Verify(), Prune(), DrillVerb.Command() };
        Verb.Examples.Add(command, "backups list /var/backups/catalog\nbackups verify all s3://company-backups/catalog\nbackups prune /var/backups/catalog --keep-last 7 --keep-monthly 12 --dry-run\nbackups drill /var/backups/catalog");
        return command;
    }

    /// <summary>Where backups lie; the working directory when it is not said.</summary>
    public static Argument<string> Place() => new("place") { Description = "A folder, or s3://bucket/prefix or spaces://bucket/prefix.", DefaultValueFactory = _ => ".", HelpName = "DIR or URL" };

    private static Command List()
    {
        var where = Place();
        var deep = new Option<bool>("--deep") { Description = "Read each to its end, which downloads those that lie elsewhere." };
        var command = Verb.On("list", "List backups, the newest first.", "backups list /var/backups/catalog\nbackups list s3://company-backups/catalog --deep",
            (arguments, output, ct) => BackupFailures.Say(async () =>
            {
                using var place = BackupPlace.At(arguments.GetValue(where)!, Verb.Settings(arguments));
                var all = await Examined(place, await StoredBackup.In(place, ct), arguments.GetValue(deep), ct);
                output.Table(["when", "revision", "engine", "format", ">size", ">rows", "state", "!file"], all.Select(kept => (IReadOnlyList<string?>)
                [
                    kept.Manifest?.StartedAt.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture), kept.Manifest?.SchemaRevision, kept.Manifest?.Engine,
                    kept.Manifest is { } manifest ? manifest.Format + (manifest.SchemaOnly ? " schema-only" : "") + (manifest.Compression == "gzip" ? " gzip" : "") : null,
                    kept.Bytes?.ToString(CultureInfo.InvariantCulture), kept.Manifest?.AllRows.ToString(CultureInfo.InvariantCulture), kept.Words, kept.Name,
                ]));
                output.Document(new { place = place.Display, backups = all.Select(kept => new { file = kept.Name, state = kept.State, fault = kept.Fault, bytes = kept.Bytes, manifest = kept.Manifest }) });
                return ExitCode.Ok;
            }));
        command.Arguments.Add(where);
        command.Options.Add(deep);
        return command;
    }

    private static Command Verify()
    {
        var what = new Argument<string>("what") { Description = "A backup, as a path or address; or all.", HelpName = "FILE or all" };
        var where = Place();
        var command = Verb.On("verify", "Read backups to their end and compare them with their manifests. Exits 4 when one is damaged, 1 when there is none.",
            "backups verify /var/backups/catalog/catalog-20261121T103000Z-0a1b2c3d.dump\nbackups verify all s3://company-backups/catalog",
            (arguments, output, ct) => BackupFailures.Say(async () =>
            {
                var one = arguments.GetValue(what)! is not "all" and var file ? file : null;
                var (place, name) = one is null ? (BackupPlace.At(arguments.GetValue(where)!, Verb.Settings(arguments)), null) : RestoreVerb.Located(arguments, one);
                using var source = place;
                var chosen = (await StoredBackup.In(place, ct)).Where(kept => name is null || kept.Name == name).ToList();
                if (chosen.Count == 0)
                {
                    throw new BackupException(ExitCode.Failed, "no_backup", $"There is no backup in {place.Display}{(name is null ? "" : $" called {name}")}.");
                }

                var all = new List<StoredBackup>();
                foreach (var kept in chosen)
                {
                    all.Add(await kept.Examined(place, ct));
                    output.Line(all[^1].State switch
                    {
                        BackupState.Complete => $"good {kept.Name}: {kept.Manifest!.Bytes} bytes, SHA-256 {kept.Manifest.Sha256[..16]}, read to the end, {kept.Manifest.Rows.Count} tables, {kept.Manifest.AllRows} rows",
                        BackupState.NoManifest => $"no manifest {kept.Name}: it is no backup",
                        _ => $"damaged {kept.Name}: {all[^1].Fault}",
                    });
                }

                output.Document(new { place = place.Display, checked_backups = all.Count, backups = all.Select(kept => new { file = kept.Name, state = kept.State, fault = kept.Fault, bytes = kept.Bytes, rows = kept.Manifest?.AllRows }) });
                // In a folder, one without a manifest may be in the making; one that was named should have had it.
                return all.Any(kept => kept.State == BackupState.Damaged || (name is not null && kept.State != BackupState.Complete)) ? ExitCode.Drift
                    : all.Any(kept => kept.State == BackupState.Complete) ? ExitCode.Ok : ExitCode.Failed;
            }));
        command.Arguments.Add(what);
        command.Arguments.Add(where);
        return command;
    }

    private static Command Prune()
    {
        var where = Place();
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be removed, and remove nothing." };
        var retention = new BackupRotationOptions();
        var command = Verb.On("prune",
            "Remove old backups. Counts only good ones, keeps the newest ones whatever their age, and refuses when the newest is not good.",
            "backups prune /var/backups/catalog --keep-last 7 --keep-daily 14 --keep-weekly 8 --keep-monthly 12 --dry-run",
            (arguments, output, ct) => BackupFailures.Say(async () =>
            {
                using var place = BackupPlace.At(arguments.GetValue(where)!, Verb.Settings(arguments));
                var removed = await Pruning.Prune(place, retention.Read(arguments), retention.Shallow(arguments), arguments.GetValue(dryRun), TimeProvider.System, output, ct);
                output.Line($"{removed.Count} {(arguments.GetValue(dryRun) ? "would be removed" : "removed")} from {place.Display}");
                output.Document(new { place = place.Display, dry_run = arguments.GetValue(dryRun), removed });
                return ExitCode.Ok;
            }));
        command.Arguments.Add(where);
        command.Options.Add(dryRun);
        retention.AddTo(command);
        return command;
    }

    private static async Task<IReadOnlyList<StoredBackup>> Examined(BackupPlace place, IReadOnlyList<StoredBackup> all, bool deep, CancellationToken ct)
    {
        if (!deep)
        {
            return all;
        }

        var examined = new List<StoredBackup>();
        foreach (var kept in all)
        {
            examined.Add(await kept.Examined(place, ct));
        }

        return examined;
    }
}
