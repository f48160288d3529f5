namespace Catalog.Data.Warehouses;

/// <summary>What a part of a statement is.</summary>
internal enum SqlGuardTokenKind
{
    None,
    Word,
    QuotedName,
    Text,
    Number,
    Symbol,
}

/// <summary>A part of a statement. Comments and spaces are not tokens.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Value">
/// The folded text of a word or quoted name: lower case, with full-width letters and other look-alikes that servers may
/// fold replaced. The character of a symbol. Empty for strings and numbers.
/// </param>
/// <param name="Start">The index of the first character.</param>
/// <param name="End">The index after the last character.</param>
internal readonly record struct SqlGuardToken(SqlGuardTokenKind Kind, string Value, int Start, int End)
{
    public bool IsName => Kind is SqlGuardTokenKind.Word or SqlGuardTokenKind.QuotedName;

    public bool Is(char symbol) => Kind == SqlGuardTokenKind.Symbol && Value[0] == symbol;

    public bool Is(string word) => Kind == SqlGuardTokenKind.Word && Value == word;

    public bool IsAny(HashSet<string> words) => Kind == SqlGuardTokenKind.Word && words.Contains(Value);
}
