namespace Catalog.Data.Warehouses;

/// <summary>The rules by which a warehouse reads SQL.</summary>
public enum WarehouseSqlFamily
{
    /// <summary>Postgres and the servers that speak its protocol.</summary>
    Postgres,

    /// <summary>MySQL and MariaDB.</summary>
    MySql,

    /// <summary>SQLite.</summary>
    Sqlite,

    /// <summary>DuckDB.</summary>
    DuckDb,

    /// <summary>Microsoft SQL Server.</summary>
    SqlServer,

    /// <summary>ClickHouse.</summary>
    ClickHouse,
}

/// <summary>
/// Refuses SQL of users that does more than read tables. It is one layer of several: the server also runs the statement
/// in a read-only transaction, with limits, as a user that should only be allowed to read. SQL that the lexer does not
/// understand is refused. Words in strings, comments and quoted names have no meaning to the guard.
/// </summary>
public static class SqlGuard
{
    /// <summary>The largest length of a statement, in characters.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>Judges a complete statement. One <c>;</c> may follow it.</summary>
    /// <returns>Null if the statement is allowed; otherwise the reason, which contains no literal of the statement.</returns>
    public static string? Refuse(string sql, WarehouseSqlFamily family) => Read(sql, family, out var lexer)
        ?? new SqlGuardRules(lexer!.Tokens, family, isCondition: false).Refuse();

    /// <summary>Judges a condition that is inserted into a statement, such as the filter of a check.</summary>
    /// <returns>Null if the condition is allowed; otherwise the reason, which contains no literal of the condition.</returns>
    public static string? RefuseExpression(string sql, WarehouseSqlFamily family) => Read(sql, family, out var lexer)
        ?? (lexer!.EndsInLineComment
            ? "A condition must not end in a line comment, because the comment would hide the SQL that follows. Remove the comment."
            : new SqlGuardRules(lexer.Tokens, family, isCondition: true).Refuse());

    /// <summary>
    /// An allowed statement without the <c>;</c> and the comments around it, so that it can be used as a subquery.
    /// </summary>
    /// <exception cref="ArgumentException">The statement is not allowed.</exception>
    public static string Statement(string sql, WarehouseSqlFamily family)
    {
        if (Refuse(sql, family) is { } reason)
        {
            throw new ArgumentException(reason, nameof(sql));
        }

        _ = Read(sql, family, out var lexer);
        var tokens = lexer!.Tokens;
        var last = tokens[^1].Is(';') ? tokens[^2] : tokens[^1];
        return sql[tokens[0].Start..last.End];
    }

    private static string? Read(string sql, WarehouseSqlFamily family, out SqlGuardLexer? lexer)
    {
        lexer = null;
        if (sql.Length > MaxLength)
        {
            return $"The SQL is longer than {MaxLength} characters. Shorten it, or create a view in the warehouse.";
        }

        lexer = new(sql, family);
        return lexer.Read()
            ?? (lexer.Tokens.Count == 0 ? "The SQL is empty or contains only comments. Write a SELECT statement or a condition." : null);
    }
}
