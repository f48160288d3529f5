using Family = Catalog.Data.Warehouses.WarehouseSqlFamily;

namespace Catalog.Data.Warehouses;

// This part reads texts, quoted names and numbers.
internal sealed partial class SqlLexer
{
    private enum Backslash
    {
        IsPlain,
        Escapes,
        DependsOnMode,
    }

    private string? ReadString(Backslash backslash) =>
        ReadDelimited('\'', backslash, out var text) ?? Add(SqlTokenKind.String, text);

    private string? ReadQuoted(char close)
    {
        var start = _at;
        var backslash = _family == Family.MySql && close == '"' ? Backslash.DependsOnMode : Backslash.IsPlain;
        var problem = ReadDelimited(close, backslash, out var text) ?? Hidden(start, _at);
        if (problem is null && _family == Family.ClickHouse && text.Contains('\\'))
        {
            problem = $"The quoted name at character {start + 1} has a backslash. Write the name without escapes.";
        }

        return problem ?? Add(SqlTokenKind.Quoted, text);
    }

    private string? ReadDelimited(char close, Backslash backslash, out string text)
    {
        var start = _at;
        for (_at++; _at < _sql.Length; _at++)
        {
            var c = _sql[_at];
            if (c == '\\' && backslash != Backslash.IsPlain)
            {
                if (backslash == Backslash.DependsOnMode && Peek(1) == close)
                {
                    text = "";
                    return $"The backslash before a quote at character {_at + 1} is read differently by different settings of the server. "
                        + "To write a quote in a string, write two quotes.";
                }

                _at++;
            }
            else if (c == close && Peek(1) == close && !(close == ']' && _family == Family.Sqlite))
            {
                _at++;
            }
            else if (c == close)
            {
                text = _sql[(start + 1).._at].Replace(new string(close, 2), close.ToString(), StringComparison.Ordinal);
                _at++;
                return null;
            }
        }

        text = "";
        return $"The quote at character {start + 1} is not closed.";
    }

    private string? ReadDollarQuoted()
    {
        var start = _at;
        var end = start + 1;
        while (end < _sql.Length && (char.IsAsciiLetterOrDigit(_sql[end]) || _sql[end] == '_'))
        {
            end++;
        }

        if (end == _sql.Length || _sql[end] != '$' || char.IsAsciiDigit(_sql[start + 1]))
        {
            return NoValue(start);
        }

        var tag = _sql[start..(end + 1)];
        var close = _sql.IndexOf(tag, end + 1, StringComparison.Ordinal);
        if (close < 0)
        {
            return $"The text in dollar quotes at character {start + 1} is not closed.";
        }

        _at = close + tag.Length;
        return Add(SqlTokenKind.String, _sql[(end + 1)..close]);
    }

    private string? ReadNumber()
    {
        var start = _at;
        if (_tokens.Count > 0 && _tokens[^1].IsSymbol('.'))
        {
            // An element of a tuple, as in t.1.2.
            SkipDigits();
        }
        else if (_sql[_at] == '0' && Peek(1) is 'x' or 'X' or 'o' or 'O' or 'b' or 'B')
        {
            for (_at += 2; _at < _sql.Length && (char.IsAsciiHexDigit(_sql[_at]) || _sql[_at] == '_'); _at++)
            {
            }
        }
        else
        {
            SkipDigits();
            if (Peek(0) == '.')
            {
                _at++;
                SkipDigits();
            }

            if (Peek(0) is 'e' or 'E' && (char.IsAsciiDigit(Peek(1)) || (Peek(1) is '+' or '-' && char.IsAsciiDigit(Peek(2)))))
            {
                _at += 2;
                SkipDigits();
            }
        }

        return _at < _sql.Length && (_sql[_at] is '$' or '@' or '#' || SqlCharacter.LengthInWord(_sql, _at) > 0)
            ? $"A word follows the number at character {start + 1} without a space. Write a space between them, or quote a "
                + "name that begins with a digit."
            : Add(SqlTokenKind.Number, _sql[start.._at]);
    }

    private void SkipDigits()
    {
        while (char.IsAsciiDigit(Peek(0)) || (Peek(0) == '_' && char.IsAsciiDigit(Peek(1))))
        {
            _at++;
        }
    }
}
