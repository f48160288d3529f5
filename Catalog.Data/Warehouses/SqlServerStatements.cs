namespace Catalog.Data.Warehouses;

/// <summary>Refuses what ends a statement of SQL Server without a semicolon, hints that lock, and other servers.</summary>
internal static class SqlServerStatements
{
    // All but RECEIVE are reserved.
    private static readonly HashSet<string> Statements =
    [
        "alter", "backup", "begin", "break", "bulk", "checkpoint", "close", "commit", "continue", "create", "dbcc", "deallocate",
        "declare", "delete", "deny", "drop", "dump", "exec", "execute", "exit", "goto", "grant", "if", "insert", "kill", "load",
        "merge", "open", "print", "raiserror", "readtext", "receive", "reconfigure", "restore", "return", "revert", "revoke",
        "rollback", "save", "set", "setuser", "shutdown", "truncate", "update", "updatetext", "use", "waitfor", "while", "writetext",
    ];

    private static readonly HashSet<string> Locks = ["holdlock", "tablock", "tablockx", "updlock", "xlock"];

    private static readonly HashSet<string> BeforeSelect = ["all", "except", "intersect", "union"];

    /// <summary>Judges a word that is not a part of a name after a dot.</summary>
    public static string? RefuseWord(SqlToken word, SqlToken next) =>
        word.IsAny(Statements) || (word.Is("send") && next.Is("on"))
            || (next.Is("conversation") && (word.Text is "get" or "end" or "move"))
            || (next.Is("trigger") && (word.Text is "disable" or "enable"))
            ? $"{word.Text.ToUpperInvariant()} is a statement of its own, and only one query can run here. If it is a name, put it into "
                + "brackets."
        : word.IsAny(Locks) ? $"The hint {word.Text.ToUpperInvariant()} locks rows or tables. Remove it."
        : null;

    /// <summary>Refuses a second SELECT and names of four parts. Parentheses must be balanced.</summary>
    public static string? Refuse(IReadOnlyList<SqlToken> tokens)
    {
        var outer = new Stack<Level>();
        var (level, dots) = (new Level(), 0);
        for (var i = 0; i < tokens.Count; i++)
        {
            var (token, previous) = (tokens[i], i > 0 ? tokens[i - 1] : default);

            // A dot may follow a dot: the schema is left out.
            dots = token.IsSymbol('.') ? dots + 1 : previous.IsSymbol('.') ? dots : 0;
            if (dots == 3)
            {
                return "A name of four parts reads from another server. Use at most database, schema and table.";
            }

            if (token.IsSymbol('('))
            {
                // After the parentheses of WITH, these hold the query itself.
                level.HasSelect |= previous.IsSymbol(')') || (i == 0 || previous.IsSymbol('('));
                outer.Push(level);
                level = new();
            }
            else if (token.IsSymbol(')'))
            {
                level = outer.Pop();
            }
            else if (token.Is("select") && !previous.IsSymbol('.'))
            {
                if (level.HasSelect && !previous.IsAny(BeforeSelect))
                {
                    return "A second SELECT begins another statement, and only one can run here. Join them by UNION ALL, or remove one.";
                }

                level.HasSelect = true;
            }
        }

        return null;
    }

    private sealed class Level
    {
        public bool HasSelect { get; set; }
    }
}
