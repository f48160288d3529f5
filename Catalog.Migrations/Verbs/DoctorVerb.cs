using System.CommandLine;
using System.Globalization;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Doctor;
using Spectre.Console;

namespace Catalog.Migrations.Verbs;

internal static class DoctorVerb
{
    private const int MostTables = 20;

    public static Command Command()
    {
        var slow = LimitOptions.Seconds("--slow", new DoctorThresholds().Slow, "Seconds from which a migration's statement is called slow and an idle transaction forgotten.");
        var command = Verb.On("doctor",
            "Say what is wrong with the database and what to do. Changes nothing. Exits 0 when there is nothing but notes, 1 when there is an error or a warning, 7 when the migrator's address cannot be reached.",
            "doctor\ndoctor --json\ndoctor --slow 10",
            async (database, arguments, output, ct) =>
            {
                var chain = Verb.Chain(arguments, database.Dialect.Folder);
                var limits = new DoctorThresholds { Slow = TimeSpan.FromSeconds(arguments.GetValue(slow)) };
                var (service, unusable) = Service(arguments, database);
                var examined = await new DatabaseDoctor(database, chain, limits).Look(service, DatabaseSettings.ReadAppRole(Verb.Settings(arguments)), ct);
                List<Finding> findings = [.. unusable is null ? [] : new[] { unusable }, .. examined.Findings];
                findings = [.. findings.OrderBy(finding => finding.Severity)];
                Print(database, examined, findings, output);
                output.Document(new
                {
                    database = database.Settings.Display,
                    findings,
                    slowest_statements = examined.SlowestStatements ?? [],
                    active_statements = examined.ActiveStatements,
                    tables = examined.Tables,
                    indexes = examined.Indexes,
                    file = examined.File,
                });
                return !examined.Reached ? ExitCode.Unreachable
                    : findings.Any(finding => finding.Severity != Severity.Note) ? ExitCode.Failed
                    : ExitCode.Ok;
            });
        command.Options.Add(slow);
        command.Options.Add(Verb.Scripts);
        return command;
    }

    // What the service cannot read must not keep the migrator's side from being looked at.
    private static (DatabaseSettings Service, Finding? Unusable) Service(ParseResult arguments, MigrationDatabase database)
    {
        try
        {
            return (DatabaseSettings.Read(Verb.Settings(arguments)), null);
        }
        catch (SettingException exception)
        {
            return (database.Settings, new("setting", Severity.Error, $"The service's settings cannot be used: {exception.Message}", null));
        }
    }

    private static void Print(MigrationDatabase database, DoctorReport examined, List<Finding> findings, Output output)
    {
        output.Line(database.Settings.Display);
        if (examined.File is { } file)
        {
            output.Paragraph("", $"{Quantity.Size(file.Bytes)}, write-ahead log {Quantity.Size(file.WalBytes)}, {Quantity.Size(file.FreeBytes)} free, journal mode {file.JournalMode}{(file.FileSystem is { } system ? $", on {system}" : "")}");
        }

        foreach (var finding in findings)
        {
            output.Line();
            output.Line($"{Output.Code(finding.Severity)}: {finding.Code}", finding.Severity switch { Severity.Error => Color.Red, Severity.Warning => Color.Yellow, _ => Color.Grey });
            output.Paragraph("  ", finding.Message);
            if (finding.Action is { } action)
            {
                output.Paragraph("  > ", action, Color.Green);
            }
        }

        Statements(examined, output);
        Storage(examined, output);
        if (examined.Reached)
        {
            output.Line();
            output.Line($"{Quantity.Of(findings.Count(finding => finding.Severity == Severity.Error), "error", "errors")}, {Quantity.Of(findings.Count(finding => finding.Severity == Severity.Warning), "warning", "warnings")}.");
            output.Line("Whether the tables are as the scripts made them: `catalog-migrations verify`.");
        }
    }

    private static void Statements(DoctorReport examined, Output output)
    {
        if (examined.SlowestStatements is { Count: > 0 } slowest)
        {
            Head(output, "Slowest statements, by the time they took in all");
            output.Table([">calls", ">mean ms", ">total s", "~statement"], slowest.Select(statement => new[]
            {
                Quantity.Number(statement.Calls), Decimal(statement.MeanMilliseconds), Decimal(statement.TotalSeconds), statement.Query,
            }));
        }

        if (examined.ActiveStatements is { Count: > 0 } active)
        {
            Head(output, "Active statements");
            // A person sees who it is in one column, so that some of the statement fits beside.
            output.Table([">pid", "by", "state", ">age", "~statement"], active.Select(statement => new[]
            {
                statement.Pid.ToString(CultureInfo.InvariantCulture), Output.Cut($"{statement.User} {statement.Application}".Trim(), 18), State(statement),
                statement.Seconds is { } seconds ? Quantity.Age(seconds) : null, statement.Query,
            }));
        }
    }

    private static void Storage(DoctorReport examined, Output output)
    {
        if (examined.Tables is { Count: > 0 } tables)
        {
            Head(output, tables.Count > MostTables ? $"Tables, the largest {MostTables} of {tables.Count}" : "Tables");
            if (examined.File is not null)
            {
                output.Table(["table", ">rows"], tables.Take(MostTables).Select(table => new[] { table.Name, table.LiveRows is { } rows ? Quantity.Number(rows) : "?" }));
            }
            else
            {
                output.Table(["table", ">size", ">live rows", ">dead rows", "vacuumed (UTC)"], tables.Take(MostTables).Select(table => new[]
                {
                    Output.Cut(table.Name, 24), table.Bytes is { } bytes ? Quantity.Size(bytes) : "locked", Quantity.Number(table.LiveRows ?? 0), Quantity.Number(table.DeadRows ?? 0),
                    new[] { table.LastVacuum, table.LastAutovacuum }.Max()?.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "never",
                }));
            }
        }

        if (examined.Indexes is { Count: > 0 } indexes)
        {
            Head(output, "Indexes that are invalid or unused");
            output.Table(["~index", "table", ">size", "why"], indexes.Take(MostTables).Select(index => new[]
            {
                index.Name, Output.Cut(index.Table, 24), Quantity.Size(index.Bytes), index.Valid ? "unused" : "invalid",
            }));
        }
    }

    private static string State(ActiveStatement statement) => statement.BlockedBy is [var first, ..] ? $"waits for {first}"
        : statement.State!.StartsWith("idle in transaction", StringComparison.Ordinal) ? "idle in tx"
        : statement.Wait is { } wait && !wait.StartsWith("Client", StringComparison.Ordinal) ? Output.Cut(wait.Split(": ")[^1], 16)
        : statement.State;

    private static void Head(Output output, string text)
    {
        output.Line();
        output.Line(text);
    }

    private static string Decimal(double number) => number.ToString(number < 100 ? "#,0.00" : "#,0", CultureInfo.InvariantCulture);
}
