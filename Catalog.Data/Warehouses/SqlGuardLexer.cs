using System.Buffers;
using System.Globalization;
using System.Text;

namespace Catalog.Data.Warehouses;

/// <summary>
/// Divides SQL into tokens by the rules of a family. Where a server's reading depends on its settings or version, the
/// text is refused, so that the guard never sees another end of a string or comment than the server.
/// </summary>
internal sealed class SqlGuardLexer(string sql, WarehouseSqlFamily family)
{
    private const string NotClosed = "is not closed. Add the missing end.";

    // U+0085, U+2028 and U+2029 end a line for some programs and not for others.
    private static readonly SearchValues<char> LineEnds = SearchValues.Create("\r\n\u0085\u2028\u2029");

    private int _at;

    private enum Backslash
    {
        // An ordinary character.
        Plain,

        // The next character has no meaning of its own.
        Escapes,

        // One of both, by a setting of the server.
        DependsOnServer,
    }

    public List<SqlGuardToken> Tokens { get; } = [];

    /// <summary>Whether the text ends inside a comment that a line end would close.</summary>
    public bool EndsInLineComment { get; private set; }

    private char Current => sql[_at];

    private char Next => At(_at + 1);

    /// <summary>Reads all tokens.</summary>
    /// <returns>Null, or the reason why the text is refused.</returns>
    public string? Read()
    {
        if (sql.Contains('\0', StringComparison.Ordinal))
        {
            return "The SQL contains the character U+0000. Remove it.";
        }

        while (_at < sql.Length)
        {
            if (ReadOne() is { } reason)
            {
                return reason;
            }
        }

        return null;
    }

    private string? ReadOne()
    {
        switch (Current)
        {
            case ' ' or '\t' or '\n' or '\r' or '\f':
                _at++;
                return null;
            case '-' when Next == '-' && (family != WarehouseSqlFamily.MySql || At(_at + 2) <= ' '):
            case '#' when family == WarehouseSqlFamily.MySql || (family == WarehouseSqlFamily.ClickHouse && Next is ' ' or '!'):
                return ReadLineComment();
            case '/' when Next == '*':
                return ReadComment();
            case '\'':
                return ReadQuoted(_at, '\'', PlainString, SqlGuardTokenKind.Text);
            case '"':
                return ReadQuoted(_at, '"', family == WarehouseSqlFamily.MySql ? Backslash.DependsOnServer : Backslash.Plain,
                    SqlGuardTokenKind.QuotedName);
            case '`' when family is not (WarehouseSqlFamily.Postgres or WarehouseSqlFamily.DuckDb or WarehouseSqlFamily.SqlServer):
                return ReadQuoted(_at, '`', Backslash.Plain, SqlGuardTokenKind.QuotedName);
            case '[' when family is WarehouseSqlFamily.SqlServer or WarehouseSqlFamily.Sqlite:
                return ReadQuoted(_at, ']', Backslash.Plain, SqlGuardTokenKind.QuotedName);
            case '$' when family is WarehouseSqlFamily.Postgres or WarehouseSqlFamily.DuckDb or WarehouseSqlFamily.ClickHouse:
                return ReadDollarString();
            case >= '0' and <= '9':
            case '.' when char.IsAsciiDigit(Next) && !(Tokens is [.., { IsName: true } last] && last.End == _at):
                return ReadNumber();
            default:
                return WordPart(_at, isStart: true) > 0 ? ReadWord() : ReadSymbol();
        }
    }

    private Backslash PlainString => family switch
    {
        WarehouseSqlFamily.ClickHouse => Backslash.Escapes,
        // Depends on standard_conforming_strings, and on NO_BACKSLASH_ESCAPES in sql_mode.
        WarehouseSqlFamily.Postgres or WarehouseSqlFamily.MySql => Backslash.DependsOnServer,
        _ => Backslash.Plain,
    };

    private string? ReadLineComment()
    {
        var length = sql.AsSpan(_at).IndexOfAny(LineEnds);
        if (length < 0)
        {
            (_at, EndsInLineComment) = (sql.Length, true);
            return null;
        }

        _at += length;
        return Current == '\n' || (Current == '\r' && Next == '\n')
            ? null
            : "A line comment contains a line end that not all programs accept. End the line with a line feed (U+000A).";
    }

    private string? ReadComment()
    {
        if (At(_at + 2) is '!' or '+' || (At(_at + 2) is 'M' or 'm' && At(_at + 3) == '!'))
        {
            return "Executable comments (/*! */) and hints (/*+ */) are not allowed. Remove the comment.";
        }

        var depth = 1;
        for (_at += 2; depth > 0; _at += 2)
        {
            var mark = sql.AsSpan(_at).IndexOfAny('*', '/');
            if (mark < 0)
            {
                return $"A comment {NotClosed}";
            }

            _at += mark;
            if (Current == '*' && Next == '/')
            {
                depth--;
            }
            else if (Current == '/' && Next == '*')
            {
                // Other servers end the comment at the first end mark, or depend on the version.
                if (family is not (WarehouseSqlFamily.Postgres or WarehouseSqlFamily.SqlServer))
                {
                    return "A comment contains the start of another comment. Remove one of the two.";
                }

                depth++;
            }
            else
            {
                _at--;
            }
        }

        return null;
    }

    private string? ReadQuoted(int start, char close, Backslash backslash, SqlGuardTokenKind kind)
    {
        var content = _at + 1;
        // In SQLite, ]] does not stand for a bracket inside a name.
        var isDoubled = close != ']' || family != WarehouseSqlFamily.Sqlite;
        for (var at = content; at < sql.Length; at++)
        {
            if (sql[at] == '\\' && kind == SqlGuardTokenKind.QuotedName && family == WarehouseSqlFamily.ClickHouse)
            {
                return "A quoted name contains a backslash. Rename the column or table, for example in a view.";
            }
            else if (sql[at] == '\\' && backslash == Backslash.Escapes)
            {
                at++;
            }
            else if (sql[at] == '\\' && backslash == Backslash.DependsOnServer)
            {
                var run = sql.AsSpan(at).IndexOfAnyExcept('\\') is var length && length < 0 ? sql.Length - at : length;
                if (run % 2 == 1 && At(at + run) == close)
                {
                    return @"A string contains \' or \"", which servers read differently. Write '' for a quote, and \\ for a backslash at the end.";
                }

                at += run - 1;
            }
            else if (sql[at] == close)
            {
                if (isDoubled && At(at + 1) == close)
                {
                    at++;
                    continue;
                }

                var value = kind == SqlGuardTokenKind.Text ? ""
                    : Fold(sql[content..at].Replace(new string(close, 2), close.ToString(), StringComparison.Ordinal));
                Add(kind, value, start, at + 1);
                return null;
            }
        }

        return kind == SqlGuardTokenKind.Text ? $"A string {NotClosed}" : $"A quoted name {NotClosed}";
    }

    private string? ReadDollarString()
    {
        var mark = _at + 1;
        while (char.IsAsciiLetterOrDigit(At(mark)) || At(mark) == '_')
        {
            mark++;
        }

        if (At(mark) != '$' || char.IsAsciiDigit(Next))
        {
            return "Parameters such as $1 are not allowed. Write the value itself.";
        }

        var tag = sql[_at..(mark + 1)];
        var end = sql.IndexOf(tag, mark + 1, StringComparison.Ordinal);
        if (end < 0)
        {
            return $"A string in dollar quotes {NotClosed}";
        }

        Add(SqlGuardTokenKind.Text, "", _at, end + tag.Length);
        return null;
    }

    private string? ReadNumber()
    {
        var end = _at;
        if (Current == '0' && Next is 'x' or 'X')
        {
            end = _at + 2;
            while (char.IsAsciiHexDigit(At(end)))
            {
                end++;
            }
        }
        else
        {
            while (char.IsAsciiDigit(At(end)) || At(end) is '.' || (At(end) == '_' && char.IsAsciiDigit(At(end + 1))))
            {
                end++;
            }

            if (At(end) is 'e' or 'E')
            {
                var digits = At(end + 1) is '+' or '-' ? end + 2 : end + 1;
                end = char.IsAsciiDigit(At(digits)) ? digits : end;
                while (char.IsAsciiDigit(At(end)))
                {
                    end++;
                }
            }
        }

        if (WordPart(end, isStart: false) > 0 || At(end) == '$')
        {
            return "A number is followed directly by letters. Put a space after the number, or quote a name that begins with a digit.";
        }

        Add(SqlGuardTokenKind.Number, "", _at, end);
        return null;
    }

    private string? ReadWord()
    {
        var (start, end) = (_at, _at);
        while (WordPart(end, isStart: false) is var length && length > 0)
        {
            end += length;
        }

        var word = sql[start..end];
        var folded = Fold(word);
        if (!Ascii.IsValid(word) && Ascii.IsValid(folded))
        {
            return $"The name {folded} is written with letters that only look like ASCII. Write it in plain letters.";
        }

        if (At(end) == '$')
        {
            return "A name contains a dollar sign. Quote the name.";
        }

        var escapes = folded == "u" && At(end) == '&' && At(end + 1) == '"';
        if (escapes && family is WarehouseSqlFamily.Postgres or WarehouseSqlFamily.DuckDb)
        {
            return "Names with Unicode escapes (U&\"...\") are not allowed. Write the name itself.";
        }

        if (folded == "e" && At(end) == '\'' && family is WarehouseSqlFamily.Postgres or WarehouseSqlFamily.DuckDb)
        {
            _at = end;
            return ReadQuoted(start, '\'', family == WarehouseSqlFamily.Postgres ? Backslash.Escapes : Backslash.DependsOnServer,
                SqlGuardTokenKind.Text);
        }

        Add(SqlGuardTokenKind.Word, folded, start, end);
        return null;
    }

    private string? ReadSymbol()
    {
        var isAllowed = Current switch
        {
            '(' or ')' or ',' or ';' or '.' or '+' or '-' or '*' or '/' or '%' or '<' or '>' or '=' or '!' or '~' or '^' or '|' or '&' => true,
            '[' or ']' or ':' => family is WarehouseSqlFamily.Postgres or WarehouseSqlFamily.DuckDb or WarehouseSqlFamily.ClickHouse,
            '{' or '}' => family is WarehouseSqlFamily.DuckDb or WarehouseSqlFamily.ClickHouse,
            '@' or '#' => family is WarehouseSqlFamily.Postgres or WarehouseSqlFamily.DuckDb,
            '?' => family is WarehouseSqlFamily.Postgres or WarehouseSqlFamily.ClickHouse,
            _ => false,
        };
        if (isAllowed)
        {
            Add(SqlGuardTokenKind.Symbol, sql[_at].ToString(), _at, _at + 1);
            return null;
        }

        return Current is '@' or '?' or ':' or '$'
            ? $"Parameters and variables ({Current}) are not allowed. Write the value itself."
            : string.Create(CultureInfo.InvariantCulture,
                $"The character U+{(int)Current:X4} is not allowed outside strings and quoted names. Remove it, or quote the name.");
    }

    // The length of a character that can be part of an unquoted name; 0 if it cannot.
    private int WordPart(int at, bool isStart)
    {
        if (at >= sql.Length)
        {
            return 0;
        }

        var letter = sql[at];
        if (char.IsAscii(letter))
        {
            return char.IsAsciiLetter(letter) || letter == '_' || (letter == '#' && family == WarehouseSqlFamily.SqlServer)
                || (!isStart && (char.IsAsciiDigit(letter) || (letter == '$' && family != WarehouseSqlFamily.ClickHouse))) ? 1 : 0;
        }

        return Rune.TryGetRuneAt(sql, at, out var rune)
            && (Rune.IsLetter(rune) || (!isStart && (Rune.IsDigit(rune)
                || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark)))
            ? rune.Utf16SequenceLength : 0;
    }

    // Letters that some servers take for an ASCII letter. string.Normalize does nothing without ICU.
    private static string Fold(string name) => Ascii.IsValid(name) ? name.ToLowerInvariant()
        : string.Create(name.Length, name, (folded, from) =>
        {
            for (var at = 0; at < folded.Length; at++)
            {
                folded[at] = char.ToLowerInvariant(from[at] switch
                {
                    >= '\uff01' and <= '\uff5e' => (char)(from[at] - 0xfee0),
                    '\u017f' => 's',
                    '\u0130' or '\u0131' => 'i',
                    '\u212a' => 'k',
                    var letter => letter,
                });
            }
        });

    private void Add(SqlGuardTokenKind kind, string value, int start, int end)
    {
        Tokens.Add(new(kind, value, start, end));
        _at = end;
    }

    private char At(int index) => index < sql.Length ? sql[index] : '\0';
}
