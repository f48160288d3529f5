namespace Catalog.Migrations.Lint;

/// <summary>What scripts of SQLite cannot do.</summary>
internal static class SqliteRules
{
    public static readonly IReadOnlyList<LintRule> All =
    [
        new("sqlite-no-transaction", "SQLite's scripts always run in a transaction.", "Leave it out.") { Engine = "sqlite", OnStatement = NoTransaction },
        new("brackets", "Brackets quote names on SQLite alone, and what they quote is read as SQL here.", "Double quotes: \"order\"; or a name that needs none.")
        {
            Engine = "sqlite",
            OnStatement = context => context.Tokens.Where(token => token.Is("[")).Take(1).Select(token => new LintHit(token.Line, "quotes a name with brackets")),
        },
    ];

    private static IEnumerable<LintHit> NoTransaction(LintContext context)
    {
        var tokens = context.Tokens;
        if (!context.File.Transactional)
        {
            yield return new(context.Line, "says `-- transaction: none`, and SQLite's scripts always run in a transaction");
        }

        if (tokens[0].Is("vacuum") || tokens[0].Is("attach") || tokens[0].Is("detach"))
        {
            yield return new(context.Line, $"{tokens[0].Name()} cannot run in a transaction");
        }

        if (tokens.At(0, "pragma") && (tokens.Has("foreign_keys") || tokens.Has("journal_mode") || tokens.Has("synchronous")))
        {
            yield return new(context.Line, $"pragma {new TokenReader([.. tokens.Skip(1)]).Name()} has no effect in a transaction", tokens.Has("foreign_keys") ? "Leave it out: the runner switches foreign keys off before the script, and runs pragma foreign_key_check before it commits." : null);
        }
    }
}
