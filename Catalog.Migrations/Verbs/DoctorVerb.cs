using System.CommandLine;
using System.Globalization;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Data.Settings;
using Catalog.Migrations.Doctor;
using Spectre.Console;

namespace Catalog.Migrations.Verbs;

internal static class DoctorVerb
{
    private const int MaxTables = 20;

    public static Command Command()
    {
        var slow = LimitOptions.Seconds("--slow", new DoctorThresholds().Slow,
            "Seconds after which a migration's statement counts as slow and an idle transaction as forgotten.");
        var command = Verb.On("doctor",
            "Report problems of the database and how to fix them. Changes nothing. Exits 0 when there are only notes, 1 on an error "
                + "or warning, 7 when the migrator's address is unreachable.",
            "doctor\ndoctor --json\ndoctor --slow 10",
            async (database, arguments, output, ct) =>
            {
                var chain = Verb.Chain(arguments, database.Dialect.Folder);
                var limits = new DoctorThresholds { Slow = TimeSpan.FromSeconds(arguments.GetValue(slow)) };
                var (service, settingFault) = Service(arguments, database);
                var report = await new DatabaseDoctor(database, chain, limits)
                    .Examine(service, DatabaseSettings.ReadAppRole(Verb.Settings(arguments)), ct);
                List<Finding> findings = [.. settingFault is null ? [] : new[] { settingFault }, .. report.Findings];
                findings = [.. findings.OrderBy(finding => finding.Severity)];
                Print(database, report, findings, output);
                output.Document(new
                {
                    database = database.Settings.Display,
                    findings,
                    slowest_statements = report.SlowestStatements ?? [],
                    active_statements = report.ActiveStatements,
                    tables = report.Tables,
                    indexes = report.Indexes,
                    file = report.File,
                });
                return !report.Reached ? ExitCode.Unreachable
                    : findings.Any(finding => finding.Severity != Severity.Note) ? ExitCode.Failed
                    : ExitCode.Ok;
            });
        command.Options.Add(slow);
        command.Options.Add(Verb.Scripts);
        return command;
    }

    // An invalid setting of the service becomes a finding, so that the checks of the migrator's connection still run.
    private static (DatabaseSettings Service, Finding? SettingFault) Service(ParseResult arguments, MigrationDatabase database)
    {
        try
        {
            return (DatabaseSettings.Read(Verb.Settings(arguments)), null);
        }
        catch (SettingException exception)
        {
            return (database.Settings, new("setting", Severity.Error, $"The service's settings are invalid: {exception.Message}", null));
        }
    }

    private static void Print(MigrationDatabase database, DoctorReport report, List<Finding> findings, Output output)
    {
        output.Line(database.Settings.Display);
        if (report.File is { } file)
        {
            output.Paragraph(
                "", $"{Quantity.Size(file.Bytes)}, write-ahead log {Quantity.Size(file.WalBytes)}, {Quantity.Size(file.FreeBytes)} "
                    + $"free, journal mode {file.JournalMode}{(file.FileSystem is { } system ? $", on {system}" : "")}");
        }

        foreach (var finding in findings)
        {
            output.Line();
            output.Line($"{Output.Code(finding.Severity)}: {finding.Code}", finding.Severity switch
            {
                Severity.Error =>
                Color.Red,
                Severity.Warning => Color.Yellow,
                _ => Color.Grey
            });
            output.Paragraph("  ", finding.Message);
            if (finding.Action is { } action)
            {
                output.Paragraph("  > ", action, Color.Green);
            }
        }

        Statements(report, output);
        Storage(report, output);
        if (report.Reached)
        {
            output.Line();
            output.Line(
                $"{Quantity.Of(findings.Count(finding => finding.Severity == Severity.Error), "error", "errors")}, "
                    + $"{Quantity.Of(findings.Count(finding => finding.Severity == Severity.Warning), "warning", "warnings")}.");
            output.Line("To compare the tables with the scripts, run `catalog-migrations verify`.");
        }
    }

    private static void Statements(DoctorReport report, Output output)
    {
        if (report.SlowestStatements is { Count: > 0 } slowest)
        {
            Heading(output, "Slowest statements, by total time");
            output.Table([">calls", ">mean ms", ">total s", "~statement"], slowest.Select(statement => new[]
            {
                Quantity.Number(statement.Calls), Decimal(statement.MeanMilliseconds), Decimal(statement.TotalSeconds), statement.Query,
            }));
        }

        if (report.ActiveStatements is { Count: > 0 } active)
        {
            Heading(output, "Active statements");
            // User and application share one column, to leave room for the statement.
            output.Table([">pid", "by", "state", ">age", "~statement"], active.Select(statement => new[]
            {
                statement.Pid.ToString(CultureInfo.InvariantCulture), Output.Cut($"{statement.User} {statement.Application}".Trim(), 18),
                State(statement),
                statement.Seconds is { } seconds ? Quantity.Age(seconds) : null, statement.Query,
            }));
        }
    }

    private static void Storage(DoctorReport report, Output output)
    {
        if (report.Tables is { Count: > 0 } tables)
        {
            Heading(output, tables.Count > MaxTables ? $"Tables, the largest {MaxTables} of {tables.Count}" : "Tables");
            if (report.File is not null)
            {
                output.Table(["table", ">rows"], tables.Take(MaxTables)
                    .Select(table => new[] { table.Name, table.LiveRows is { } rows ? Quantity.Number(rows) : "?" }));
            }
            else
            {
                output.Table(["table", ">size", ">live rows", ">dead rows", "vacuumed (UTC)"], tables.Take(MaxTables).Select(table => new[]
                {
                    Output.Cut(table.Name, 24), table.Bytes is { } bytes
                        ? Quantity.Size(bytes) : "locked", Quantity.Number(table.LiveRows ?? 0), Quantity.Number(table.DeadRows ?? 0),
                    new[] { table.LastVacuum, table.LastAutovacuum }.Max()?.UtcDateTime.ToString(
                        "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "never",
                }));
            }
        }

        if (report.Indexes is { Count: > 0 } indexes)
        {
            Heading(output, "Indexes that are invalid or unused");
            output.Table(["~index", "table", ">size", "why"], indexes.Take(MaxTables).Select(index => new[]
            {
                index.Name, Output.Cut(index.Table, 24), Quantity.Size(index.Bytes), index.Valid ? "unused" : "invalid",
            }));
        }
    }

    private static string State(ActiveStatement statement) => statement.BlockedBy is [var first, ..] ? $"waits for {first}"
        : statement.State!.StartsWith("idle in transaction", StringComparison.Ordinal) ? "idle in tx"
        : statement.Wait is { } wait && !wait.StartsWith("Client", StringComparison.Ordinal) ? Output.Cut(wait.Split(": ")[^1], 16)
        : statement.State;

    private static void Heading(Output output, string text)
    {
        output.Line();
        output.Line(text);
    }

    private static string Decimal(double number) => number.ToString(number < 100 ? "#,0.00" : "#,0", CultureInfo.InvariantCulture);
}
