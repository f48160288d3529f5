using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Backup;
using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations.Verbs;

/// <summary>Rehearses a restore: restores the newest good backup into a scratch database and starts the service on it.</summary>
internal static class DrillVerb
{
    private static readonly string[] Paths = ["/api/v1/pipelines/", "/api/v1/runs/", "/api/v1/checks/"];

    public static Command Command()
    {
        var where = BackupsVerb.Place();
        var api = new Option<string?>("--api")
        {
            Description = "Path of Catalog.Api.dll. Default: the file in this program's folder.",
            HelpName = "FILE"
        };
        var command = Verb.On("drill",
            "Rehearse a restore: restore the newest good backup into a scratch database (on Postgres on the server of DATAXPIPE_DB), "
                + "verify it, start the service on it and send read requests. "
            + "Reports the recovery time (RTO) and the possible data loss (RPO). Exits 4 when the newest backup is not good or the "
            + "restored data differs.",
            "backups drill /var/backups/catalog\nbackups drill s3://company-backups/catalog --api /app/api/Catalog.Api.dll --json",
            (database, arguments, output, ct) => BackupFailures.Translate(() =>
                Run(database, arguments, arguments.GetValue(where)!, arguments.GetValue(api), output, ct)));
        command.Arguments.Add(where);
        command.Options.Add(api);
        return command;
    }

    private static async Task<int> Run(MigrationDatabase database, ParseResult arguments, string where, string? api, Output output,
        CancellationToken ct)
    {
        var program = ApiProcess.Find(api);
        using var place = BackupPlace.At(where, Verb.Settings(arguments));
        var steps = new Steps(output);
        var backups = (await StoredBackup.List(place, ct)).Where(backup => backup.Manifest is { SchemaOnly: false } manifest
            && manifest.Engine == database.Dialect.Folder).ToList();
        using var folder = new TemporaryFolder();
        var damaged = new List<StoredBackup>();
        var (backup, file) = await steps.Measure("fetched and read completely", () =>
            NewestGood(place, backups, folder.Path, damaged, output, ct));
        var manifest = backup.Manifest!;

        await using var scratch = database.Settings.Engine == DatabaseEngine.Postgres ? await steps.Measure(
            "scratch database created", () => PostgresScratch.Create(database, TimeProvider.System.Now(), ct)) : null;
        var address = scratch?.Uri ?? $"sqlite:///{Path.Combine(folder.Path, "drill.db")}";
        await using var restored = MigrationDatabase.Open(
            DatabaseSettings.Read(new ConfigurationBuilder()
                .AddInMemoryCollection(new Dictionary<string, string?> { ["DATAXPIPE_DB"] = address }).Build()));
        await steps.Measure("restored", () =>
            BackupRestore.Run(restored, file, manifest, (name, _) =>
                throw new InvalidOperationException($"The scratch database {name} is not empty."), DatabaseSettings.ReadAppRole(
                    Verb.Settings(arguments)), ct));
        var differences = await steps.Measure("verified and counted", () => Compare(restored, manifest, ct));
        var chain = Chain.BuiltIn(database.Dialect.Folder);
        if (manifest.SchemaRevision != chain.Scripts[^1].Revision)
        {
            await steps.Measure("upgraded to this build's schema", () =>
                new Migrator(restored, chain, TimeProvider.System).Upgrade(Chain.Head, again: false, ct));
        }

        using (var service = await steps.Measure("service ready", () => ApiProcess.Start(program, address, ct)))
        {
            var recovery = steps.Total;
            foreach (var path in Paths)
            {
                await steps.Measure($"read {path}", () => service.Get(path, ct));
            }

            Report(output, place, backup, damaged, differences, steps, recovery,
                [.. backups.Where(other => other.State == BackupState.Complete && other.Manifest!.Database == manifest.Database
                    && !damaged.Contains(other))]);
        }

        return differences.Count > 0 || damaged.Count > 0 ? ExitCode.Drift : ExitCode.Ok;
    }

    private static async Task<(StoredBackup Backup, string Path)> NewestGood(BackupPlace place, IReadOnlyList<StoredBackup> backups,
        string folder, List<StoredBackup> damaged, Output output, CancellationToken ct)
    {
        foreach (var backup in backups)
        {
            var fault = backup.Fault;
            if (backup.State == BackupState.Complete)
            {
                var path = await place.Fetch(backup.Name, folder, ct);
                if (await BackupCheck.FindFaults(path, backup.Manifest!, ct) is not { Count: > 0 } faults)
                {
                    return (backup, path);
                }

                fault = faults[0];
            }

            output.Line($"damaged {backup.Name}: {fault}");
            damaged.Add(backup);
        }

        throw new BackupException(damaged.Count > 0 ? ExitCode.Drift : ExitCode.Failed, "no_backup",
            $"No good backup of this engine was found in {place.Display}. Correct the path, or take a backup first.");
    }

    private static async Task<IReadOnlyList<string>> Compare(MigrationDatabase restored, Manifest manifest, CancellationToken ct)
    {
        var chain = Chain.BuiltIn(restored.Dialect.Folder);
        var found = await DatabaseContents.Read(restored, ct);
        return
        [
            .. BackupCheck.Differences(manifest.OwnRows, found.Rows),
            .. found.Fingerprint != manifest.SchemaFingerprint
                ? ["the schema differs from the one that was backed up"] : Array.Empty<string>(),
            .. found.Revision != manifest.SchemaRevision
                ? [$"the journal ends at {found.Revision} and should end at {manifest.SchemaRevision}"] : Array.Empty<string>(),
            // The backup can contain objects that no script creates, such as an index of an administrator. So such
            // objects are not a fault.
            .. (await VerifyVerb.Compare(new Migrator(restored, chain, TimeProvider.System), chain, ct))
            .Faults.Select(fault => fault.Message)
                .Where(fault => !fault.StartsWith("unexpected: ", StringComparison.Ordinal)),
        ];
    }

    private static void Report(Output output, BackupPlace place, StoredBackup backup, List<StoredBackup> damaged,
        IReadOnlyList<string> faults, Steps steps, TimeSpan recovery, IReadOnlyList<StoredBackup> good)
    {
        var manifest = backup.Manifest!;
        var age = TimeProvider.System.Now() - manifest.StartedAt;
        var longest = good.Zip(good.Skip(1), (newer, older) => newer.Manifest!.StartedAt - older.Manifest!.StartedAt).DefaultIfEmpty()
            .Max();
        foreach (var fault in faults)
        {
            output.Line($"difference: {fault}");
        }

        output.Line(
            string.Create(CultureInfo.InvariantCulture,
                $"drill {(faults.Count == 0 ? "passed" : "failed")}: {backup.Name}, {manifest.SchemaRevision}, {manifest.AllRows} rows"));
        output.Line(
            string.Create(
                CultureInfo.InvariantCulture, $"RTO {recovery.TotalSeconds:0.0} s from the first byte read until the service is ready"));
        output.Line(good.Count > 1
            ? $"RPO: the newest good backup is {Span(age)} old; the longest interval between two of {good.Count} good backups is "
                + $"{Span(longest)}"
            : $"RPO: the newest good backup is {Span(age)} old; there is no second backup to measure an interval");
        output.Document(new
        {
            passed = faults.Count == 0,
            backup = backup.Name,
            place = place.Display,
            revision = manifest.SchemaRevision,
            rows = manifest.AllRows,
            faults,
            damaged = damaged.Select(other => other.Name),
            steps = steps.Done.Select(step => new { step = step.Name, seconds = Math.Round(step.Elapsed.TotalSeconds, 3) }),
            rto_seconds = Math.Round(recovery.TotalSeconds, 3),
            rpo_seconds = Math.Round(age.TotalSeconds),
            longest_interval_seconds = good.Count > 1 ? Math.Round(longest.TotalSeconds) : (double?)null,
        });
    }

    private static string Span(TimeSpan span) =>
        span.TotalHours >= 48 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0.0} days")
        : span.TotalMinutes >= 90 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0.0} h")
        : string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0} s");

    /// <summary>The completed steps and their durations.</summary>
    private sealed class Steps(Output output)
    {
        private readonly List<(string Name, TimeSpan Elapsed)> _done = [];

        public IReadOnlyList<(string Name, TimeSpan Elapsed)> Done => _done;

        public TimeSpan Total => _done.Aggregate(TimeSpan.Zero, (sum, step) => sum + step.Elapsed);

        public async Task<T> Measure<T>(string name, Func<Task<T>> work)
        {
            var clock = Stopwatch.StartNew();
            var result = await work();
            _done.Add((name, clock.Elapsed));
            output.Line(string.Create(CultureInfo.InvariantCulture, $"{clock.Elapsed.TotalSeconds,8:0.000} s  {name}"));
            return result;
        }

        public Task Measure(string name, Func<Task> work) => Measure(name, async () =>
        {
            await work();
            return true;
        });
    }
}
