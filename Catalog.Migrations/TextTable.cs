using Spectre.Console;

namespace Catalog.Migrations;

/// <summary>A table of text cells, in the layout that fits the output.</summary>
/// <param name="output">The output, in text mode.</param>
/// <param name="columns">The column heads with their prefixes; see <see cref="Output.Table"/>.</param>
/// <param name="rows">One text per column; null for an empty cell.</param>
internal sealed class TextTable(Output output, IReadOnlyList<string> columns, IReadOnlyList<IReadOnlyList<string?>> rows)
{
    // Spectre.Console puts a space on both sides of a cell and a rule before each column.
    private const int CellPadding = 3;
    private const int MinRemainingWidth = 10;
    private readonly int[] _widths = [
        .. columns.Select((column, index) => rows.Select(row => row[index]?.Length ?? 0).Append(Head(column).Length).Max())];

    public void Write()
    {
        if (!output.Terminal)
        {
            WritePlain();
        }
        else if (Enumerable.Range(0, columns.Count).FirstOrDefault(column => columns[column][0] == '!', -1) is >= 0 and var unwrapped
            && _widths.Sum(width => width + CellPadding) + 1 > Output.Width)
        {
            WriteStacked(unwrapped);
        }
        else
        {
            WriteRuled();
        }
    }

    private void WritePlain()
    {
        foreach (var row in rows.Prepend([.. columns.Select(Head)]))
        {
            output.Line(string.Join("  ", row.Select((cell, column) =>
                IsRight(columns[column]) ? (cell ?? "").PadLeft(_widths[column]) : (cell ?? "").PadRight(_widths[column]))).TrimEnd());
        }
    }

    private void WriteStacked(int unwrapped)
    {
        foreach (var row in rows)
        {
            output.Line(row[unwrapped] ?? "");
            output.Paragraph("    ", string.Join(' ', row.Select((cell, column) => column == unwrapped || string.IsNullOrEmpty(cell) ? null
                : IsRight(columns[column]) ? $"{Head(columns[column])} {cell}" : cell).OfType<string>()));
        }
    }

    private void WriteRuled()
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(Head(column)))
            {
                Alignment = IsRight(column) ? Justify.Right : Justify.Left,
                NoWrap = IsRight(column)
            });
        }

        var fixedWidth = columns.Select((column, index) => CellPadding + (IsShortened(column) ? 0 : _widths[index])).Sum() + 1;
        var remainingWidth = Math.Max(MinRemainingWidth, Output.Width - fixedWidth);
        foreach (var row in rows)
        {
            table.AddRow(
                [.. row.Select((cell, column) =>
                    Markup.Escape(IsShortened(columns[column]) ? Output.Cut(cell ?? "", remainingWidth) : cell ?? ""))]);
        }

        AnsiConsole.Write(table);
    }

    private static string Head(string column) => column.TrimStart('>', '~', '!');

    private static bool IsRight(string column) => column[0] == '>';

    private static bool IsShortened(string column) => column[0] == '~';
}
