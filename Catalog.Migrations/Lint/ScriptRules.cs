using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

/// <summary>What a script may not do because its runner does it, and what cannot run as it is written.</summary>
internal static class ScriptRules
{
    public static readonly IReadOnlyList<LintRule> All =
    [
        new("transaction-control", "The runner's transaction ends early, and the script and its journal row come apart.", "Leave it out: each script runs in a transaction with its journal row.")
        {
            OnStatement = TransactionControl,
        },
        new("concurrently-in-transaction", "The server refuses it.", "A line `-- transaction: none` in a script that holds nothing else.")
        {
            Engine = "postgres",
            OnStatement = context => context.File.Transactional && WithoutTransaction(context.Tokens) is { } what
                ? context.At($"{what} cannot run in a transaction", context.Inner ? "A statement in a do block is in one: write it as it is, in a script of its own that says `-- transaction: none`." : $"-- transaction: none\n{context.Statement.Sql};")
                : [],
        },
        new("concurrently-not-alone", "When a run breaks off, nobody can tell which statements took effect.", "A script of its own for each statement without a transaction."),
        new("transaction-none-needless", "A statement that could be undone is not, and an interrupted run cannot be told from none.", "Leave out `-- transaction: none`.")
        {
            Engine = "postgres",
            OnStatement = context => !context.File.Transactional && !context.Inner && WithoutTransaction(context.Tokens) is null && !EndsTransactions(context)
                ? context.At("says `-- transaction: none`, and the statement may run in one", $"{context.Statement.Sql};")
                : [],
        },
        new("enum-value-used", "Postgres refuses a new enum value in the transaction that adds it.", "Add the value in one script, and use it in the next.")
        {
            Engine = "postgres",
            OnStatement = EnumValueUsed,
        },
        new("dollar-tag", "DbUp takes $name$ for a variable of its own and fails.", "$$ … $$, with '…' for texts within.")
        {
            OnStatement = context => context.Inner ? [] : context.Tokens
                .Where(token => token.Kind is SqlTokenKind.DollarText or SqlTokenKind.Text)
                .SelectMany(token => Variables(token.Text).Take(1).Select(name => new LintHit(token.Line, $"DbUp takes ${name}$ for a variable of its own and fails"))),
        },
        new("copy", "The runner sends statements only: there is no input to read, and the server's files and programs are not the script's.", "insert into … values …; many rows are loaded by a program of their own.")
        {
            Engine = "postgres",
            OnStatement = context => context.Tokens[0].Is("copy") ? context.At("copy in a script: the runner sends statements only, and no rows beside them") : [],
        },
        new("meta-command", "It is a command of a console (psql, sqlite3), no SQL, and the server refuses it.", "Leave it out, or write the SQL that it stands for.")
        {
            OnStatement = MetaCommand,
        },
        new("dynamic-sql", "What a do block puts together while it runs cannot be judged before.", "Write the statements as they are, in a do block in $$ … $$; or say in a waiver what the text can be.")
        {
            Engine = "postgres",
            OnStatement = context => context.Inner ? [] : Blocks.Unjudged(context.Statement)
                .Select(token => new LintHit(token.Line, token.Is("do") ? "a do block in single quotes or another language than plpgsql cannot be judged" : "execute runs a text, which cannot be judged",
                    "Write the statements as they are, in a do block in $$ … $$. If they have to be put together:\n-- lint: allow dynamic-sql: what they can be, and why each is safe")),
        },
        new("create-rule", "It rewrites every statement on the table, with results that nobody expects: default values twice, no count of rows, no copy.", "A trigger: create trigger … before insert on ….")
        {
            Engine = "postgres",
            OnStatement = context => context.Tokens.At(0, "create", "rule") || context.Tokens.At(0, "create", "or", "replace", "rule") ? context.At("makes a rule, which rewrites every statement on its table") : [],
        },
        new("change-owner", "Scripts run as the tables' owner: another one shuts later scripts out, and an owner is above row security that is not forced.", "Leave it out, and grant what the role needs.")
        {
            Engine = "postgres",
            OnStatement = context => context.Tokens.At(0, "reassign", "owned") || (context.Tokens[0].Is("alter") && context.Tokens.Has("owner to") && !context.Tokens.Has("rename"))
                ? context.At("gives what it alters another owner, and later scripts run as the owner of all tables")
                : [],
        },
        new("unreadable", "What does not end swallows the rest of the script, and what is not UTF-8 is read as something else.", "Close the quote, comment, dollar tag, parenthesis or body; save the file as UTF-8."),
        new("chain-broken", "The runner refuses the scripts.", "Number the scripts without gaps, NNNN_name.sql; catalog-migrations new NAME does."),
        new("waiver-without-reason", "Nobody can tell later whether it still holds.", $"-- lint: allow RULE: a reason of at least {Waivers.ShortestReason} characters"),
        new("waiver-unused", "It waives nothing, and may one day waive what nobody looked at.", "Take it out, or put it directly in front of its statement."),
        new("waiver-unknown", "It waives nothing.", "-- lint: allow RULE: reason; catalog-migrations lint --rules lists the rules."),
    ];

    private static IEnumerable<LintHit> TransactionControl(LintContext context)
    {
        var tokens = context.Tokens;
        var what = tokens[0].Name();
        var controls = what switch
        {
            "commit" or "abort" or "end" => true,
            "begin" => !context.Inner,
            "start" or "prepare" => tokens.At(1, "transaction"),
            "rollback" => !tokens.At(1, "to"),
            _ => false,
        };
        // A block without a transaction may commit batch by batch; its own end is no transaction's.
        return controls && !(context.Inner && (what == "end" || !context.File.Transactional))
            ? context.At($"{what} in a script: it runs in a transaction with its journal row", context.Inner ? "A line `-- transaction: none` in a script that holds nothing else." : null)
            : [];
    }

    // What the server refuses in a transaction.
    private static string? WithoutTransaction(IReadOnlyList<SqlToken> tokens)
    {
        bool Is(params ReadOnlySpan<string> words) => tokens.At(0, words);
        return tokens.Has("concurrently") && (tokens.Has("index") || Is("reindex") || tokens.Has("detach partition")) && !Is("do") ? $"{tokens[0].Name()} … concurrently"
            : Is("reindex", "database") || Is("reindex", "system") || Is("reindex", "schema") ? $"reindex {tokens[1].Name()}"
            : Is("vacuum") ? "vacuum"
            : Is("cluster") && tokens.Count == 1 ? "cluster of every table"
            : Is("alter", "system") ? "alter system"
            : Is("create", "database") || Is("drop", "database") || Is("create", "tablespace") || Is("drop", "tablespace") || Is("create", "subscription") || Is("drop", "subscription") ? $"{tokens[0].Name()} {tokens[1].Name()}"
            : null;
    }

    // A procedure may, and nobody can see from here.
    private static bool EndsTransactions(LintContext context) => context.Tokens[0].Is("call") || context.Within.Any(tokens => tokens[0].Is("commit") || tokens[0].Is("rollback"));

    // A backslash is in no SQL but within quotes, and a dot begins none.
    private static IEnumerable<LintHit> MetaCommand(LintContext context) => context.Tokens
        .Where((token, place) => token.Is("\\") || (place == 0 && token.Is(".")))
        .DistinctBy(token => token.Line)
        .Select(token => new LintHit(token.Line, $"a command of {(token.Is(".") ? "the sqlite3 console" : "psql")}, which is no SQL"));

    private static IEnumerable<LintHit> EnumValueUsed(LintContext context)
    {
        if (!context.File.Transactional || !context.Tokens.At(0, "alter", "type") || context.Tokens.Find("add value") is not (var at and >= 0))
        {
            return [];
        }

        var name = new TokenReader([.. context.Tokens.Skip(2)]).Name();
        var value = context.Tokens.Skip(at).FirstOrDefault(token => token.Kind == SqlTokenKind.Text);
        return context.Made("object", "type", name)
            ? []
            : context.File.Statements.Where(statement => statement != context.Statement).SelectMany(Blocks.All)
                .SelectMany(tokens => tokens.Where(token => token.Kind == SqlTokenKind.Text && token.Text == value.Text && token.Line >= value.Line))
                .Take(1)
                .Select(token => new LintHit(token.Line, $"uses {value.Text} in the transaction that adds it to {name}, which Postgres refuses"));
    }

    // What stands between two dollar signs and could be a name.
    private static IEnumerable<string> Variables(string text) =>
        text.Split('$') is { Length: > 2 } parts ? parts[1..^1].Where(part => part.Length > 0 && part.All(character => char.IsAsciiLetterOrDigit(character) || character == '_')) : [];
}
