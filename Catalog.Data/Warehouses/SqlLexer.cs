using System.Text;
using Family = Catalog.Data.Warehouses.WarehouseSqlFamily;

namespace Catalog.Data.Warehouses;

/// <summary>
/// Splits an SQL text into its parts as the engines of a family do. A text that engines, their versions or their modes
/// read differently is rejected. If the guard and the engine read a text differently, the text could hide a statement.
/// </summary>
internal sealed partial class SqlLexer
{
    private readonly string _sql;
    private readonly WarehouseSqlFamily _family;
    private readonly List<SqlToken> _tokens = [];

    // The index at which the current part begins, and the index of the next character.
    private int _start;
    private int _at;

    private SqlLexer(string sql, WarehouseSqlFamily family) => (_sql, _family) = (sql, family);

    /// <summary>Reads a text.</summary>
    /// <returns>Null when the text was read; otherwise the reason why it is rejected.</returns>
    public static string? Read(string sql, WarehouseSqlFamily family, out IReadOnlyList<SqlToken> tokens)
    {
        var lexer = new SqlLexer(sql, family);
        tokens = lexer._tokens;
        if (SqlCharacter.FirstImpossible(sql) is { } impossible)
        {
            return $"Character {impossible + 1} is NUL or half of a surrogate pair. Remove it.";
        }

        while (lexer._at < sql.Length)
        {
            if (lexer.ReadPart() is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private string? ReadPart()
    {
        _start = _at;
        var c = _sql[_at];
        var next = Peek(1);
        switch (c)
        {
            case ' ' or '\t' or '\n' or '\r':
                _at++;
                return null;
            case '-' when next == '-':
            case '#' when _family == Family.MySql:
                return ReadLineComment();
            case '/' when next == '*':
                return ReadBlockComment();
            case '\'':
                return ReadString(_family switch
                {
                    Family.ClickHouse => Backslash.Escapes,
                    Family.Postgres or Family.MySql => Backslash.DependsOnMode,
                    _ => Backslash.IsPlain,
                });
            case '"':
            case '`' when _family is Family.MySql or Family.Sqlite or Family.ClickHouse:
            case '[' when _family == Family.Sqlite:
                return ReadQuoted(c == '[' ? ']' : c);
            case '$' when _family is Family.Postgres or Family.DuckDb or Family.ClickHouse:
                return ReadDollarQuoted();
            case '.' when char.IsAsciiDigit(next) && !FollowsName():
            case >= '0' and <= '9':
                return ReadNumber();
            default:
                return SqlCharacter.LengthInWord(_sql, _at) > 0 ? ReadWord() : ReadSymbol();
        }
    }

    private string? ReadLineComment()
    {
        if (_family == Family.MySql && _sql[_at] == '-' && Peek(2) is not ('\0' or ' ' or '\t' or '\n' or '\r'))
        {
            return $"The two minus signs at character {_at + 1} can be a comment or two operators. Write a space after them if they begin "
                + "a comment, otherwise between them.";
        }

        var start = _at;
        var end = _sql.IndexOf('\n', start);
        _at = end < 0 ? _sql.Length : end + 1;
        return Hidden(start, _at);
    }

    private string? ReadBlockComment()
    {
        var start = _at;
        // MySQL and MariaDB read such comments as commands. Extensions of Postgres and tools for other servers do so
        // too.
        if (Peek(2) is '!' or '+' || (Peek(2) is 'M' or 'm' && Peek(3) == '!'))
        {
            return $"The comment at character {start + 1} can be a command to the server, which is not allowed. Remove it.";
        }

        var depth = 1;
        for (_at += 2; _at < _sql.Length && depth > 0; _at++)
        {
            if (_sql[_at] == '*' && Peek(1) == '/')
            {
                depth--;
                _at++;
            }
            else if (_sql[_at] == '/' && Peek(1) == '*')
            {
                if (_family != Family.Postgres)
                {
                    return $"The comment at character {start + 1} contains the beginning of another comment. Remove the inner /*.";
                }

                depth++;
                _at++;
            }
        }

        return depth > 0 ? $"The comment at character {start + 1} is not closed. Close it with */." : Hidden(start, _at);
    }

    private string? ReadWord()
    {
        var start = _at;
        while (_at < _sql.Length)
        {
            var length = SqlCharacter.LengthInWord(_sql, _at);
            if (length == 0 && _sql[_at] == '$' && _family != Family.ClickHouse)
            {
                length = 1;
            }

            if (length == 0)
            {
                break;
            }

            _at += length;
        }

        // Only ASCII words become lower case, because the lower case of the Kelvin sign is an ASCII k.
        var word = _sql[start.._at];
        word = Ascii.IsValid(word) ? word.ToLowerInvariant() : word;
        if (_family is Family.Postgres or Family.DuckDb)
        {
            if (word == "e" && Peek(0) == '\'')
            {
                return ReadString(Backslash.Escapes);
            }

            if (word == "u" && Peek(0) == '&' && Peek(1) == '"')
            {
                return $"The name at character {start + 1} is written with U& escapes, which are not allowed. Write the name itself.";
            }
        }

        return _family == Family.ClickHouse && Peek(0) == '$' ? NoValue(_at) : Add(SqlTokenKind.Word, word);
    }

    private string? ReadSymbol()
    {
        var c = _sql[_at];
        var known = c switch
        {
            '(' or ')' or ',' or ';' or '.' or '+' or '-' or '*' or '%' or '<' or '>' or '=' or '!' or '|' or '&' or '^' or '~' => true,
            '/' => _family != Family.ClickHouse || Peek(1) != '/',
            '[' or ']' => _family is Family.Postgres or Family.DuckDb or Family.ClickHouse,
            '{' or '}' => _family is not (Family.Postgres or Family.Sqlite),
            '?' => _family is Family.Postgres or Family.ClickHouse,
            '@' or '#' => _family is Family.Postgres or Family.DuckDb,
            ':' => _family is not (Family.MySql or Family.Sqlite),
            _ => false,
        };
        if (known)
        {
            _at++;
            return Add(SqlTokenKind.Symbol, c.ToString());
        }

        return c is '?' or '@' or ':' or '$' ? NoValue(_at)
            : $"Character {_at + 1} (U+{char.ConvertToUtf32(_sql, _at):X4}) is not allowed here. "
                + "Remove it, or put the name that has it into quotes.";
    }

    private static string NoValue(int at) =>
        $"Character {at + 1} begins a parameter or a variable, which has no value here. Write the value itself.";

    private string? Hidden(int start, int end) => SqlCharacter.FirstHidden(_sql, start, end) is { } at
        ? $"Character {at + 1} (U+{char.ConvertToUtf32(_sql, at):X4}) cannot be seen, or ends a line only for some servers. Remove it."
        : null;

    private bool FollowsName() => _tokens.Count > 0 && (_tokens[^1].IsName || _tokens[^1].IsSymbol(')') || _tokens[^1].IsSymbol(']'));

    private char Peek(int offset) => _at + offset < _sql.Length ? _sql[_at + offset] : '\0';

    private string? Add(SqlTokenKind kind, string text)
    {
        _tokens.Add(new(kind, text, _start, _at));
        return null;
    }
}
