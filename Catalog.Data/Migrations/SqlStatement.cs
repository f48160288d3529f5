namespace Catalog.Data.Migrations;

/// <summary>One statement of a script.</summary>
/// <param name="Sql">The text without the closing semicolon, with inner comments.</param>
/// <param name="Line">The first line in the file, from 1.</param>
/// <param name="Tokens">The tokens without comments; never empty.</param>
/// <param name="Comments">The comments before and inside the statement, without their markers, each with its line.</param>
public sealed record SqlStatement(string Sql, int Line, IReadOnlyList<SqlToken> Tokens, IReadOnlyList<(int Line, string Text)> Comments)
{
    /// <summary>
    /// Whether the statement is designed to run beside traffic: it does not block other clients while it waits for
    /// locks.
    /// </summary>
    public bool IsConcurrent => Tokens.Any(token => token.Is("concurrently")) || Tokens[0].Is("analyze")
        || (Tokens[0].Is("vacuum") && !Tokens.Any(token => token.Is("full")));
}
