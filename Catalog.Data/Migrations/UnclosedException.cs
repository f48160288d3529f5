namespace Catalog.Data.Migrations;

/// <summary>A quote, comment, parenthesis or body in a script is not closed.</summary>
/// <param name="line">The line where it begins, from 1.</param>
public sealed class UnclosedException(int line)
    : FormatException(
        $"line {line} opens a quote, a comment, a dollar tag, a parenthesis or the body of a trigger or function that is "
            + "never closed")
{
    /// <summary>The line in the file where the unclosed part begins, from 1.</summary>
    public int Line { get; } = line;
}
