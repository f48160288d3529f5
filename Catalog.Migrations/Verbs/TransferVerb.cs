using System.CommandLine;
using System.Globalization;
using Catalog.Data.Connections;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Data.Settings;
using Catalog.Migrations.Transfer;

namespace Catalog.Migrations.Verbs;

internal static class TransferVerb
{
    private const int MaxShown = 50;

    public static Command Command()
    {
        var from = new Option<string>("--from")
        {
            Description = "The SQLite file, as a path or sqlite:/// address. It is not changed.",
            HelpName = "FILE",
            Required = true
        };
        var to = new Option<string?>("--to")
        {
            Description =
                "The Postgres database. Default: DATAXPIPE_MIGRATIONS_DB, else DATAXPIPE_DB; prefer these, because a process list "
                    + "shows --to with its password.",
            HelpName = "ADDRESS",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Check every value and report what would be copied; change nothing." };
        var wait = LimitOptions.Seconds("--wait", new MigrationLimits().MaxWait, "Seconds to wait for another migrator to finish.");
        var command = Verb.On("transfer",
            "Copy every row of a SQLite file into a Postgres database at the same revision, then compare both. After an "
                + "interruption, run it again to continue.",
            "transfer --from catalog.db --dry-run\ntransfer --from catalog.db\ntransfer --from catalog.db --to "
                + "postgresql://owner@host/catalog --json",
            (database, arguments, output, ct) =>
                Run(database, Source(arguments, arguments.GetRequiredValue(from)), arguments, arguments.GetValue(dryRun),
                    arguments.GetValue(wait), output, ct),
            arguments => Target(arguments, arguments.GetValue(to)));
        command.Options.Add(from);
        command.Options.Add(to);
        command.Options.Add(dryRun);
        command.Options.Add(wait);
        command.Options.Add(Verb.Scripts);
        return command;
    }

    private static DatabaseSettings Source(ParseResult arguments, string address)
    {
        var source = DatabaseSettings.From("--from", address, Verb.Settings(arguments));
        if (source.SqlitePath is { } file)
        {
            FileRights.RequireReadable(file);
        }

        return source.SqlitePath is null
            ? throw new SettingException("--from must name a SQLite file: only transfers from SQLite to Postgres are supported.")
            : File.Exists(source.SqlitePath) ? source
            : throw new SettingException($"--from: the file does not exist. Relative paths start at {Directory.GetCurrentDirectory()}.");
    }

    private static DatabaseSettings Target(ParseResult arguments, string? address)
    {
        var target = address is null
            ? DatabaseSettings.ReadForMigrations(Verb.Settings(arguments))
            : DatabaseSettings.From("--to", address, Verb.Settings(arguments));
        return target.Engine == DatabaseEngine.Postgres ? target
            : throw new SettingException("The target must be Postgres: set DATAXPIPE_MIGRATIONS_DB, or use --to postgresql://...");
    }

    private static async Task<int> Run(MigrationDatabase database, DatabaseSettings source, ParseResult arguments, bool dryRun, double wait,
        Output output, CancellationToken ct)
    {
        var secretKey = SecretKey.FromSetting(Verb.Settings(arguments), "DATAXPIPE_SECRET_KEY");
        output.Line($"from  {source.Display}");
        output.Line($"to    {database.Settings.Display}");
        TransferReport report;
        try
        {
            report = await TransferProgress.Show(output, (progress, waiting) =>
                new DataTransfer(source, database, (Verb.Chain(arguments, "sqlite"), Verb.Chain(arguments, "postgres")),
                    TimeSpan.FromSeconds(wait))
                {
                    Progress = progress,
                    Waiting = waiting,
                    SecretKey = secretKey,
                }.Run(dryRun, ct));
        }
        catch (OperationCanceledException)
        {
            output.Error("interrupted", "Interrupted. Loaded rows stay. Run the same command again to continue.");
            return ExitCode.Failed;
        }

        Print(report, dryRun, output);
        output.Document(new
        {
            from = source.Display,
            to = database.Settings.Display,
            revision = report.Revision,
            dry_run = dryRun,
            outcome = Outcome(report, dryRun),
            findings_count = report.Findings,
            findings = report.Listed,
            tables = report.Tables.Select(table => new
            {
                table.Table,
                table.Rows,
                table.Present,
                table.Copied,
                to_copy = table.Rows - table.Present - table.Copied,
                seconds = Math.Round(table.Seconds, 3),
                table.SourceHash,
                table.TargetHash,
            }),
            differences = report.Differences,
            secrets = report.Secrets,
        });
        // The exit code is not Failed, because another run gives the same result until a person corrects the data.
        return report.Findings > 0 || report.Differences.Count > 0 ? ExitCode.Drift : ExitCode.Ok;
    }

    private static string Outcome(TransferReport report, bool dryRun) =>
        report.Findings > 0 ? "refused"
        : report.Differences.Count > 0 ? "differs"
        : report.Tables.All(table => table.Present == table.Rows) ? "nothing_to_do"
        : dryRun ? "planned"
        : "moved";

    private static void Print(TransferReport report, bool dryRun, Output output)
    {
        foreach (var finding in report.Listed.Take(MaxShown))
        {
            output.Line(
                $"{finding.Table}{(finding.Column is null ? "" : '.' + finding.Column)}  "
                    + $"{finding.Key}{(finding.RowId is { } row ? $"  rowid {row}" : "")}{(finding.Stored is null ? "" : $"  {finding.Stored}")}");
            output.Line($"    {finding.Reason}");
        }

        if (report.Findings > 0)
        {
            var rest = report.Findings - Math.Min(report.Findings, MaxShown);
            output.Line(
                $"{(rest > 0 ? $"and {rest} more: --json lists {(report.Findings > DataTransfer.MaxListed ? $"the first {DataTransfer.MaxListed}" : "them all")}\n" : "")}{Count(report.Findings, "value")} cannot be moved. Nothing was written. Correct them in the source, then run this again.");
            return;
        }

        string Number(double number) => number.ToString("#,0", CultureInfo.InvariantCulture);
        if (dryRun)
        {
            output.Table(["table", ">rows", ">there", ">to copy"], report.Tables.Select(table =>
                new[] { table.Table, Number(table.Rows), Number(table.Present), Number(table.Rows - table.Present) }));
        }
        else
        {
            output.Table(["table", ">rows", ">copied", ">seconds", ">rows/s", "sha-256"], report.Tables.Select(table => new[]
            {
                table.Table, Number(table.Rows), Number(table.Copied), table.Seconds.ToString("0.00", CultureInfo.InvariantCulture),
                table.Copied > 0 ? Number(table.Copied / Math.Max(table.Seconds, 0.001)) : "", table.SourceHash[..12],
            }));
        }

        foreach (var difference in report.Differences)
        {
            output.Line($"{difference.Table}: {difference.What}, key {difference.Key}");
        }

        output.Line(Outcome(report, dryRun) switch
        {
            "differs" => "The databases differ. Possibly another process wrote to the target. Empty the target and run this again.",
            "nothing_to_do" =>
                $"nothing to do: {Count(report.Tables.Sum(table => table.Rows), "row")} at {report.Revision}, identical in both",
            "planned" =>
                $"{Count(report.Tables.Sum(table => table.Rows - table.Present), "row")} to copy at {report.Revision}; every value "
                    + "can be moved; nothing was written",
            _ => $"moved {Count(report.Tables.Sum(table => table.Copied), "row")} at {report.Revision}: read back and identical in both",
        });
        if (report.Secrets is { } secrets)
        {
            PrintKey(secrets, output);
        }
    }

    // Prints where the key is, never the key itself.
    private static void PrintKey(SealedSecrets secrets, Output output)
    {
        output.Line(
            $"{Count(secrets.Connections, "connection")} {(secrets.Connections == 1 ? "contains" : "contain")} secrets, copied in "
                + "encrypted form.");
        if (secrets.KeyFile is { } file)
        {
            output.Line($"The key in {file} decrypts {secrets.Opened} of them. Set it for the service:");
            output.Line($"    export DATAXPIPE_SECRET_KEY=\"$(cat '{file}')\"");
        }
        else
        {
            output.Line(secrets.FromEnvironment
                ? $"DATAXPIPE_SECRET_KEY decrypts {secrets.Opened} of them. Set the same key for the service."
                : "No key was found next to the file. Set DATAXPIPE_SECRET_KEY of the service to the key that encrypted them.");
        }

        if (secrets.Opened < secrets.Connections && (secrets.KeyFile is not null || secrets.FromEnvironment))
        {
            output.Line("The others were encrypted with another key: find it, or register these connections again.");
        }
    }

    private static string Count(long count, string what) =>
        $"{count.ToString("#,0", CultureInfo.InvariantCulture)} {what}{(count == 1 ? "" : "s")}";
}
