using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Catalog.Migrations;

/// <summary>What a verb says: lines and tables for a person, or one JSON document for a program, never both on standard output.</summary>
internal sealed class Output(Surroundings around, bool json)
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

    /// <summary>Whether a person's terminal shows it.</summary>
    public bool Terminal => around.Terminal;

    /// <summary>A text for a person as it is.</summary>
    public void Write(string text)
    {
        if (!Json)
        {
            around.Output.Write(text);
        }
    }

    /// <summary>A line for a person.</summary>
    public void Line(string text = "")
    {
        if (!Json)
        {
            around.Output.WriteLine(text);
        }
    }

    /// <summary>A line for a person, in a colour where the terminal has colours.</summary>
    public void Line(string text, Color color)
    {
        if (!Json)
        {
            Coloured(text, color);
            around.Output.WriteLine();
        }
    }

    /// <summary>What goes on, on standard error, so that it mixes with no result.</summary>
    public void Progress(string text) => around.Error.WriteLine(text);

    /// <summary>A table for a person: ruled in a terminal, columns of plain text in a pipe.</summary>
    /// <param name="columns">Their heads; one that begins with <c>></c> is aligned to the right, one that begins with <c>~</c> takes the room that the others
    /// leave and is cut; one that begins with <c>!</c> is never broken: where the table is too wide, each row becomes that text and the others below it.</param>
    /// <param name="rows">One text a column; null is empty.</param>
    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string?>> rows)
    {
        if (Json)
        {
            return;
        }

        var cells = rows.ToList();
        bool Right(int column) => columns[column][0] == '>';
        string Head(int column) => columns[column].TrimStart('>', '~', '!');
        int Widest(int column) => cells.Select(row => row[column]?.Length ?? 0).Append(Head(column).Length).Max();
        if (!Terminal)
        {
            var widths = columns.Select((_, column) => Widest(column)).ToArray();
            foreach (var row in cells.Prepend([.. columns.Select((_, column) => Head(column))]))
            {
                around.Output.WriteLine(string.Join("  ", row.Select((cell, column) => Right(column) ? (cell ?? "").PadLeft(widths[column]) : (cell ?? "").PadRight(widths[column]))).TrimEnd());
            }

            return;
        }

        if (Enumerable.Range(0, columns.Count).FirstOrDefault(column => columns[column][0] == '!', -1) is >= 0 and var whole
            && columns.Select((_, column) => Widest(column) + 3).Sum() + 1 > Width)
        {
            foreach (var row in cells)
            {
                around.Output.WriteLine(row[whole]);
                Paragraph("    ", string.Join(' ', row.Select((cell, column) => column == whole || string.IsNullOrEmpty(cell) ? null : Right(column) ? $"{Head(column)} {cell}" : cell).OfType<string>()));
            }

            return;
        }

        var table = new Table().Border(TableBorder.Simple);
        for (var column = 0; column < columns.Count; column++)
        {
            table.AddColumn(new TableColumn(Markup.Escape(Head(column))) { Alignment = Right(column) ? Justify.Right : Justify.Left, NoWrap = Right(column) });
        }

        // Each column has a space on either side, and a rule before and after it.
        var left = Math.Max(10, Width - columns.Select((head, column) => head[0] == '~' ? 3 : Widest(column) + 3).Sum() - 1);
        foreach (var row in cells)
        {
            table.AddRow([.. row.Select((cell, column) => Markup.Escape(columns[column][0] == '~' ? Cut(cell ?? "", left) : cell ?? ""))]);
        }

        AnsiConsole.Write(table);
    }

    /// <summary>A text for a person that is broken at the terminal's edge, its further lines indented; in a pipe it stays one line.</summary>
    /// <param name="indent">Before every line; where it is longer than blanks, before the first only.</param>
    /// <param name="text">Words.</param>
    /// <param name="color">Of the indent, where the terminal has colours.</param>
    public void Paragraph(string indent, string text, Color? color = null)
    {
        if (Json)
        {
            return;
        }

        var lines = new List<string> { "" };
        foreach (var word in text.Split(' '))
        {
            if (Terminal && lines[^1].Length > 0 && indent.Length + lines[^1].Length + 1 + word.Length > Width)
            {
                lines.Add("");
            }

            lines[^1] += lines[^1].Length == 0 ? word : $" {word}";
        }

        Coloured(indent, color);
        around.Output.WriteLine(string.Join($"\n{new string(' ', indent.Length)}", lines));
    }

    // The library would send a pipe the terminal's codes.
    private void Coloured(string text, Color? color)
    {
        if (!Terminal)
        {
            around.Output.Write(text);
        }
        else
        {
            AnsiConsole.Console.Write(new Text(text, new Style(color)));
        }
    }

    /// <summary>A text cut to a length, with … where it was.</summary>
    public static string Cut(string text, int most) => text.Length <= most ? text : $"{text[..(most - 1)].TrimEnd()}…";

    /// <summary>Characters in a line of the terminal.</summary>
    public static int Width => AnsiConsole.Console.Profile.Width;

    /// <summary>The one document for a program; nothing for a person.</summary>
    public void Document(object document)
    {
        if (Json)
        {
            around.Output.WriteLine(JsonSerializer.Serialize(document, Format));
        }
    }

    /// <summary>What went wrong: a line on standard error, and for a program the document too.</summary>
    /// <param name="code">Stable, in snake_case.</param>
    /// <param name="message">What to do; without a secret.</param>
    public void Error(string code, string message)
    {
        around.Error.WriteLine($"catalog-migrations: {message}");
        Document(new { error = new { code, message } });
    }

    /// <summary>A word of JSON for a value of an enumeration.</summary>
    public static string Code<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
