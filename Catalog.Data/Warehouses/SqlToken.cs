namespace Catalog.Data.Warehouses;

internal enum SqlTokenKind
{
    None,
    Word,
    Quoted,
    String,
    Number,
    Symbol,
}

/// <summary>A part of an SQL text. Comments and white space are not parts.</summary>
/// <param name="Kind">
/// The kind of the part. A text in double quotes counts as a quoted name, even for MySQL, where it can be a string.
/// </param>
/// <param name="Text">
/// A word in lower case; a quoted name or a string without its quotes; a number as written; a symbol's one character.
/// </param>
/// <param name="Start">The index of its first character in the SQL text.</param>
/// <param name="End">The index after its last character.</param>
internal readonly record struct SqlToken(SqlTokenKind Kind, string Text, int Start, int End)
{
    public bool IsName => Kind is SqlTokenKind.Word or SqlTokenKind.Quoted;

    public bool Is(string word) => Kind == SqlTokenKind.Word && Text == word;

    public bool IsAny(IReadOnlySet<string> words) => Kind == SqlTokenKind.Word && words.Contains(Text);

    public bool IsSymbol(char symbol) => Kind == SqlTokenKind.Symbol && Text[0] == symbol;
}
