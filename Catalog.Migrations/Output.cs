using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Catalog.Migrations;

/// <summary>Writes the result of a verb to standard output: either text for a person or, with <c>--json</c>, one JSON document.</summary>
internal sealed class Output(ConsoleContext context, bool json)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    /// <summary>True when the verb prints one JSON document instead of text.</summary>
    public bool Json { get; } = json;

    /// <summary>True when the output is a terminal.</summary>
    public bool Terminal => context.Terminal;

    /// <summary>Writes text unchanged; nothing in JSON mode.</summary>
    public void Write(string text)
    {
        if (!Json)
        {
            context.Output.Write(text);
        }
    }

    /// <summary>Writes a line; nothing in JSON mode.</summary>
    public void Line(string text = "")
    {
        if (!Json)
        {
            context.Output.WriteLine(text);
        }
    }

    /// <summary>Writes a line, coloured if the terminal supports colours; nothing in JSON mode.</summary>
    public void Line(string text, Color color)
    {
        if (!Json)
        {
            WriteColoured(text, color);
            context.Output.WriteLine();
        }
    }

    /// <summary>Writes a progress line to standard error, in JSON mode too.</summary>
    public void Progress(string text) => context.Error.WriteLine(text);

    /// <summary>
    /// Writes a table: ruled in a terminal, aligned plain text in a pipe. Writes nothing in JSON mode.
    /// </summary>
    /// <param name="columns">The column heads. The prefix <c>></c> aligns a column to the right. The prefix <c>~</c>
    /// gives a column the remaining width and shortens its cells. The prefix <c>!</c> marks a column that is never
    /// wrapped. If the table is wider than the terminal, each row is then written with that cell on the first line and
    /// the other cells on the next lines.</param>
    /// <param name="rows">One text per column; null for an empty cell.</param>
    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string?>> rows)
    {
        if (!Json)
        {
            new TextTable(this, columns, [.. rows]).Write();
        }
    }

    /// <summary>Writes text, wrapped at the width of the terminal; in a pipe, one line. Writes nothing in JSON mode.</summary>
    /// <param name="indent">The prefix of the first line. Further lines are indented by as many spaces.</param>
    /// <param name="text">Words separated by single spaces.</param>
    /// <param name="color">Colour of the prefix; null for the default colour.</param>
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

        WriteColoured(indent, color);
        context.Output.WriteLine(string.Join($"\n{new string(' ', indent.Length)}", lines));
    }

    // Spectre.Console would write escape sequences into a pipe too, so it is used only for a terminal.
    private void WriteColoured(string text, Color? color)
    {
        if (!Terminal)
        {
            context.Output.Write(text);
        }
        else
        {
            AnsiConsole.Console.Write(new Text(text, new Style(color)));
        }
    }

    /// <summary>
    /// Shortens text to at most <paramref name="maxLength"/> characters. Shortened text ends with an ellipsis.
    /// </summary>
    public static string Cut(string text, int maxLength) => text.Length <= maxLength ? text : $"{text[..(maxLength - 1)].TrimEnd()}…";

    /// <summary>Width of the terminal in characters.</summary>
    public static int Width => AnsiConsole.Console.Profile.Width;

    /// <summary>Writes the JSON document; nothing in text mode. A verb calls this once.</summary>
    public void Document(object document)
    {
        if (Json)
        {
            context.Output.WriteLine(JsonSerializer.Serialize(document, Format));
        }
    }

    /// <summary>Writes an error line to standard error and, in JSON mode, the error document to standard output.</summary>
    /// <param name="code">Stable error code in snake_case.</param>
    /// <param name="message">The error and what to do about it; contains no secret.</param>
    public void Error(string code, string message)
    {
        context.Error.WriteLine($"catalog-migrations: {message}");
        Document(new { error = new { code, message } });
    }

    /// <summary>Returns the JSON name of an enumeration value, in snake_case.</summary>
    public static string Code<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
