using System.CommandLine;
using System.Globalization;
using Catalog.Data.Connections;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Transfer;

namespace Catalog.Migrations.Verbs;

internal static class TransferVerb
{
    private const int ShownAtMost = 50;

    public static Command Command()
    {
        var from = new Option<string>("--from") { Description = "The SQLite file, as a path or sqlite:/// address. It is only read.", HelpName = "FILE", Required = true };
        var to = new Option<string?>("--to")
        {
            Description = "The Postgres database; absent: DATAXPIPE_MIGRATIONS_DB, else DATAXPIPE_DB, which no list of processes shows.",
            HelpName = "ADDRESS",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Look at every value and say what would be copied; write nothing." };
        var patience = LimitOptions.Seconds("--wait", new MigrationLimits().MaxWait, "Seconds to wait for another migrator to finish.");
        var command = Verb.On("transfer",
            "Move every row of a SQLite file into a Postgres database at the same revision, and compare. Interrupted, it goes on where it was.",
            "transfer --from catalog.db --dry-run\ntransfer --from catalog.db\ntransfer --from catalog.db --to postgresql://owner@host/catalog --json",
            (database, arguments, output, ct) => Run(database, Source(arguments, arguments.GetRequiredValue(from)), arguments, arguments.GetValue(dryRun), arguments.GetValue(patience), output, ct),
            arguments => Target(arguments, arguments.GetValue(to)));
        command.Options.Add(from);
        command.Options.Add(to);
        command.Options.Add(dryRun);
        command.Options.Add(patience);
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

        return source.SqlitePath is null ? throw new SettingException("--from must name a SQLite file: rows are moved from SQLite to Postgres only.")
            : File.Exists(source.SqlitePath) ? source
            : throw new SettingException($"--from: there is no such file. Relative paths begin at {Directory.GetCurrentDirectory()}.");
    }

    private static DatabaseSettings Target(ParseResult arguments, string? address)
    {
        var target = address is null ? DatabaseSettings.ReadForMigrations(Verb.Settings(arguments)) : DatabaseSettings.From("--to", address, Verb.Settings(arguments));
        return target.Engine == DatabaseEngine.Postgres ? target
            : throw new SettingException("The target must be Postgres: set DATAXPIPE_MIGRATIONS_DB, or name it with --to postgresql://...");
    }

    private static async Task<int> Run(MigrationDatabase database, DatabaseSettings source, ParseResult arguments, bool dryRun, double patience, Output output, CancellationToken ct)
    {
        var secretKey = Setting.Text(Verb.Settings(arguments), "DATAXPIPE_SECRET_KEY") is { } text
            ? SecretKey.Parse(text) ?? throw new SettingException("DATAXPIPE_SECRET_KEY must be 32 bytes in base64.")
            : null;
        output.Line($"from  {source.Display}");
        output.Line($"to    {database.Settings.Display}");
        TransferReport report;
        try
        {
            report = await TransferProgress.Show(output, (progress, waiting) =>
                new DataTransfer(source, database, (Verb.Chain(arguments, "sqlite"), Verb.Chain(arguments, "postgres")), TimeSpan.FromSeconds(patience))
                {
                    Progress = progress,
                    Waiting = waiting,
                    SecretKey = secretKey,
                }.Run(dryRun, ct));
        }
        catch (OperationCanceledException)
        {
            output.Error("interrupted", "Interrupted. What was loaded stays: run the same command again, and it goes on where it was.");
            return ExitCode.Failed;
        }

        Say(report, dryRun, output);
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
        // Not "failed": run again unchanged it would say the same, and a person has to decide what the value should be.
        return report.Findings > 0 || report.Differences.Count > 0 ? ExitCode.Drift : ExitCode.Ok;
    }

    private static string Outcome(TransferReport report, bool dryRun) =>
        report.Findings > 0 ? "refused"
        : report.Differences.Count > 0 ? "differs"
        : report.Tables.All(table => table.Present == table.Rows) ? "nothing_to_do"
        : dryRun ? "planned"
        : "moved";

    private static void Say(TransferReport report, bool dryRun, Output output)
    {
        foreach (var finding in report.Listed.Take(ShownAtMost))
        {
            output.Line($"{finding.Table}{(finding.Column is null ? "" : '.' + finding.Column)}  {finding.Key}{(finding.RowId is { } row ? $"  rowid {row}" : "")}{(finding.Stored is null ? "" : $"  {finding.Stored}")}");
            output.Line($"    {finding.Reason}");
        }

        if (report.Findings > 0)
        {
            var rest = report.Findings - Math.Min(report.Findings, ShownAtMost);
            output.Line($"{(rest > 0 ? $"and {rest} more: --json lists {(report.Findings > DataTransfer.ListedAtMost ? $"the first {DataTransfer.ListedAtMost}" : "them all")}\n" : "")}{Count(report.Findings, "value")} cannot be moved. Nothing was written. Mend them in the source, then run this again.");
            return;
        }

        string Number(double number) => number.ToString("#,0", CultureInfo.InvariantCulture);
        if (dryRun)
        {
            output.Table(["table", ">rows", ">there", ">to copy"], report.Tables.Select(table => new[] { table.Table, Number(table.Rows), Number(table.Present), Number(table.Rows - table.Present) }));
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
            "differs" => "The databases do not hold the same. Did somebody write into the target meanwhile? Empty it, and run this again.",
            "nothing_to_do" => $"nothing to do: {Count(report.Tables.Sum(table => table.Rows), "row")} at {report.Revision}, the same in both",
            "planned" => $"{Count(report.Tables.Sum(table => table.Rows - table.Present), "row")} to copy at {report.Revision}; every value can be moved; nothing was written",
            _ => $"moved {Count(report.Tables.Sum(table => table.Copied), "row")} at {report.Revision}: read back, and the same in both",
        });
        if (report.Secrets is { } secrets)
        {
            SayKey(secrets, output);
        }
    }

    // Which key, and where it goes; never what it is.
    private static void SayKey(SealedSecrets secrets, Output output)
    {
        output.Line($"{Count(secrets.Connections, "connection")} {(secrets.Connections == 1 ? "holds" : "hold")} secrets, moved as they are sealed.");
        if (secrets.KeyFile is { } file)
        {
            output.Line($"Their key lies in {file} and opens {secrets.Opened} of them. Take it along to the service:");
            output.Line($"    export DATAXPIPE_SECRET_KEY=\"$(cat '{file}')\"");
        }
        else
        {
            output.Line(secrets.FromEnvironment
                ? $"DATAXPIPE_SECRET_KEY opens {secrets.Opened} of them. Set the same for the service."
                : "No key was found beside the file. Set for the service the DATAXPIPE_SECRET_KEY they were sealed with.");
        }

        if (secrets.Opened < secrets.Connections && (secrets.KeyFile is not null || secrets.FromEnvironment))
        {
            output.Line("The others were sealed with another key: find it, or register them anew.");
        }
    }

    private static string Count(long count, string what) => $"{count.ToString("#,0", CultureInfo.InvariantCulture)} {what}{(count == 1 ? "" : "s")}";
}
