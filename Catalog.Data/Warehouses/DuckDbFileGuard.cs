using System.Text.RegularExpressions;

namespace Catalog.Data.Warehouses;

/// <summary>
/// Rejects queries that use a file as a table. Where a query names a table, DuckDB also reads a file or an address:
/// <c>from 'a.csv'</c>, <c>from "a.csv"</c>, and <c>from a.csv</c> when there is no table csv in a schema a.
/// </summary>
internal static partial class DuckDbFileGuard
{
    private const string Reason = "reads a file or an address, which is not allowed. Use the name of a table or view of the database.";

    // Functions whose arguments are separated by FROM.
    private static readonly HashSet<string> WithFromInside = ["extract", "overlay", "position", "substring", "trim"];

    private static readonly HashSet<string> BeforeTable =
        ["join", "table", "pivot", "pivot_wider", "pivot_longer", "unpivot", "lateral", "only"];

    // A table follows these words only at the beginning of a subquery. (Elsewhere, DESC is an order.)
    private static readonly HashSet<string> Descriptions = ["describe", "desc", "summarize", "show"];

    // No table follows after these words. They are reserved, so that none of them can be the alias of a table.
    private static readonly HashSet<string> AfterTables =
    [
        "select", "where", "group", "having", "order", "limit", "offset", "union", "intersect", "except", "window", "qualify",
    ];

    /// <summary>Checks each table that a query names. The brackets of the query must be balanced.</summary>
    /// <returns>The reason why a table is rejected; null when all are allowed.</returns>
    public static string? Refuse(IReadOnlyList<SqlToken> tokens)
    {
        var outer = new Stack<Level>();
        var level = new Level(false, false);
        var expectsTable = false;
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            var previous = i > 0 ? tokens[i - 1] : default;
            if (token.IsSymbol('(') || token.IsSymbol('[') || token.IsSymbol('{'))
            {
                outer.Push(level);
                level = new(expectsTable, token.IsSymbol('(') && previous.IsAny(WithFromInside));
                continue;
            }

            if (token.IsSymbol(')') || token.IsSymbol(']') || token.IsSymbol('}'))
            {
                level = outer.Pop();
                expectsTable = false;
                continue;
            }

            if (expectsTable && token.Kind == SqlTokenKind.String)
            {
                return $"A string in place of a table {Reason}";
            }

            if (expectsTable && token.IsName && FileName().IsMatch(NameAt(tokens, i)))
            {
                return $"A table name that looks like the name of a file {Reason}";
            }

            if (previous.IsSymbol('.'))
            {
                expectsTable = false;
            }
            else if (token.Is("from"))
            {
                expectsTable = !level.IsArguments && !EndsIsDistinct(tokens, i);
                level = level with { ListsTables = level.ListsTables || expectsTable };
            }
            else if (token.IsAny(BeforeTable) || (token.IsAny(Descriptions) && previous.IsSymbol('(')))
            {
                expectsTable = true;
                level = level with { ListsTables = true };
            }
            else
            {
                level = level with { ListsTables = level.ListsTables && !token.IsAny(AfterTables) && !BeginsValues(tokens, i) };

                // DuckDB allows an alias and a colon before a table.
                expectsTable = level.ListsTables && (token.IsSymbol(',') || token.IsSymbol(':'));
            }
        }

        return null;
    }

    // Whether the FROM ends IS DISTINCT FROM or IS NOT DISTINCT FROM. In AS DISTINCT FROM, distinct is a name and a
    // table follows.
    private static bool EndsIsDistinct(IReadOnlyList<SqlToken> tokens, int from) => from > 1 && tokens[from - 1].Is("distinct")
        && (tokens[from - 2].Is("is") || (from > 2 && tokens[from - 2].Is("not") && tokens[from - 3].Is("is")));

    // In FROM (VALUES (...), (...)) a comma separates rows. Elsewhere VALUES can be an alias.
    private static bool BeginsValues(IReadOnlyList<SqlToken> tokens, int i) => tokens[i].Is("values")
        && i > 0 && tokens[i - 1].IsSymbol('(') && i + 1 < tokens.Count && tokens[i + 1].IsSymbol('(');

    private static string NameAt(IReadOnlyList<SqlToken> tokens, int i)
    {
        var name = tokens[i].Text;
        for (; i + 2 < tokens.Count && tokens[i + 1].IsSymbol('.') && tokens[i + 2].IsName; i += 2)
        {
            name += "." + tokens[i + 2].Text;
        }

        return name;
    }

    [GeneratedRegex(
        @"[/\\*?:]|\.(csv|tsv|txt|json|jsonl|ndjson|geojson|parquet|avro|arrow|arrows|feather|ipc|orc|vortex|lance|xlsx?|ods|db|ddb|duckdb"
        + @"|sqlite3?|shp|gpkg|fgb|kml|gz|zst|bz2|xz)\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex FileName();

    /// <param name="ListsTables">Whether a comma separates tables.</param>
    /// <param name="IsArguments">Whether FROM is a part of a function's arguments.</param>
    private readonly record struct Level(bool ListsTables, bool IsArguments);
}
