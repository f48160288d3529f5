using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

/// <summary>What the oldest SQLite that we meet does not know, or its scripts cannot do.</summary>
internal static class SqliteRules
{
    private static readonly Dictionary<string, string> NewFunctions = new(StringComparer.OrdinalIgnoreCase)
    {
        ["unixepoch"] = "3.38",
        ["format"] = "3.38",
        ["unhex"] = "3.41",
        ["json_error_position"] = "3.42",
        ["octet_length"] = "3.43",
        ["timediff"] = "3.43",
        ["concat"] = "3.44",
        ["concat_ws"] = "3.44",
        ["string_agg"] = "3.44",
        ["jsonb"] = "3.45",
        ["jsonb_extract"] = "3.45",
        ["jsonb_set"] = "3.45",
        ["jsonb_insert"] = "3.45",
        ["jsonb_replace"] = "3.45",
        ["jsonb_patch"] = "3.45",
        ["jsonb_remove"] = "3.45",
        ["jsonb_array"] = "3.45",
        ["jsonb_object"] = "3.45",
        ["jsonb_group_array"] = "3.45",
        ["jsonb_group_object"] = "3.45",
        ["json_pretty"] = "3.46",
        ["unistr"] = "3.50",
    };

    // Before a name they make it a table's or an index's, not a function's.
    private static readonly string[] BeforeTables = ["table", "into", "on", "references", "exists", "index", "."];

    public static readonly IReadOnlyList<LintRule> All =
    [
        new("newer-than-3-35", "The oldest SQLite that we meet is 3.35.", "checks of typeof(…), json_extract(…), strftime('%s', …), left join, ||.") { Engine = "sqlite", OnStatement = Newer },
        new("sqlite-no-transaction", "SQLite's scripts always run in a transaction.", "Leave it out.") { Engine = "sqlite", OnStatement = NoTransaction },
        new("brackets", "Brackets quote names on SQLite alone, and what they quote is read as SQL here.", "Double quotes: \"order\"; or a name that needs none.")
        {
            Engine = "sqlite",
            OnStatement = context => context.Tokens.Where(token => token.Is("[")).Take(1).Select(token => new LintHit(token.Line, "quotes a name with brackets")),
        },
    ];

    private static IEnumerable<LintHit> Newer(LintContext context)
    {
        var tokens = context.Tokens;
        LintHit Hit(int place, string what, string version) => new(tokens[place].Line, $"{what} needs SQLite {version}");
        if (tokens.At(0, "create") && tokens.Take(5).Any(token => token.Is("table")) && Options(tokens).Find("strict") >= 0)
        {
            yield return Hit(tokens.Count - 1, "a strict table", "3.37");
        }

        for (var place = 0; place < tokens.Count; place++)
        {
            if (tokens.At(place, "-", ">"))
            {
                yield return Hit(place, tokens.At(place + 2, ">") ? "->>" : "->", "3.38");
            }

            if (tokens.At(place, "distinct", "from") && (tokens.At(place - 1, "is") || tokens.At(place - 2, "is", "not")))
            {
                yield return Hit(place, "is distinct from", "3.39");
            }

            if ((tokens.At(place, "right") || tokens.At(place, "full")) && (tokens.At(place + 1, "join") || tokens.At(place + 1, "outer", "join")))
            {
                yield return Hit(place, $"a {tokens[place].Name()} join", "3.39");
            }

            if (tokens.At(place + 1, "(") && tokens[place].Kind == SqlTokenKind.Word && NewFunctions.TryGetValue(tokens[place].Text, out var version)
                && !(place > 0 && BeforeTables.Any(tokens[place - 1].Is)))
            {
                yield return Hit(place, $"{tokens[place].Text}()", version);
            }
        }
    }

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

    // What stands behind a table's columns.
    private static IReadOnlyList<SqlToken> Options(IReadOnlyList<SqlToken> tokens)
    {
        var reader = new TokenReader([.. tokens.SkipWhile(token => !token.Is("("))]);
        reader.Parenthesis();
        return reader.Rest is [var first, ..] && first.Is("as") ? [] : reader.Rest;
    }
}
