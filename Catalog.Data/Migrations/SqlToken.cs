namespace Catalog.Data.Migrations;

/// <summary>The kind of an SQL token.</summary>
public enum SqlTokenKind
{
    /// <summary>A keyword or an unquoted name.</summary>
    Word,

    /// <summary>A name in double quotes or backticks.</summary>
    QuotedName,

    /// <summary>Text in single quotes, with or without a prefix (<c>E''</c>, <c>U&amp;''</c>, <c>X''</c>).</summary>
    Text,

    /// <summary>Text between dollar tags.</summary>
    DollarText,

    /// <summary>A number.</summary>
    Number,

    /// <summary>Any other single character.</summary>
    Symbol,
}

/// <summary>One token of a statement.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Text">The text as written, with quotes.</param>
/// <param name="Line">The first line in the file, from 1.</param>
public readonly record struct SqlToken(SqlTokenKind Kind, string Text, int Line)
{
    /// <summary>Whether the token is this keyword or symbol; case-insensitive.</summary>
    public bool Is(string word) => Kind is SqlTokenKind.Word or SqlTokenKind.Symbol
        && Text.Equals(word, StringComparison.OrdinalIgnoreCase);
}
