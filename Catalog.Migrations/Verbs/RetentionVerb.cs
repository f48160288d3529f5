using System.CommandLine;
using System.Globalization;
using Catalog.Data;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Catalog.Migrations.Doctor;
using Catalog.Migrations.Retention;

namespace Catalog.Migrations.Verbs;

internal static class RetentionVerb
{
    private static readonly RemovalLimits Default = new();

    public static Command Command()
    {
        var apply = new Argument<string?>("apply") { Description = "Remove. Without this word and without --dry-run nothing is looked at.", Arity = ArgumentArity.ZeroOrOne };
        apply.AcceptOnlyFromAmong("apply");
        var dryRun = new Option<bool>("--dry-run") { Description = "Count what would be removed, by organization and kind, and write nothing." };
        var organization = new Option<string?>("--organization") { Description = "Of this organization alone.", HelpName = "ID" };
        var kinds = new Option<string[]>("--kind") { Description = "Of this kind alone; may be given several times.", HelpName = "KIND" };
        kinds.AcceptOnlyFromAmong([.. Enum.GetValues<RetentionKind>().Select(Output.Code)]);
        var batch = new Option<int>("--batch") { Description = "Rows of one transaction.", DefaultValueFactory = _ => Default.Batch, HelpName = "ROWS" };
        batch.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var rows) && rows is >= 1 and <= 50_000))
            {
                result.AddError("--batch must be a whole number from 1 to 50000.");
            }
        });
        var pause = LimitOptions.Seconds("--pause", Default.Pause, "Seconds to rest between two transactions; at least as long as the one before it took.");
        var lockTimeout = LimitOptions.Seconds("--lock-timeout", Default.LockTimeout, "Seconds that a statement waits for a lock on a table; on Postgres.");
        var wait = LimitOptions.Seconds("--wait", Default.Patience, "Seconds to wait for another retention to finish.");
        var command = Verb.On("retention",
            "Remove runs, events, check results and deleted pipelines that are older than DATAXPIPE_RETENTION_RUNS_DAYS, _RESULTS_DAYS and _EVENTS_DAYS say, or an organization's own smaller numbers, "
            + "in small transactions beside traffic. Interrupted, run it again. Exits 0 when done, 1 when interrupted, 3 when scripts are pending, 5 when another retention or a lock is in the way.",
            "retention --dry-run\nretention apply\nretention apply --organization acme --kind results --batch 1000 --pause 0.5",
            (database, arguments, output, ct) =>
            {
                var scope = new RemovalScope(
                    arguments.GetValue(kinds) is { Length: > 0 } named ? Enum.GetValues<RetentionKind>().Where(kind => named.Contains(Output.Code(kind))).ToHashSet() : RemovalScope.All.Kinds,
                    arguments.GetValue(organization));
                var limits = new RemovalLimits
                {
                    Batch = arguments.GetValue(batch),
                    Pause = TimeSpan.FromSeconds(arguments.GetValue(pause)),
                    LockTimeout = TimeSpan.FromSeconds(arguments.GetValue(lockTimeout)),
                    Patience = TimeSpan.FromSeconds(arguments.GetValue(wait)),
                };
                return Run(database, RetentionDays.Read(Verb.Settings(arguments)), scope, limits, arguments.GetValue(dryRun), output, ct);
            });
        command.Arguments.Add(apply);
        foreach (var option in new Option[] { dryRun, organization, kinds, batch, pause, lockTimeout, wait })
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (result.GetValue(dryRun) == (result.GetValue(apply) is not null))
            {
                result.AddError("Say either `retention --dry-run` or `retention apply`.");
            }
        });
        return command;
    }

    private static async Task<int> Run(MigrationDatabase database, RetentionDays days, RemovalScope scope, RemovalLimits limits, bool dryRun, Output output, CancellationToken ct)
    {
        var standing = await new Migrator(database, Chain.BuiltIn(database.Dialect.Folder), TimeProvider.System).ReadStatus(ct);
        if (standing.Pending.Count > 0)
        {
            output.Error("pending", $"The database is at {standing.Current}, and {Quantity.Of(standing.Pending.Count, "script is", "scripts are")} pending: run `catalog-migrations upgrade` first. Nothing was removed.");
            return ExitCode.Pending;
        }

        var removal = new Removal(database, days, TimeProvider.System, limits) { Progress = Progress(output), Waiting = holder => output.Progress($"waiting for {holder}") };
        RemovalReport report;
        try
        {
            report = dryRun ? await removal.Count(scope, ct) : await removal.Apply(scope, ct);
        }
        catch (OperationCanceledException)
        {
            return Interrupted(dryRun, output);
        }

        Say(report, dryRun, output);
        if (report.Interrupted)
        {
            return Interrupted(dryRun, output);
        }

        output.Document(new
        {
            dry_run = dryRun,
            runs_days = days.Runs,
            results_days = days.Results,
            events_days = days.Events,
            rows = report.AllRows,
            items = report.Items.Select(item => new
            {
                item.Organization,
                item.Kind,
                item.KeptDays,
                item.Before,
                rows = item.Rows.ToDictionary(table => table.Table, table => table.Rows),
            }),
        });
        return ExitCode.Ok;
    }

    private static int Interrupted(bool dryRun, Output output)
    {
        output.Error("interrupted", dryRun
            ? "Interrupted. Nothing was written."
            : "Interrupted between two transactions. What was removed stays removed and is in the audit log: run the same command again, and it goes on.");
        return ExitCode.Failed;
    }

    private static Action<Removed>? Progress(Output output)
    {
        var said = Environment.TickCount64;
        return output.Json ? null : removed =>
        {
            if (Environment.TickCount64 - said >= 1000)
            {
                said = Environment.TickCount64;
                output.Progress($"{removed.Organization} {Output.Code(removed.Kind)} {Quantity.Of(removed.AllRows, "row", "rows")} removed");
            }
        };
    }

    private static void Say(RemovalReport report, bool dryRun, Output output)
    {
        if (report.Items.Count > 0)
        {
            output.Table(["organization", "kind", "before", ">kept days", ">rows", "with"], report.Items.Select(item => new[]
            {
                item.Organization, Output.Code(item.Kind), item.Before.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture), item.KeptDays.ToString(CultureInfo.InvariantCulture),
                Quantity.Number(item.Rows[0].Rows), string.Join(", ", item.Rows.Skip(1).Where(table => table.Rows > 0).Select(table => $"{Quantity.Number(table.Rows)} {table.Table}")),
            }));
        }

        output.Line(report switch
        {
            { Bounds: 0 } => "nothing to do: everything is kept. DATAXPIPE_RETENTION_RUNS_DAYS, _RESULTS_DAYS and _EVENTS_DAYS say for how many days instead",
            { Items.Count: 0 } => "nothing to do: nothing is older than it is kept",
            _ => $"{Quantity.Of(report.AllRows, "row", "rows")} {(dryRun ? "would be removed; nothing was written" : "removed")}",
        });
    }
}
