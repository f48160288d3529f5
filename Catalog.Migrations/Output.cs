using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Catalog.Migrations;

/// <summary>What a verb says: lines and tables for a person, or one JSON document for a program, never both on standard output.</summary>
internal sealed class Output(bool json)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    /// <summary>Whether a program reads.</summary>
    public bool Json { get; } = json;

    /// <summary>A line for a person.</summary>
    public void Line(string text = "")
    {
        if (!Json)
        {
            Console.WriteLine(text);
        }
    }

    /// <summary>What goes on, on standard error, so that it mixes with no result.</summary>
    public void Progress(string text)
    {
        if (!Json)
        {
            Console.Error.WriteLine(text);
        }
    }

    /// <summary>A table for a person: ruled in a terminal, columns of plain text in a pipe.</summary>
    /// <param name="columns">Their heads; one that begins with <c>></c> is aligned to the right.</param>
    /// <param name="rows">One text a column; null is empty.</param>
    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string?>> rows)
    {
        if (Json)
        {
            return;
        }

        var cells = rows.ToList();
        bool Right(int column) => columns[column][0] == '>';
        string Head(int column) => columns[column].TrimStart('>');
        if (Console.IsOutputRedirected)
        {
            var widths = columns.Select((_, column) => cells.Select(row => row[column]?.Length ?? 0).Append(Head(column).Length).Max()).ToArray();
            foreach (var row in cells.Prepend([.. columns.Select((_, column) => Head(column))]))
            {
                Console.WriteLine(string.Join("  ", row.Select((cell, column) => Right(column) ? (cell ?? "").PadLeft(widths[column]) : (cell ?? "").PadRight(widths[column]))).TrimEnd());
            }

            return;
        }

        var table = new Table().Border(TableBorder.Simple);
        for (var column = 0; column < columns.Count; column++)
        {
            table.AddColumn(new TableColumn(Markup.Escape(Head(column))) { Alignment = Right(column) ? Justify.Right : Justify.Left, NoWrap = Right(column) });
        }

        foreach (var row in cells)
        {
            table.AddRow([.. row.Select(cell => Markup.Escape(cell ?? ""))]);
        }

        AnsiConsole.Write(table);
    }

    /// <summary>The one document for a program; nothing for a person.</summary>
    public void Document(object document)
    {
        if (Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(document, Format));
        }
    }

    /// <summary>What went wrong: a line on standard error, and for a program the document too.</summary>
    /// <param name="code">Stable, in snake_case.</param>
    /// <param name="message">What to do; without a secret.</param>
    public void Error(string code, string message)
    {
        Console.Error.WriteLine($"catalog-migrations: {message}");
        Document(new { error = new { code, message } });
    }

    /// <summary>A word of JSON for a value of an enumeration.</summary>
    public static string Code<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
