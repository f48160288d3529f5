namespace Catalog.Data.Migrations;

/// <summary>
/// Splits a script into statements by the lexical rules of PostgreSQL (manual, section 4.1). These rules cover SQLite's
/// rules, except names in brackets. The class knows nested comments, doubled quotes, <c>E''</c> escapes, dollar tags,
/// parentheses, and the bodies of triggers and of <c>begin atomic</c>.
/// </summary>
public sealed class StatementSplitter
{
    private static readonly string[] BeginsInTrigger = ["select", "insert", "update", "delete", "replace", "values", "with"];
    private readonly string _sql;
    private readonly List<SqlToken> _tokens = [];
    private readonly List<(int Line, string Text)> _comments = [];
    private int _at;
    private int _line = 1;

    // A byte order mark is not part of the first word.
    private StatementSplitter(string sql) => (_sql, _at) = (sql, sql.StartsWith('\uFEFF') ? 1 : 0);

    /// <summary>The statements in order; empty when the text has none.</summary>
    /// <exception cref="UnclosedException">A quote, comment, dollar tag, parenthesis or body is not closed; the message
    /// contains its line.</exception>
    public static IReadOnlyList<SqlStatement> Statements(string sql) => [.. new StatementSplitter(sql).Split()];

    /// <summary>The comments after the last statement; all comments when the text has no statement.</summary>
    /// <inheritdoc cref="Statements" path="/exception"/>
    public static IReadOnlyList<(int Line, string Text)> TrailingComments(string sql)
    {
        var text = new StatementSplitter(sql);
        _ = text.Split().Count();
        return text._comments;
    }

    private IEnumerable<SqlStatement> Split()
    {
        var start = -1;
        // The start lines of open parentheses and bodies: a semicolon inside them does not end the statement.
        var parentheses = new Stack<int>();
        int? body = null;
        while (_at < _sql.Length)
        {
            if (SkipBlank())
            {
                continue;
            }

            var from = _at;
            var token = ReadToken();
            if (token.Is(";") && parentheses.Count == 0 && body is null)
            {
                if (start >= 0)
                {
                    yield return Statement(start, from);
                    start = -1;
                }

                continue;
            }

            start = start < 0 ? from : start;
            if (token.Is("("))
            {
                parentheses.Push(token.Line);
            }
            else if (token.Is(")"))
            {
                parentheses.TryPop(out _);
            }

            body = body is null ? BeginOfBody(token) : EndsBody(token) ? null : body;
            _tokens.Add(token);
        }

        if (body is { } line || parentheses.TryPeek(out line))
        {
            throw new UnclosedException(line);
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

    // A column can be named begin or end, so the word alone is not enough: in a trigger, a statement follows begin.
    private int? BeginOfBody(SqlToken token)
    {
        if (_tokens.Count == 0 || !_tokens[0].Is("create") || !_tokens[^1].Is("begin"))
        {
            return null;
        }

        var trigger = _tokens.Take(4).Any(word => word.Is("trigger")) && BeginsInTrigger.Any(token.Is);
        return trigger || token.Is("atomic") ? _tokens[^1].Line : null;
    }

    // Each statement of a body ends with a semicolon, unlike the parts of a case expression. Only the body of a
    // function can be empty.
    private bool EndsBody(SqlToken token) => token.Is("end") && (_tokens[^1].Is(";") || _tokens[^1].Is("atomic"));

    // Skips white space or a comment; false at a token.
    private bool SkipBlank()
    {
        var character = _sql[_at];
        if (char.IsWhiteSpace(character))
        {
            Advance(1);
            return true;
        }

        if (NextIs("--"))
        {
            var end = _sql.AsSpan(_at).IndexOfAny('\r', '\n') is var length and >= 0 ? _at + length : -1;
            _comments.Add((_line, _sql[(_at + 2)..(end < 0 ? _sql.Length : end)].Trim()));
            Advance((end < 0 ? _sql.Length : end) - _at);
            return true;
        }

        if (!NextIs("/*"))
        {
            return false;
        }

        var (from, line, depth) = (_at, _line, 0);
        do
        {
            var (by, deeper) = NextIs("/*") ? (2, 1) : NextIs("*/") ? (2, -1) : (1, 0);
            depth += deeper;
            Advance(by, line);
        }
        while (depth > 0);
        _comments.Add((line, _sql[(from + 2)..(_at - 2)].Trim()));
        return true;
    }

    private SqlToken ReadToken()
    {
        var (from, line, character) = (_at, _line, _sql[_at]);
        if (character == '\'')
        {
            SkipQuoted('\'', escapes: false);
            return Token(SqlTokenKind.Text);
        }

        if (character is '"' or '`')
        {
            SkipQuoted(character, escapes: false);
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
        if (_at - from == 1 && character is 'u' or 'U' && NextIs("&'"))
        {
            Advance(1);
        }

        if (_at < _sql.Length && _sql[_at] == '\'' && _sql[from.._at].ToUpperInvariant() is "E" or "X" or "B" or "N" or "U&")
        {
            SkipQuoted('\'', escapes: character is 'e' or 'E');
            return Token(SqlTokenKind.Text);
        }

        return Token(SqlTokenKind.Word);

        SqlToken Token(SqlTokenKind kind) => new(kind, _sql[from.._at], line);
    }

    private void SkipQuoted(char quote, bool escapes)
    {
        var line = _line;
        Advance(1);
        while (true)
        {
            var here = _at < _sql.Length ? _sql[_at] : throw new UnclosedException(line);
            var doubled = _at + 1 < _sql.Length && _sql[_at + 1] == quote;
            Advance((escapes && here == '\\') || (here == quote && doubled) ? 2 : 1, line);
            if (here == quote && !doubled && !(escapes && ContinuesOnNextLine()))
            {
                return;
            }
        }
    }

    // Two texts separated only by a line end are one text, with the same escape rules.
    private bool ContinuesOnNextLine()
    {
        var rest = _sql.AsSpan(_at);
        var blank = rest[..(rest.Length - rest.TrimStart().Length)];
        if (blank.Length == rest.Length || rest[blank.Length] != '\'' || !blank.Contains('\n'))
        {
            return false;
        }

        Advance(blank.Length + 1);
        return true;
    }

    private string? DollarTag()
    {
        var end = _sql.IndexOf('$', _at + 1);
        var tag = end < 0 ? null : _sql[_at..(end + 1)];
        return tag is not null && !char.IsAsciiDigit(tag[1])
            && tag[1..^1].All(character => IsName(character) || char.IsAsciiDigit(character)) ? tag : null;
    }

    private static bool IsName(char character) => character == '_' || char.IsLetter(character) || character > '\x7f';

    private bool NextIs(string text) => string.CompareOrdinal(_sql, _at, text, 0, text.Length) == 0;

    private void Advance(int count, int? begunOn = null)
    {
        if (_at + count > _sql.Length)
        {
            throw new UnclosedException(begunOn ?? _line);
        }

        _line += _sql.AsSpan(_at, count).Count('\n');
        _at += count;
    }
}
