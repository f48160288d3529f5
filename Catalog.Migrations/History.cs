using System.CommandLine;
using System.Globalization;
using Spectre.Console;

namespace Catalog.Migrations;

internal static class History
{
    public static Command Command() => Verb.On("history", "Lists every script with when and by whom it was applied. Example: catalog-migrations history", async (migrator, _, ct) =>
    {
        var applied = (await migrator.History(ct)).ToDictionary(row => row.ScriptName, StringComparer.Ordinal);
        var table = new Table().Border(TableBorder.Simple).AddColumns("revision", "applied (UTC)", "seconds", "by");
        foreach (var name in migrator.Scripts.Select(script => script.Name).Union(applied.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var row = applied.GetValueOrDefault(name);
            table.AddRow(
                Markup.Escape(Path.GetFileNameWithoutExtension(name)),
                row is null ? "pending" : row.Applied.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                row?.DurationSeconds?.ToString("0.000", CultureInfo.InvariantCulture) ?? "",
                Markup.Escape(row?.AppliedBy ?? ""));
        }

        AnsiConsole.Write(table);
        return ExitCode.Ok;
    });
}
