using System.Globalization;
using System.Text;

namespace Catalog.Data.Warehouses;

/// <summary>Decides which characters an SQL text and its parts can contain.</summary>
internal static class SqlCharacter
{
    /// <summary>
    /// The index of the first character that no SQL text can contain: NUL, or half of a surrogate pair; null when there
    /// is none.
    /// </summary>
    public static int? FirstImpossible(string sql)
    {
        for (var i = 0; i < sql.Length; i++)
        {
            if (sql[i] == '\0' || (char.IsSurrogate(sql[i]) && !Rune.TryGetRuneAt(sql, i, out _)))
            {
                return i;
            }

            i += char.IsHighSurrogate(sql[i]) ? 1 : 0;
        }

        return null;
    }

    /// <summary>
    /// The index of the first invisible character between two positions, or of the first character there that only some
    /// engines read as the end of a line; null when there is none.
    /// </summary>
    public static int? FirstHidden(string sql, int start, int end)
    {
        for (var i = start; i < end; i++)
        {
            var c = sql[i];
            if (c is >= ' ' and <= '~' or '\t' or '\n' || (c == '\r' && i + 1 < sql.Length && sql[i + 1] == '\n'))
            {
                continue;
            }

            if (!Rune.TryGetRuneAt(sql, i, out var rune) || IsHidden(rune))
            {
                return i;
            }

            i += rune.Utf16SequenceLength - 1;
        }

        return null;
    }

    /// <summary>
    /// The length of the character at a position, in UTF-16 characters; 0 when a name without quotes cannot contain it.
    /// </summary>
    public static int LengthInWord(string sql, int at)
    {
        if (char.IsAscii(sql[at]))
        {
            return char.IsAsciiLetterOrDigit(sql[at]) || sql[at] == '_' ? 1 : 0;
        }

        return Rune.TryGetRuneAt(sql, at, out var rune) && !IsHidden(rune) && Rune.GetUnicodeCategory(rune) is
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark
            or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber ? rune.Utf16SequenceLength : 0;
    }

    /// <summary>
    /// Replaces the letters of a name that some servers read as ASCII letters by these ASCII letters. (string.Normalize
    /// does nothing if the runtime has no Unicode tables.)
    /// </summary>
    public static string Folded(string name) => Ascii.IsValid(name) ? name : string.Create(name.Length, name, (folded, from) =>
    {
        for (var i = 0; i < folded.Length; i++)
        {
            folded[i] = from[i] switch
            {
                >= '\uff01' and <= '\uff5e' => (char)(from[i] - 0xfee0),
                '\u017f' => 's',
                '\u0130' or '\u0131' => 'i',
                '\u212a' => 'k',
                var letter => letter,
            };
        }
    });

    // The last line contains letters and marks that are not visible: fillers, a joiner and variation selectors.
    private static bool IsHidden(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned
        || rune.Value is 0x115F or 0x1160 or 0x3164 or 0xFFA0 or 0x034F or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF);
}
