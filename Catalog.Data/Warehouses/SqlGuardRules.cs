using System.Text;
using Kind = Catalog.Data.Warehouses.SqlGuardTokenKind;

namespace Catalog.Data.Warehouses;

/// <summary>The rules for the tokens of one statement or condition.</summary>
internal sealed class SqlGuardRules(IReadOnlyList<SqlGuardToken> tokens, WarehouseSqlFamily family, bool isCondition)
{
    private const int MaxDepth = 100;

    private readonly Stack<Level> _levels = new([new Level(default, null)]);

    private sealed class Level(char opener, string? call)
    {
        public char Opener => opener;

        // The name before the parenthesis.
        public string? Call => call;

        public bool HasSelect { get; set; }

        // Whether the next names are tables.
        public bool InFrom { get; set; }
    }

    /// <summary>Null if the text is allowed; otherwise the reason.</summary>
    public string? Refuse()
    {
        if (!isCondition && RefuseStart() is { } start)
        {
            return start;
        }

        for (var at = 0; at < tokens.Count; at++)
        {
            var reason = tokens[at].Kind switch
            {
                Kind.Symbol => RefuseSymbol(at),
                Kind.Text => RefuseText(at),
                Kind.Word => RefuseName(at) ?? RefuseWord(at),
                Kind.QuotedName => RefuseName(at),
                _ => null,
            };
            if (reason is not null)
            {
                return reason;
            }
        }

        return _levels.Count == 1 ? null : "A parenthesis or bracket is not closed. Add the missing end.";
    }

    private string? RefuseStart()
    {
        var starts = SqlGuardWords.Starts(family);
        var first = tokens.FirstOrDefault(token => !token.Is('('));
        return Array.Exists(starts, first.Is) ? null
            : $"A statement must begin with {string.Join(", ", starts[..^1]).ToUpperInvariant()} or {starts[^1].ToUpperInvariant()}, because "
                + "checks only read.";
    }

    private string? RefuseSymbol(int at)
    {
        switch (tokens[at].Value[0])
        {
            case '(' or '[' or '{' when _levels.Count > MaxDepth:
                return $"Parentheses are nested more than {MaxDepth} levels deep. Simplify the SQL, or create a view in the warehouse.";
            case '(' or '[' or '{':
                _levels.Push(new(tokens[at].Value[0], tokens[at].Is('(') && Previous(at) is { IsName: true } name ? name.Value : null));
                return null;
            case ')' or ']' or '}':
                if ((_levels.Peek().Opener, tokens[at].Value[0]) is not (('(', ')') or ('[', ']') or ('{', '}')))
                {
                    return "A closing parenthesis or bracket has no matching start. Remove it.";
                }

                _levels.Pop();
                return null;
            case ';' when isCondition || _levels.Count > 1:
                return "A semicolon is not allowed here. Remove it.";
            case ';' when at < tokens.Count - 1:
                return "Only one statement is allowed. Remove everything after the semicolon, or create one check per statement.";
            case ',' when isCondition && _levels.Count == 1:
                return "A condition must be one expression. Use AND or OR instead of a comma.";
            default:
                return null;
        }
    }

    // DuckDB reads FROM 'file.csv' as the file of that name.
    private string? RefuseText(int at) => family == WarehouseSqlFamily.DuckDb
        && (IsTable(at) || Previous(at).Is("desc") || Previous(at).Is("show"))
        ? "A file cannot be read as a table. Write the name of a table without quotes."
        : null;

    private string? RefuseName(int at)
    {
        var (name, isCall) = (tokens[at].Value, Next(at).Is('('));
        return isCall && !Ascii.IsValid(name)
            ? "The name of a function must contain only ASCII characters. Write the name in plain letters."
            : (isCall && SqlGuardFunctions.RefusesCall(name, family)) || SqlGuardFunctions.RefusesName(name, family)
            ? $"The function {name} is not allowed, because it does more than read tables of the warehouse. Remove it."
            : IsTable(at) ? RefuseTable(at)
            : null;
    }

    private string? RefuseTable(int at)
    {
        var (parts, last) = (1, at);
        while (Next(last).Is('.'))
        {
            parts++;
            last += Next(last + 1).IsName ? 2 : 1;
        }

        return family == WarehouseSqlFamily.SqlServer && parts > 3
            ? "A table of a linked server cannot be read. Register that server as a connection of its own."
            : family == WarehouseSqlFamily.DuckDb && SqlGuardWords.IsFile(tokens[at].Value, tokens[last].Value, parts)
            ? "A file cannot be read as a table. Write the name of a table."
            : null;
    }

    private string? RefuseWord(int at)
    {
        var (word, previous, next) = (tokens[at], Previous(at), Next(at));
        // After a dot, and after AS where the server allows any word, it is a name.
        if (previous.Is('.') || (previous.Is("as") && family != WarehouseSqlFamily.SqlServer))
        {
            return null;
        }

        Follow(at);
        var level = _levels.Peek();
        if (word.Is("select"))
        {
            // DuckDB has UNION BY NAME.
            if (level.HasSelect && !previous.IsAny(SqlGuardWords.BeforeSelect) && !(previous.Is("name") && Previous(at - 1).Is("by")))
            {
                return "Only one statement is allowed. Join the SELECT statements by UNION ALL, or put one in parentheses.";
            }

            level.HasSelect = true;
        }

        return word.Is("into") ? "INTO is not allowed, because checks only read. Remove it."
            : word.Is("for") && next.IsAny(SqlGuardWords.AfterFor) ? "Row locks (FOR UPDATE, FOR SHARE) are not allowed. Remove the clause."
            : word.Is("lock") && next.Is("in") ? "Row locks (LOCK IN SHARE MODE) are not allowed. Remove the clause."
            : word.Is("next") && next.Is("value") && Next(at + 1).Is("for") ? "A check must not advance a sequence. Remove NEXT VALUE FOR."
            : WritesAt(at) || (family == WarehouseSqlFamily.SqlServer && SqlGuardWords.IsSqlServerStatement(word, next))
            ? $"{word.Value.ToUpperInvariant()} is not allowed, because checks only read. If it is a name, quote it."
            : family == WarehouseSqlFamily.MySql && word.Is("procedure") && next.Is("analyse")
            ? "PROCEDURE ANALYSE is not allowed. Remove it."
            : family == WarehouseSqlFamily.ClickHouse && _levels.Count == 1 && word.Is("format") && next.IsName
            ? "FORMAT is not allowed, because the service chooses the format. Remove it."
            : family == WarehouseSqlFamily.ClickHouse && word.Is("settings") && next.IsName && Next(at + 1).Is('=')
            ? "SETTINGS is not allowed, because it could lift the limits of the check. Remove it."
            : isCondition && _levels.Count == 1 && word.IsAny(SqlGuardWords.Clauses) && !IsDistinctFrom(at)
            ? $"A condition must not contain {word.Value.ToUpperInvariant()} outside parentheses. Put a subquery in parentheses, or quote a name."
            : null;
    }

    // Writing statements stand at the start of parentheses (a common table expression of Postgres) or after one (the
    // main statement after WITH), and a name follows. Elsewhere the words are names of columns.
    private bool WritesAt(int at)
    {
        var (word, previous, next) = (tokens[at], Previous(at), Next(at));
        return word.IsAny(SqlGuardWords.Writes) && next.IsName
            && (previous.Is(')') || (previous.Is('(') && (!next.IsAny(SqlGuardWords.Operators) || (word.Is("delete") && next.Is("from")))));
    }

    // Tracks where the names of tables stand.
    private void Follow(int at)
    {
        var level = _levels.Peek();
        if (tokens[at].IsAny(SqlGuardWords.BeforeTables))
        {
            level.InFrom = !IsDistinctFrom(at) && (level.Call is null || !SqlGuardWords.CallsWithFrom.Contains(level.Call));
        }
        else if (tokens[at].IsAny(SqlGuardWords.Clauses))
        {
            level.InFrom = false;
        }
    }

    private bool IsTable(int at) => _levels.Peek().InFrom && (Previous(at).IsAny(SqlGuardWords.BeforeTables) || Previous(at).Is(','));

    private bool IsDistinctFrom(int at) =>
        tokens[at].Is("from") && Previous(at).Is("distinct") && (Previous(at - 1).Is("is") || Previous(at - 1).Is("not"));

    private SqlGuardToken Previous(int at) => at > 0 ? tokens[at - 1] : default;

    private SqlGuardToken Next(int at) => at + 1 < tokens.Count ? tokens[at + 1] : default;
}
