using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

/// <summary>Looks into <c>do</c> blocks: what stands there runs with the script. The bodies of functions do not, and what <c>execute</c> puts together cannot be judged.</summary>
internal static class Blocks
{
    private static readonly string[] Opens = ["begin", "then", "else", "loop"];
    private static readonly string[] Begins =
    [
        "alter", "create", "drop", "update", "delete", "truncate", "insert", "with", "grant", "set", "reset", "commit", "rollback", "perform", "select", "reindex", "vacuum",
        "copy", "merge", "cluster", "lock", "refresh", "discard", "reassign",
    ];

    /// <summary>A statement's tokens, and those of each statement within it.</summary>
    public static IEnumerable<IReadOnlyList<SqlToken>> All(SqlStatement statement) => [statement.Tokens, .. Within(statement)];

    /// <summary>The statements within a <c>do</c> block; none in another statement.</summary>
    public static IEnumerable<IReadOnlyList<SqlToken>> Within(SqlStatement statement) =>
        Read(statement).Select(inner => Statement(inner.Tokens)).OfType<IReadOnlyList<SqlToken>>();

    /// <summary>The comments of a statement, also those in its <c>do</c> block.</summary>
    public static IEnumerable<(int Line, string Text)> Comments(SqlStatement statement) => [.. statement.Comments, .. Read(statement).SelectMany(inner => inner.Comments)];

    /// <summary>Where a <c>do</c> block runs what nobody can judge before it runs: text, or another language.</summary>
    public static IEnumerable<SqlToken> Unjudged(SqlStatement statement)
    {
        if (!statement.Tokens[0].Is("do"))
        {
            return [];
        }

        // Before these words it is a trigger's action or a right.
        string[] names = ["function", "procedure", "on", ","];
        var foreign = statement.Tokens.Find("language") is var language and >= 0 && !statement.Tokens.At(language + 1, "plpgsql");
        return foreign || !statement.Tokens.Any(token => token.Kind == SqlTokenKind.DollarText)
            ? [statement.Tokens[0]]
            : Read(statement).SelectMany(inner => inner.Tokens.Where((token, place) => token.Is("execute") && !names.Any(name => inner.Tokens.At(place + 1, name))));
    }

    private static IReadOnlyList<SqlStatement> Read(SqlStatement statement)
    {
        var body = statement.Tokens[0].Is("do") ? statement.Tokens.FirstOrDefault(token => token.Kind == SqlTokenKind.DollarText) : default;
        if (body.Text is null)
        {
            return [];
        }

        var tag = body.Text.IndexOf('$', 1) + 1;
        try
        {
            return [.. SqlText.Statements(body.Text[tag..^tag]).Select(inner => inner with
            {
                Tokens = [.. inner.Tokens.Select(token => token with { Line = token.Line + body.Line - 1 })],
                Comments = [.. inner.Comments.Select(comment => (comment.Line + body.Line - 1, comment.Text))],
            })];
        }
        catch (UnendedException)
        {
            // The server says so too, and better.
            return [];
        }
    }

    // Without the words of the block before it: `begin if … then alter table …` is an `alter table`.
    private static IReadOnlyList<SqlToken>? Statement(IReadOnlyList<SqlToken> tokens)
    {
        // `lock := true` is about a variable.
        bool Begin(int place) => Begins.Any(tokens[place].Is) && !tokens.At(place + 1, ":") && !tokens.At(place + 1, "=");
        var from = Begin(0) ? 0 : Enumerable.Range(1, tokens.Count - 1).FirstOrDefault(place => Begin(place) && Opens.Any(tokens[place - 1].Is), -1);
        return from < 0 ? null : [.. tokens.Skip(from)];
    }
}
