using System.CommandLine;
using System.Globalization;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class HistoryVerb
{
    public static Command Command()
    {
        var all = new Option<bool>("--all") { Description = "List every attempt, including failed ones, instead of the scripts." };
        var command = Verb.On("history",
            "List every script with the time and the user that applied it.",
            "history\nhistory --all\nhistory --json",
            async (database, arguments, output, ct) =>
            {
                var chain = Verb.Chain(arguments, database.Dialect.Folder);
                var status = await new Migrator(database, chain, TimeProvider.System).ReadStatus(ct);
                Print(database, chain, status, arguments.GetValue(all), output);
                return ExitCode.Ok;
            });
        command.Options.Add(all);
        command.Options.Add(Verb.Scripts);
        return command;
    }

    private static void Print(MigrationDatabase database, Chain chain, SchemaStatus status, bool all, Output output)
    {
        var applied = status.Applied.GroupBy(row => row.ScriptName, StringComparer.Ordinal).ToDictionary(rows => rows.Key, rows =>
            rows.First(), StringComparer.Ordinal);
        var names = chain.Scripts.Select(script => script.Name).Union(applied.Keys, StringComparer.Ordinal)
            .Order(StringComparer.Ordinal).ToList();
        if (all)
        {
            output.Table(["at (UTC)", "!script", "direction", "outcome", ">seconds", "by"], status.Attempts.Select(attempt => new[]
            {
                Utc(attempt.At), Path.GetFileNameWithoutExtension(attempt.ScriptName), attempt.Direction, attempt.Outcome, Seconds(
                    attempt.DurationSeconds), attempt.Host is null ? attempt.AppliedBy : $"{attempt.AppliedBy}@{attempt.Host}",
            }));
            foreach (var failed in status.Attempts.Where(attempt => attempt.Message is not null))
            {
                output.Line($"{Utc(failed.At)}  {failed.Message}");
            }
        }
        else
        {
            output.Table(
                ["!revision", "applied (UTC)", ">seconds", "by"], names.Select(name => applied.TryGetValue(name, out var row)
                ? new[] { Path.GetFileNameWithoutExtension(name), Utc(row.Applied), Seconds(row.DurationSeconds), row.AppliedBy }
                : [Path.GetFileNameWithoutExtension(name), "pending", null, null]));
        }

        output.Document(new
        {
            database = database.Settings.Display,
            current = status.Current,
            scripts = names.Select(name => applied.TryGetValue(name, out var row)
                ? new
                {
                    revision = Path.GetFileNameWithoutExtension(name),
                    state = "applied",
                    applied_at = (DateTimeOffset?)row.Applied,
                    seconds = row.DurationSeconds,
                    applied_by = row.AppliedBy,
                    tool_version = row.ToolVersion,
                    checksum = row.Checksum
                }
                : new
                {
                    revision = Path.GetFileNameWithoutExtension(name),
                    state = "pending",
                    applied_at = (DateTimeOffset?)null,
                    seconds = (double?)null,
                    applied_by = (string?)null,
                    tool_version = (string?)null,
                    checksum = (string?)null
                }),
            attempts = status.Attempts,
        });
    }

    private static string Utc(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string? Seconds(double? seconds) => seconds?.ToString("0.000", CultureInfo.InvariantCulture);
}
