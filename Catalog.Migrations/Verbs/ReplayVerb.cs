using System.CommandLine;
using System.Globalization;
using Catalog.Data;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Catalog.Migrations.Replay;

namespace Catalog.Migrations.Verbs;

internal static class ReplayVerb
{
    public static Command Command()
    {
        var apply = new Argument<string?>("apply")
        {
            Description = "Replace the rows that differ. Either this word or --dry-run is required.",
            Arity = ArgumentArity.ZeroOrOne
        };
        apply.AcceptOnlyFromAmong("apply");
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what differs; change nothing." };
        var organization = new Option<string?>("--organization") { Description = "Only for this organization.", HelpName = "ID" };
        var since = new Option<string?>("--since")
        {
            Description = "Replays only events that were received, or happened, at or after this time. Rows that an earlier event "
                + "reported do not change.",
            HelpName = "TIME"
        };
        var wait = LimitOptions.Seconds(
            "--wait", TimeSpan.FromSeconds(60), "Seconds to wait for a retention run or another replay to finish.");
        since.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !Rfc3339.TryParse(result.Tokens[0].Value, out _))
            {
                result.AddError("--since must be a time with its offset, such as 2026-11-01T00:00:00Z.");
            }
        });
        var command = Verb.On("replay",
            "Read the stored events of OpenLineage, dbt and OTLP again with this build, write what follows from them to separate "
                + "tables, and compare these with the live tables. `replay apply` replaces the rows that differ, in one transaction for "
                + "each organization; new events wait meanwhile. Posted runs and results do not change. Rows from before the last event "
                + "that retention removed are not replayed. Exits 0 when nothing differs or all was replaced, 3 when scripts are "
                + "pending, 4 when a dry run "
                + "found differences, 5 when a retention run or another replay blocks it.",
            "replay --dry-run\nreplay apply --organization acme\nreplay --dry-run --since 2026-11-01T00:00:00Z --json",
            (database, arguments, output, ct) => Run(database, RetentionDays.Read(Verb.Settings(arguments)),
                arguments.GetValue(organization),
                arguments.GetValue(since) is { } text && Rfc3339.TryParse(text, out var from) ? from : null,
                arguments.GetValue(apply) is not null, TimeSpan.FromSeconds(arguments.GetValue(wait)), output, ct));
        command.Arguments.Add(apply);
        foreach (var option in new Option[] { dryRun, organization, since, wait })
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (result.GetValue(dryRun) == (result.GetValue(apply) is not null))
            {
                result.AddError("Use either `replay --dry-run` or `replay apply`.");
            }
        });
        return command;
    }

    private static async Task<int> Run(MigrationDatabase database, RetentionDays days, string? organization, DateTimeOffset? since,
        bool apply, TimeSpan wait, Output output, CancellationToken ct)
    {
        var status = await new Migrator(database, Chain.BuiltIn(database.Dialect.Folder), TimeProvider.System).ReadStatus(ct);
        if (status.Pending.Count > 0)
        {
            output.Error("pending", $"The database is at {status.Current}, and "
                + $"{Quantity.Of(status.Pending.Count, "script is", "scripts are")} pending: run `catalog-migrations upgrade` first. "
                + "Nothing was replayed.");
            return ExitCode.Pending;
        }

        var replay = new EventReplay(database, days, TimeProvider.System)
        {
            MaxWait = wait,
            Progress = (id, events) => output.Progress($"{id}: {Quantity.Of(events, "event", "events")} folded"),
        };
        ReplayReport report;
        try
        {
            report = await replay.Run(organization, since, apply, ct);
        }
        catch (OperationCanceledException)
        {
            output.Error("interrupted", "Interrupted. The organization in progress is unchanged. Run the same command again.");
            return ExitCode.Failed;
        }

        Print(report, apply, output);
        output.Document(new { dry_run = !apply, differs = report.Differs, organizations = report.Organizations });
        return report.Differs && !apply ? ExitCode.Drift : ExitCode.Ok;
    }

    private static void Print(ReplayReport report, bool apply, Output output)
    {
        foreach (var organization in report.Organizations)
        {
            output.Line($"{organization.Organization}: {Quantity.Of(organization.Events, "event", "events")} folded"
                + (organization.FoldSeconds < 1 ? "" : string.Create(CultureInfo.InvariantCulture,
                    $" in {organization.FoldSeconds:0} s ({organization.Events / organization.FoldSeconds:0}/s)"))
                + (organization.Unreadable == 0 ? "" : $", {Quantity.Of(organization.Unreadable, "event", "events")} cannot be read")
                + (organization.Horizon is not { } horizon ? "" : string.Create(
                    CultureInfo.InvariantCulture, $", none from before {horizon:yyyy-MM-dd HH:mm:ss'Z'}")
                    + (organization.IsHorizonOfRetention ? ", whose bodies retention removed" : "")
                    + ": older rows are unchanged")
                + (apply && organization.Runs > 0 ? $"; {Quantity.Of(organization.Runs, "run", "runs")} folded again" : "")
                + (apply ? string.Create(CultureInfo.InvariantCulture, $"; events waited {organization.LockedSeconds:0.0} s") : ""));
        }

        var rows = report.Organizations
            .SelectMany(organization => organization.Tables.Select(table => (organization.Organization, table))).ToList();
        if (rows.Count > 0)
        {
            string[] columns =
                ["organization", "table", ">live", ">replayed", ">only live", ">only replayed", ">different", "first keys"];
            output.Table(columns, rows.Select(row => new[]
            {
                row.Organization, row.table.Table, Quantity.Number(row.table.Live), Quantity.Number(row.table.Replayed),
                Quantity.Number(row.table.OnlyLive), Quantity.Number(row.table.OnlyReplayed), Quantity.Number(row.table.Different),
                string.Join("; ", row.table.Examples),
            }));
        }

        output.Line(report switch
        {
            { Organizations.Count: 0 } => "nothing to do: the log has no events",
            { Differs: false } => "equal: the tables match the stored events",
            _ when apply => "replaced: the tables now match the stored events",
            _ => "differs: run `catalog-migrations replay apply` to replace the rows; nothing was written",
        });
    }
}
