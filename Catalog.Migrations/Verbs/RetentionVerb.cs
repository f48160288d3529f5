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
        var apply = new Argument<string?>("apply")
        {
            Description = "Remove the rows. Either this word or --dry-run is required.",
            Arity = ArgumentArity.ZeroOrOne
        };
        apply.AcceptOnlyFromAmong("apply");
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Count what would be removed, per organization and kind; change nothing."
        };
        var organization = new Option<string?>("--organization") { Description = "Only for this organization.", HelpName = "ID" };
        var kinds = new Option<string[]>("--kind") { Description = "Only this kind of data; may be repeated.", HelpName = "KIND" };
        kinds.AcceptOnlyFromAmong([.. Enum.GetValues<RetentionKind>().Select(Output.Code)]);
        var batch = new Option<int>("--batch")
        {
            Description = "Rows to remove per transaction.",
            DefaultValueFactory = _ => Default.Batch,
            HelpName = "ROWS"
        };
        batch.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0
                && !(int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var rows)
                    && rows is >= 1 and <= 50_000))
            {
                result.AddError("--batch must be a whole number from 1 to 50000.");
            }
        });
        var pause = LimitOptions.Seconds("--pause", Default.Pause,
            "Seconds to pause between two transactions; the pause is at least as long as the previous transaction took.");
        var lockTimeout = LimitOptions.Seconds(
            "--lock-timeout", Default.LockTimeout, "Postgres only: seconds that a statement waits for a table lock.");
        var wait = LimitOptions.Seconds("--wait", Default.MaxWait, "Seconds to wait for another retention run to finish.");
        var command = Verb.On("retention",
            "Remove runs, events, check results and deleted pipelines that are older than DATAXPIPE_RETENTION_RUNS_DAYS, "
                + "_RESULTS_DAYS and _EVENTS_DAYS, or an organization's own smaller limits. "
            + "Removes in small transactions while the service runs; after an interruption, run it again. Exits 0 when done, 1 when "
            + "interrupted, 3 when scripts are pending, 5 when another retention run or a table lock blocks it.",
            "retention --dry-run\nretention apply\nretention apply --organization acme --kind results --batch 1000 --pause 0.5",
            (database, arguments, output, ct) =>
            {
                var scope = new RemovalScope(
                    arguments.GetValue(kinds) is { Length: > 0 } named ? Enum.GetValues<RetentionKind>()
                        .Where(kind => named.Contains(Output.Code(kind))).ToHashSet() : RemovalScope.All.Kinds,
                    arguments.GetValue(organization));
                var limits = new RemovalLimits
                {
                    Batch = arguments.GetValue(batch),
                    Pause = TimeSpan.FromSeconds(arguments.GetValue(pause)),
                    LockTimeout = TimeSpan.FromSeconds(arguments.GetValue(lockTimeout)),
                    MaxWait = TimeSpan.FromSeconds(arguments.GetValue(wait)),
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
                result.AddError("Use either `retention --dry-run` or `retention apply`.");
            }
        });
        return command;
    }

    private static async Task<int> Run(MigrationDatabase database, RetentionDays days, RemovalScope scope, RemovalLimits limits,
        bool dryRun, Output output, CancellationToken ct)
    {
        var status = await new Migrator(database, Chain.BuiltIn(database.Dialect.Folder), TimeProvider.System).ReadStatus(ct);
        if (status.Pending.Count > 0)
        {
            output.Error(
                "pending", $"The database is at {status.Current}, and "
                    + $"{Quantity.Of(status.Pending.Count, "script is", "scripts are")} pending: run `catalog-migrations upgrade` "
                    + "first. Nothing was removed.");
            return ExitCode.Pending;
        }

        var removal = new OldDataRemoval(database, days, TimeProvider.System, limits)
        {
            Progress = Progress(output),
            Waiting = holder => output.Progress($"waiting for {holder}")
        };
        RemovalReport report;
        try
        {
            report = dryRun ? await removal.Count(scope, ct) : await removal.Apply(scope, ct);
        }
        catch (OperationCanceledException)
        {
            return Interrupted(dryRun, output);
        }

        Print(report, dryRun, output);
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
            : "Interrupted between two transactions. Removed rows stay removed and are in the audit log. Run the same command again "
                + "to continue.");
        return ExitCode.Failed;
    }

    private static Action<Removed>? Progress(Output output)
    {
        var lastShown = Environment.TickCount64;
        return output.Json ? null : removed =>
        {
            if (Environment.TickCount64 - lastShown >= 1000)
            {
                lastShown = Environment.TickCount64;
                output.Progress(
                    $"{removed.Organization} {Output.Code(removed.Kind)} {Quantity.Of(removed.AllRows, "row", "rows")} removed");
            }
        };
    }

    private static void Print(RemovalReport report, bool dryRun, Output output)
    {
        if (report.Items.Count > 0)
        {
            output.Table(["organization", "kind", "before", ">kept days", ">rows", "with"], report.Items.Select(item => new[]
            {
                item.Organization, Output.Code(item.Kind), item.Before.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                item.KeptDays.ToString(CultureInfo.InvariantCulture),
                Quantity.Number(item.Rows[0].Rows), string.Join(
                    ", ", item.Rows.Skip(1).Where(table => table.Rows > 0).Select(table => $"{Quantity.Number(table.Rows)} {table.Table}")),
            }));
        }

        output.Line(report switch
        {
            { Bounds: 0 } =>
                "nothing to do: no retention is set. Set DATAXPIPE_RETENTION_RUNS_DAYS, _RESULTS_DAYS or _EVENTS_DAYS to a number of days",
            { Items.Count: 0 } => "nothing to do: no data is older than its retention",
            _ => $"{Quantity.Of(report.AllRows, "row", "rows")} {(dryRun ? "would be removed; nothing was written" : "removed")}",
        });
    }
}
