using System.Text;

namespace Catalog.Data.Warehouses;

/// <summary>
/// Rejects SQL of users that does more than read. This is one of several layers. If it does not know a function of the
/// server, the role of the login, the read-only transaction and the limits of the session still protect the server.
/// </summary>
public static class SqlGuard
{
    private const int MaxBytes = 64 * 1024;

    // Engines that run in this process parse recursively. A full stack would end the process.
    private const int MaxDepth = 100;

    // The words that end a condition. All families reserve them, so a column with such a name needs quotes anyway.
    private static readonly HashSet<string> ClauseWords =
        ["select", "from", "where", "group", "having", "order", "union", "intersect", "except"];

    // The words that can follow a column with the name insert, update, delete or merge. After a statement with this
    // name, a name or INTO follows.
    private static readonly HashSet<string> AfterColumn =
        ["is", "in", "and", "or", "not", "as", "between", "from", "then", "else", "end", "when", "asc", "desc"];

    // The words of AfterColumn that can also follow the statement UPDATE: OR, as in UPDATE OR IGNORE of SQLite, and
    // words that SQLite and MySQL accept as the name of a table.
    private static readonly HashSet<string> AfterUpdate = ["or", "asc", "desc", "end"];

    /// <summary>Checks a statement that runs alone or as a subquery. It may end with one semicolon.</summary>
    /// <returns>Null when the statement is allowed; otherwise the reason, which says what to do.</returns>
    public static string? Refuse(string sql, WarehouseSqlFamily family)
    {
        ArgumentNullException.ThrowIfNull(sql);
        if (Read(sql, family, out var tokens) is { } problem)
        {
            return problem;
        }

        tokens = WithoutEnd(tokens);
        return RefuseBeginning(tokens, family) ?? RefuseParts(tokens, family);
    }

    /// <summary>
    /// Checks a condition that is put into parentheses without a change, for example into <c>where (...)</c>. It may
    /// end with a comment only if a new line follows the comment.
    /// </summary>
    /// <returns>Null when the condition is allowed; otherwise the reason, which says what to do.</returns>
    public static string? RefuseExpression(string sql, WarehouseSqlFamily family)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return Read(sql, family, out var tokens) ?? RefuseClauses(tokens) ?? RefuseOpenComment(sql, tokens, family)
            ?? RefuseParts(tokens, family);
    }

    /// <summary>
    /// An allowed statement without its semicolon and the comments before and after it. The result can be used as a
    /// subquery.
    /// </summary>
    /// <exception cref="ArgumentException">The statement is not allowed.</exception>
    public static string Statement(string sql, WarehouseSqlFamily family)
    {
        if (Refuse(sql, family) is { } problem)
        {
            throw new ArgumentException(problem, nameof(sql));
        }

        _ = Read(sql, family, out var tokens);
        tokens = WithoutEnd(tokens);
        return sql[tokens[0].Start..tokens[^1].End];
    }

    private static IReadOnlyList<SqlToken> WithoutEnd(IReadOnlyList<SqlToken> tokens) =>
        tokens.Count > 0 && tokens[^1].IsSymbol(';') ? [.. tokens.SkipLast(1)] : tokens;

    private static string? Read(string sql, WarehouseSqlFamily family, out IReadOnlyList<SqlToken> tokens)
    {
        tokens = [];
        if (sql.Length > MaxBytes || Encoding.UTF8.GetByteCount(sql) > MaxBytes)
        {
            return "The SQL is longer than 64 KiB. Shorten it, or create a view in the warehouse and query that.";
        }

        return SqlLexer.Read(sql, family, out tokens) ?? RefuseNesting(tokens);
    }

    private static string? RefuseNesting(IReadOnlyList<SqlToken> tokens)
    {
        var open = new Stack<char>();
        foreach (var token in tokens.Where(token => token.Kind == SqlTokenKind.Symbol))
        {
            switch (token.Text[0])
            {
                case '(' or '[' or '{' when open.Count == MaxDepth:
                    return $"Brackets are nested more than {MaxDepth} deep. Simplify the SQL.";
                case '(':
                    open.Push(')');
                    break;
                case '[':
                    open.Push(']');
                    break;
                case '{':
                    open.Push('}');
                    break;
                case ')' or ']' or '}' when !open.TryPop(out var expected) || expected != token.Text[0]:
                    return $"The SQL contains a {token.Text} without an opening bracket that matches it. Correct the brackets.";
                default:
                    break;
            }
        }

        return open.TryPop(out var missing) ? $"A {missing} is missing. Add it, or remove the bracket that it closes." : null;
    }

    private static string? RefuseOpenComment(string sql, IReadOnlyList<SqlToken> tokens, WarehouseSqlFamily family)
    {
        _ = SqlLexer.Read(sql[tokens[^1].End..] + ")", family, out var appended);
        return appended.Count > 0 ? null
            : "The SQL ends with a comment, and text that the service adds would become part of it. Move the comment above the last "
                + "line, or remove it.";
    }

    private static string? RefuseBeginning(IReadOnlyList<SqlToken> tokens, WarehouseSqlFamily family)
    {
        string[] words = family switch
        {
            WarehouseSqlFamily.Postgres or WarehouseSqlFamily.MySql => ["SELECT", "WITH", "VALUES", "TABLE"],
            WarehouseSqlFamily.DuckDb => ["SELECT", "WITH", "VALUES", "TABLE", "FROM"],
            WarehouseSqlFamily.Sqlite => ["SELECT", "WITH", "VALUES"],
            _ => ["SELECT", "WITH"],
        };
        var first = tokens.SkipWhile(token => token.IsSymbol('(')).FirstOrDefault();
        var begin = $"{string.Join(", ", words[..^1])} or {words[^1]}";
        return first.Kind switch
        {
            SqlTokenKind.None => $"The SQL is empty. Write a query that begins with {begin}.",
            SqlTokenKind.Word when words.Contains(first.Text, StringComparer.OrdinalIgnoreCase) => null,
            SqlTokenKind.Word => $"Only queries can run here, and {Shown(first)} begins another statement. Begin with {begin}.",
            _ => $"Only queries can run here. Begin with {begin}.",
        };
    }

    private static string? RefuseClauses(IReadOnlyList<SqlToken> tokens)
    {
        if (tokens.Count == 0)
        {
            return "The condition is empty. Write one, or leave it out.";
        }

        var depth = 0;
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            depth += token.Kind != SqlTokenKind.Symbol ? 0
                : token.Text[0] switch { '(' or '[' or '{' => 1, ')' or ']' or '}' => -1, _ => 0 };
            if (token.IsSymbol(';'))
            {
                return "A condition must have no semicolon. Remove it.";
            }

            if (depth == 0 && token.IsSymbol(','))
            {
                return "A condition must be one expression. Join its parts with AND or OR instead of a comma.";
            }

            var isName = i > 0 && (IsMember(tokens, i) || (token.Text == "from" && tokens[i - 1].Is("distinct")));
            // In some families, LIMIT and OFFSET can be names of columns, but not before a number.
            var isLimit = (token.Is("limit") || token.Is("offset")) && At(tokens, i + 1).Kind == SqlTokenKind.Number;
            if (depth == 0 && (token.IsAny(ClauseWords) || isLimit) && !isName)
            {
                return $"{Shown(token)} is not a part of a condition. Write only the condition, such as: amount > 0. "
                    + "Put a subquery into parentheses.";
            }
        }

        return null;
    }

    private static string? RefuseParts(IReadOnlyList<SqlToken> tokens, WarehouseSqlFamily family)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            if (token.IsSymbol(';'))
            {
                return "Only one statement can run here. Remove the semicolon and what follows it.";
            }

            var isKeyword = token.Kind == SqlTokenKind.Word && !IsMember(tokens, i);
            var problem = (isKeyword ? RefuseWord(tokens, i, family) : null) ?? ForbiddenSqlNames.Refuse(tokens, i, family);
            if (problem is not null)
            {
                return problem;
            }
        }

        return family == WarehouseSqlFamily.DuckDb ? DuckDbFileGuard.Refuse(tokens) : null;
    }

    private static string? RefuseWord(IReadOnlyList<SqlToken> tokens, int i, WarehouseSqlFamily family)
    {
        var (word, next, afterNext) = (tokens[i], At(tokens, i + 1), At(tokens, i + 2));
        switch (word.Text)
        {
            case "into":
                return "INTO is not allowed, because it writes the result into a table, a file or a variable. Remove it. If it is a name, "
                    + "put it into quotes.";
            case "for" when next.Text is "update" or "share" || (next.Is("no") && afterNext.Is("key"))
                || (next.Is("key") && afterNext.Is("share")):
            case "lock" when next.Is("in") && afterNext.Is("share"):
                return $"{Shown(word)} {Shown(next)} locks rows, which is not allowed. Remove it.";
            case "next" or "previous" when next.Is("value") && afterNext.Is("for"):
                return $"{Shown(word)} VALUE FOR is not allowed, because it changes a sequence or depends on one. Remove it.";
            case "insert" or "update" or "delete" or "merge" when IsStatement(tokens, i):
                return $"{Shown(word)} changes data, and only queries can run here. Remove it. If it is a name, put it into quotes.";
            // The value of a setting can be missing; the setting is then true.
            case "settings" when family == WarehouseSqlFamily.ClickHouse && next.IsName && !IsClickHouseName(tokens, i)
                && (afterNext.IsSymbol('=') || afterNext.IsSymbol(',') || afterNext.Is("format") || EndsClause(afterNext)):
                return "SETTINGS is not allowed, because it can change the limits of the query. Remove it.";
            case "format" when family == WarehouseSqlFamily.ClickHouse && next.IsName && !IsClickHouseName(tokens, i)
                && EndsClause(afterNext):
                return "FORMAT is not allowed, because it changes how the result is sent. Remove it.";
            default:
                return null;
        }
    }

    // Postgres, MySQL and SQLite allow a statement that changes data after WITH. Postgres also allows it inside WITH.
    private static bool IsStatement(IReadOnlyList<SqlToken> tokens, int i)
    {
        var (word, next) = (tokens[i], At(tokens, i + 1));
        return !At(tokens, i - 1).Is("as") && next.Kind switch
        {
            SqlTokenKind.Quoted or SqlTokenKind.String => true,
            SqlTokenKind.Word => !next.IsAny(AfterColumn) || (word.Is("delete") && next.Is("from"))
                || (word.Is("update") && next.IsAny(AfterUpdate)),
            // insert(...) and merge(...) are functions of some families.
            SqlTokenKind.Symbol => next.IsSymbol('(') && word.Text is "update" or "delete",
            _ => false,
        };
    }

    // A name after a dot is never a keyword. But a dot after a number or an operator can be a part of a number.
    private static bool IsMember(IReadOnlyList<SqlToken> tokens, int i) => At(tokens, i - 1).IsSymbol('.')
        && At(tokens, i - 2) is var owner && (owner.IsName || owner.IsSymbol(')') || owner.IsSymbol(']') || owner.IsSymbol('.'));

    // Whether SETTINGS or FORMAT is a name, as in FROM settings s and ORDER BY format DESC. After AS or a dot, FROM is
    // itself a name.
    private static bool IsClickHouseName(IReadOnlyList<SqlToken> tokens, int i) => !At(tokens, i + 2).IsSymbol('=')
        && (At(tokens, i + 1).Is("asc") || At(tokens, i + 1).Is("desc")
            || ((At(tokens, i - 1).Is("from") || At(tokens, i - 1).Is("join"))
                && !At(tokens, i - 2).Is("as") && !At(tokens, i - 2).IsSymbol('.')));

    private static bool EndsClause(SqlToken token) =>
        token.Kind == SqlTokenKind.None || token.IsSymbol(')') || token.Is("settings") || token.Is("into");

    private static SqlToken At(IReadOnlyList<SqlToken> tokens, int i) =>
        i >= 0 && i < tokens.Count ? tokens[i] : new(SqlTokenKind.None, "", 0, 0);

    private static string Shown(SqlToken word) => word.Text.Length > 30 ? "the word" : word.Text.ToUpperInvariant();
}
