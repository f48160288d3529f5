using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Backup;
using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations.Verbs;

/// <summary>Rehearses the day on which a backup is needed, with the newest good one and a database of its own.</summary>
internal static class DrillVerb
{
    private static readonly string[] Reads = ["/api/v1/pipelines/", "/api/v1/runs/", "/api/v1/checks/"];

    public static Command Command()
    {
        var where = BackupsVerb.Place();
        var api = new Option<string?>("--api") { Description = "The path of Catalog.Api.dll; when it is not said, the one beside this program.", HelpName = "FILE" };
        var command = Verb.On("drill",
            "Restore the newest good backup into a scratch database (on Postgres beside the one that DATAXPIPE_DB names), verify it, start the service on it and read; then say how long it took and how much could be lost. "
            + "Exits 4 when the newest backup was not good or the restored one differs.",
            "backups drill /var/backups/catalog\nbackups drill s3://company-backups/catalog --api /app/api/Catalog.Api.dll --json",
            (database, arguments, output, ct) => BackupFailures.Say(async () =>
            {
                var program = ApiProcess.Find(arguments.GetValue(api));
                using var place = BackupPlace.At(arguments.GetValue(where)!, Verb.Settings(arguments));
                var steps = new Steps(output);
                var all = (await StoredBackup.In(place, ct)).Where(kept => kept.Manifest is { SchemaOnly: false } manifest && manifest.Engine == database.Dialect.Folder).ToList();
                using var folder = new TemporaryFolder();
                var damaged = new List<StoredBackup>();
                var (chosen, path) = await steps.Measure("fetched and read to the end", () => NewestGood(place, all, folder.Path, damaged, output, ct));
                var manifest = chosen.Manifest!;

                await using var scratch = database.Settings.Engine == DatabaseEngine.Postgres ? await steps.Measure("scratch database made", () => PostgresScratch.Make(database, TimeProvider.System.Now(), ct)) : null;
                var address = scratch?.Uri ?? $"sqlite:///{Path.Combine(folder.Path, "drill.db")}";
                await using var restored = MigrationDatabase.Open(DatabaseSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["DATAXPIPE_DB"] = address }).Build()));
                await steps.Measure("restored", () => BackupRestore.Run(restored, path, manifest, (name, _) => throw new InvalidOperationException($"{name} was to be empty."), DatabaseSettings.ReadAppRole(Verb.Settings(arguments)), ct));
                var faults = await steps.Measure("verified and counted", () => Compare(restored, manifest, ct));
                var chain = Chain.BuiltIn(database.Dialect.Folder);
                if (manifest.SchemaRevision != chain.Scripts[^1].Revision)
                {
                    await steps.Measure("upgraded to this build's schema", () => new Migrator(restored, chain, TimeProvider.System).Upgrade(Chain.Head, again: false, ct));
                }

                using (var service = await steps.Measure("service ready", () => ApiProcess.Start(program, address, ct)))
                {
                    var recovery = steps.Total;
                    foreach (var read in Reads)
                    {
                        await steps.Measure($"read {read}", () => service.Get(read, ct));
                    }

                    Report(output, place, chosen, damaged, faults, steps, recovery, [.. all.Where(kept => kept.State == BackupState.Complete && kept.Manifest!.Database == manifest.Database && !damaged.Contains(kept))]);
                }

                return faults.Count > 0 || damaged.Count > 0 ? ExitCode.Drift : ExitCode.Ok;
            }));
        command.Arguments.Add(where);
        command.Options.Add(api);
        return command;
    }

    private static async Task<(StoredBackup Chosen, string Path)> NewestGood(BackupPlace place, IReadOnlyList<StoredBackup> all, string folder, List<StoredBackup> damaged, Output output, CancellationToken ct)
    {
        foreach (var kept in all)
        {
            var fault = kept.Fault;
            if (kept.State == BackupState.Complete)
            {
                var path = await place.Fetch(kept.Name, folder, ct);
                if (await BackupCheck.Faults(path, kept.Manifest!, ct) is not { Count: > 0 } faults)
                {
                    return (kept, path);
                }

                fault = faults[0];
            }

            output.Line($"damaged {kept.Name}: {fault}");
            damaged.Add(kept);
        }

        throw new BackupException(damaged.Count > 0 ? ExitCode.Drift : ExitCode.Failed, "no_backup", $"There is no good backup in {place.Display}.");
    }

    private static async Task<IReadOnlyList<string>> Compare(MigrationDatabase restored, Manifest manifest, CancellationToken ct)
    {
        var chain = Chain.BuiltIn(restored.Dialect.Folder);
        var found = await DatabaseContents.Read(restored, ct);
        return
        [
            .. BackupCheck.Differences(manifest.OwnRows, found.Rows),
            .. found.Fingerprint != manifest.SchemaFingerprint ? ["the schema is not the one that was backed up"] : Array.Empty<string>(),
            .. found.Revision != manifest.SchemaRevision ? [$"the journal ends at {found.Revision}"] : Array.Empty<string>(),
            // What the source has beyond the scripts, such as an index of its administrator, is no fault of the backup that brings it back.
            .. (await VerifyVerb.Look(new Migrator(restored, chain, TimeProvider.System), chain, ct)).Faults.Select(fault => fault.Message)
                .Where(fault => !fault.StartsWith("unexpected: ", StringComparison.Ordinal)),
        ];
    }

    private static void Report(Output output, BackupPlace place, StoredBackup chosen, List<StoredBackup> damaged, IReadOnlyList<string> faults, Steps steps, TimeSpan recovery, IReadOnlyList<StoredBackup> good)
    {
        var manifest = chosen.Manifest!;
        var age = TimeProvider.System.Now() - manifest.StartedAt;
        var longest = good.Zip(good.Skip(1), (newer, older) => newer.Manifest!.StartedAt - older.Manifest!.StartedAt).DefaultIfEmpty().Max();
        foreach (var fault in faults)
        {
            output.Line($"not as it should be: {fault}");
        }

        output.Line(string.Create(CultureInfo.InvariantCulture, $"drill {(faults.Count == 0 ? "passed" : "failed")}: {chosen.Name}, {manifest.SchemaRevision}, {manifest.AllRows} rows"));
        output.Line(string.Create(CultureInfo.InvariantCulture, $"RTO {recovery.TotalSeconds:0.0} s from the first byte read to a service that is ready"));
        output.Line(good.Count > 1
            ? $"RPO: the newest good backup is {Span(age)} old; the longest time between two of the {good.Count} kept is {Span(longest)}"
            : $"RPO: the newest good backup is {Span(age)} old; there is no other to measure an interval by");
        output.Document(new
        {
            passed = faults.Count == 0,
            backup = chosen.Name,
            place = place.Display,
            revision = manifest.SchemaRevision,
            rows = manifest.AllRows,
            faults,
            damaged = damaged.Select(kept => kept.Name),
            steps = steps.Done.Select(step => new { step = step.Words, seconds = Math.Round(step.Took.TotalSeconds, 3) }),
            rto_seconds = Math.Round(recovery.TotalSeconds, 3),
            rpo_seconds = Math.Round(age.TotalSeconds),
            longest_interval_seconds = good.Count > 1 ? Math.Round(longest.TotalSeconds) : (double?)null,
        });
    }

    private static string Span(TimeSpan span) => span.TotalHours >= 48 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0.0} days")
        : span.TotalMinutes >= 90 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0.0} h")
        : string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0} s");

    /// <summary>What was done and how long each took.</summary>
    private sealed class Steps(Output output)
    {
        private readonly List<(string Words, TimeSpan Took)> _done = [];

        public IReadOnlyList<(string Words, TimeSpan Took)> Done => _done;

        public TimeSpan Total => _done.Aggregate(TimeSpan.Zero, (sum, step) => sum + step.Took);

        public async Task<T> Measure<T>(string words, Func<Task<T>> work)
        {
            var clock = Stopwatch.StartNew();
            var result = await work();
            _done.Add((words, clock.Elapsed));
            output.Line(string.Create(CultureInfo.InvariantCulture, $"{clock.Elapsed.TotalSeconds,8:0.000} s  {words}"));
            return result;
        }

        public Task Measure(string words, Func<Task> work) => Measure(words, async () =>
        {
            await work();
            return true;
        });
    }
}
