namespace Catalog.Data.Migrations;

/// <summary>What a token of SQL is.</summary>
public enum SqlTokenKind
{
    /// <summary>A keyword or an unquoted name.</summary>
    Word,

    /// <summary>A name in double quotes or backticks.</summary>
    QuotedName,

    /// <summary>Text in single quotes, also with a prefix (<c>E''</c>, <c>U&amp;''</c>, <c>X''</c>).</summary>
    Text,

    /// <summary>Text between dollar tags.</summary>
    DollarText,

    /// <summary>A number.</summary>
    Number,

    /// <summary>Any other single character.</summary>
    Symbol,
}

/// <summary>One token of a statement.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">As written, quotes included.</param>
/// <param name="Line">The line of the file it begins on, from 1.</param>
public readonly record struct SqlToken(SqlTokenKind Kind, string Text, int Line)
{
    /// <summary>Whether it is this keyword, in any case.</summary>
    public bool Is(string word) => Kind is SqlTokenKind.Word or SqlTokenKind.Symbol && Text.Equals(word, StringComparison.OrdinalIgnoreCase);
}

/// <summary>One statement of a script.</summary>
/// <param name="Sql">Its text without the closing semicolon, comments inside it kept.</param>
/// <param name="Line">The line of the file it begins on, from 1.</param>
/// <param name="Tokens">Its tokens, comments left out; never empty.</param>
/// <param name="Comments">The comments before and inside it, without their markers, each with its line.</param>
public sealed record SqlStatement(string Sql, int Line, IReadOnlyList<SqlToken> Tokens, IReadOnlyList<(int Line, string Text)> Comments);

/// <summary>
/// Cuts a script into statements by the lexical rules of PostgreSQL (manual 4.1), which cover SQLite's but for brackets as quotes:
/// comments nest, quotes double, <c>E''</c> escapes, dollar tags; the body of a trigger or of <c>begin atomic</c> belongs to its statement.
/// </summary>
public sealed class SqlText
{
    private readonly string _sql;
    private readonly List<SqlToken> _tokens = [];
    private readonly List<(int Line, string Text)> _comments = [];
    private int _at;
    private int _line = 1;

    private SqlText(string sql) => _sql = sql;

    /// <summary>The statements in order; empty when the text holds none.</summary>
    /// <exception cref="FormatException">A quote, comment or dollar tag does not end; the message names its line.</exception>
    public static IReadOnlyList<SqlStatement> Statements(string sql) => [.. new SqlText(sql).Cut()];

    private IEnumerable<SqlStatement> Cut()
    {
        var start = -1;
        // Of begin, case and end in the body of a trigger or function.
        var depth = 0;
        while (_at < _sql.Length)
        {
            if (Blank())
            {
                continue;
            }

            var from = _at;
            var token = Next();
            if (token.Is(";") && depth == 0)
            {
                if (start >= 0)
                {
                    yield return Statement(start, from);
                    start = -1;
                }

                continue;
            }

            start = start < 0 ? from : start;
            _tokens.Add(token);
            depth = Depth(depth, token);
        }

        if (start >= 0)
        {
            yield return Statement(start, _sql.TrimEnd().Length);
        }
    }

    private SqlStatement Statement(int start, int end)
    {
        var statement = new SqlStatement(_sql[start..end].TrimEnd(), _tokens[0].Line, [.. _tokens], [.. _comments]);
        _tokens.Clear();
        _comments.Clear();
        return statement;
    }

    private int Depth(int depth, SqlToken token)
    {
        if (depth == 0)
        {
            var trigger = _tokens[0].Is("create") && _tokens.Take(4).Any(word => word.Is("trigger")) && token.Is("begin");
            return trigger || (token.Is("atomic") && _tokens.Count > 1 && _tokens[^2].Is("begin")) ? 1 : 0;
        }

        return token.Is("case") ? depth + 1 : token.Is("end") ? depth - 1 : depth;
    }

    // White space and comments.
    private bool Blank()
    {
        var character = _sql[_at];
        if (char.IsWhiteSpace(character))
        {
            Advance(1);
            return true;
        }

        if (Sees("--"))
        {
            var end = _sql.IndexOf('\n', _at);
            _comments.Add((_line, _sql[(_at + 2)..(end < 0 ? _sql.Length : end)].Trim()));
            Advance((end < 0 ? _sql.Length : end) - _at);
            return true;
        }

        if (!Sees("/*"))
        {
            return false;
        }

        var (from, line, depth) = (_at, _line, 0);
        do
        {
            var (by, deeper) = Sees("/*") ? (2, 1) : Sees("*/") ? (2, -1) : (1, 0);
            depth += deeper;
            Advance(by, line);
        }
        while (depth > 0);
        _comments.Add((line, _sql[(from + 2)..(_at - 2)].Trim()));
        return true;
    }

    private SqlToken Next()
    {
        var (from, line, character) = (_at, _line, _sql[_at]);
        if (character == '\'')
        {
            Quoted('\'', escapes: false);
            return Token(SqlTokenKind.Text);
        }

        if (character is '"' or '`')
        {
            Quoted(character, escapes: false);
            return Token(SqlTokenKind.QuotedName);
        }

        if (character == '$' && DollarTag() is { } tag)
        {
            var end = _sql.IndexOf(tag, _at + tag.Length, StringComparison.Ordinal);
            Advance((end < 0 ? _sql.Length + 1 : end + tag.Length) - _at, line);
            return Token(SqlTokenKind.DollarText);
        }

        if (char.IsAsciiDigit(character))
        {
            while (_at < _sql.Length && (char.IsAsciiDigit(_sql[_at]) || _sql[_at] == '.'))
            {
                Advance(1);
            }

            return Token(SqlTokenKind.Number);
        }

        if (!IsName(character))
        {
            Advance(1);
            return Token(SqlTokenKind.Symbol);
        }

        while (_at < _sql.Length && (IsName(_sql[_at]) || char.IsAsciiDigit(_sql[_at]) || _sql[_at] == '$'))
        {
            Advance(1);
        }

        // A prefix directly before a quote is part of the text: E'', X'', B'', N'', U&''.
        if (_at - from == 1 && character is 'u' or 'U' && Sees("&'"))
        {
            Advance(1);
        }

        if (_at < _sql.Length && _sql[_at] == '\'' && _sql[from.._at].ToUpperInvariant() is "E" or "X" or "B" or "N" or "U&")
        {
            Quoted('\'', escapes: character is 'e' or 'E');
            return Token(SqlTokenKind.Text);
        }

        return Token(SqlTokenKind.Word);

        SqlToken Token(SqlTokenKind kind) => new(kind, _sql[from.._at], line);
    }

    private void Quoted(char quote, bool escapes)
    {
        var line = _line;
        Advance(1);
        while (true)
        {
            var here = _at < _sql.Length ? _sql[_at] : throw Unended(line);
            var doubled = _at + 1 < _sql.Length && _sql[_at + 1] == quote;
            Advance((escapes && here == '\\') || (here == quote && doubled) ? 2 : 1, line);
            if (here == quote && !doubled)
            {
                return;
            }
        }
    }

    private string? DollarTag()
    {
        var end = _sql.IndexOf('$', _at + 1);
        var tag = end < 0 ? null : _sql[_at..(end + 1)];
        return tag is not null && !char.IsAsciiDigit(tag[1]) && tag[1..^1].All(character => IsName(character) || char.IsAsciiDigit(character)) ? tag : null;
    }

    private static bool IsName(char character) => character == '_' || char.IsLetter(character) || character > '\x7f';

    private bool Sees(string text) => string.CompareOrdinal(_sql, _at, text, 0, text.Length) == 0;

    private void Advance(int count, int? begunOn = null)
    {
        if (_at + count > _sql.Length)
        {
            throw Unended(begunOn ?? _line);
        }

        _line += _sql.AsSpan(_at, count).Count('\n');
        _at += count;
    }

    private static FormatException Unended(int line) => new($"what begins on line {line} does not end: a quote, a comment or a dollar tag is not closed");
}
