using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Catalog.Data.Warehouses.Sql;

/// <summary>
/// How SQL is written for a type of warehouse: names, literals and functions. The members with a body write standard
/// SQL. The class of an engine overrides what the engine writes differently.
/// </summary>
public abstract class WarehouseSql
{
    /// <summary>The rules by which a statement of a user is read.</summary>
    public abstract WarehouseSqlFamily Family { get; }

    /// <summary>Whether <see cref="Quantile"/> can be used beside other aggregates in one statement.</summary>
    public virtual bool HasQuantile => true;

    /// <summary>Quotes the name of a column or table. Quotes inside the name are escaped.</summary>
    public virtual string Quote(string identifier) => $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>
    /// Quotes each part of the name of a table, such as <c>schema.table</c>. A part that is written in double quotes
    /// can contain a dot.
    /// </summary>
    public string Table(string name) => string.Join('.', NameParts(name).Select(Quote));

    /// <summary>The parts of a name such as <c>schema."my.table"</c>, without quotes.</summary>
    public static IReadOnlyList<string> NameParts(string name)
    {
        List<string> parts = [];
        var part = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] == '"' && quoted && i + 1 < name.Length && name[i + 1] == '"')
            {
                part.Append(name[i++]);
            }
            else if (name[i] == '"')
            {
                quoted = !quoted;
            }
            else if (name[i] == '.' && !quoted)
            {
                parts.Add(part.ToString());
                part.Clear();
            }
            else
            {
                part.Append(name[i]);
            }
        }

        parts.Add(part.ToString());
        return parts;
    }

    /// <summary>A text as a literal.</summary>
    public virtual string Text(string value) => $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>True or false as a literal.</summary>
    public virtual string Boolean(bool value) => value ? "true" : "false";

    /// <summary>A JSON value as a literal.</summary>
    /// <exception cref="FormatException">The value is an object or an array.</exception>
    public string Literal(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Text(value.GetString()!),
        JsonValueKind.Number => Number(value),
        JsonValueKind.True or JsonValueKind.False => Boolean(value.GetBoolean()),
        JsonValueKind.Null => "null",
        _ => throw new FormatException("A value must be text, a number, true or false."),
    };

    // All engines read the text of a JSON number as a number. A number with an exponent is a floating-point number.
    private static string Number(JsonElement value) => value.GetRawText() is ['-', ..] and var negative ? $"({negative})"
        : value.GetRawText();

    /// <summary>A value as text.</summary>
    public virtual string AsText(string expression) => $"cast({expression} as text)";

    /// <summary>A number as a floating-point number, so that an average keeps the digits after the point.</summary>
    public virtual string AsDouble(string expression) => $"cast({expression} as double precision)";

    /// <summary>The number of characters of a text.</summary>
    public virtual string Length(string expression) => $"char_length({AsText(expression)})";

    /// <summary>A text without spaces at its ends.</summary>
    public virtual string Trim(string expression) => $"trim({AsText(expression)})";

    /// <summary>Whether a text contains a match of a regular expression.</summary>
    /// <exception cref="NotSupportedException">The engine has no regular expressions.</exception>
    public abstract string Matches(string expression, string pattern);

    /// <summary>
    /// Whether the whole text matches a pattern with % and _. The character after a backslash has no special meaning.
    /// Upper and lower case differ.
    /// </summary>
    public virtual string Like(string expression, string pattern) => $"{AsText(expression)} like {Text(pattern)} escape {Text("\\")}";

    /// <summary>
    /// A pattern with % and _ as a regular expression, for engines whose LIKE ignores upper and lower case.
    /// </summary>
    protected static string LikeAsRegex(string pattern)
    {
        var regex = new StringBuilder("(?s)^");
        for (var i = 0; i < pattern.Length; i++)
        {
            regex.Append(pattern[i] switch
            {
                '%' => ".*",
                '_' => ".",
                '\\' when i + 1 < pattern.Length => Regex.Escape(pattern[++i].ToString()),
                var character => Regex.Escape(character.ToString()),
            });
        }

        return regex.Append('$').ToString();
    }

    /// <summary>The sum of numbers.</summary>
    public virtual string Sum(string expression) => $"sum({expression})";

    /// <summary>The sample standard deviation.</summary>
    public virtual string StandardDeviation(string expression) => $"stddev_samp({expression})";

    /// <summary>The value at a quantile from 0 to 1, with linear interpolation.</summary>
    public virtual string Quantile(string expression, double quantile) =>
        $"percentile_cont({quantile.ToString(CultureInfo.InvariantCulture)}) within group (order by {expression})";

    /// <summary>A statement that selects the names and types of a table's columns in their order.</summary>
    public virtual string Columns(string table)
    {
        var parts = NameParts(table);
        var schema = parts.Count > 1 ? $"table_schema = {Text(parts[^2])}" : $"table_schema = {CurrentSchema}";
        return $"select column_name, data_type from information_schema.columns where table_name = {Text(parts[^1])} and {schema} "
            + "order by ordinal_position";
    }

    /// <summary>The expression for the schema of a table whose name has no schema.</summary>
    protected virtual string CurrentSchema => "current_schema()";

    /// <summary>Limits a statement to a number of rows.</summary>
    public virtual string Limit(string select, int rows) => string.Create(CultureInfo.InvariantCulture, $"{select} limit {rows}");
}
