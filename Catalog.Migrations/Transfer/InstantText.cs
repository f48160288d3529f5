using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Catalog.Migrations.Transfer;

/// <summary>Converts timestamps stored as text in SQLite to microseconds since 2000-01-01 UTC.</summary>
internal static partial class InstantText
{
    private static readonly long Epoch = new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    /// <summary>
    /// Parses the format that the service writes, <c>yyyy-MM-ddTHH:mm:ss.ffffffZ</c>. Texts in this format sort in the
    /// order of their times.
    /// </summary>
    public static bool TryCanonical(ReadOnlySpan<byte> text, out long microseconds)
    {
        microseconds = 0;
        if (text.Length != 27 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':'
            || text[19] != '.' || text[26] != 'Z')
        {
            return false;
        }

        var valid = true;
        int Digits(ReadOnlySpan<byte> digits)
        {
            var number = 0;
            foreach (var digit in digits)
            {
                valid &= (uint)(digit - '0') <= 9;
                number = (number * 10) + digit - '0';
            }

            return number;
        }

        var (year, month, day) = (Digits(text[..4]), Digits(text[5..7]), Digits(text[8..10]));
        var (hour, minute, second, fraction) = (Digits(text[11..13]), Digits(text[14..16]), Digits(text[17..19]), Digits(text[20..26]));
        return valid && TryTicks(year, month, day, hour, minute, second, out var ticks)
            && (microseconds = ((ticks - Epoch) / TimeSpan.TicksPerMicrosecond) + fraction) is var _;
    }

    /// <summary>
    /// Parses other formats of a date and time: with a space instead of T, with an offset, without a zone, or with
    /// fewer digits. A time without a zone is read as UTC, as the service and SQLite do.
    /// </summary>
    /// <returns>Null on success, otherwise the reason why the value cannot be converted exactly.</returns>
    public static string? Read(ReadOnlySpan<byte> text, out long microseconds)
    {
        microseconds = 0;
        if (text.Length > 64 || OtherFormat().Match(Encoding.Latin1.GetString(text)) is not { Success: true } match)
        {
            return "is not a timestamp: write a date and time in UTC, such as 2026-01-31T06:05:04.000000Z";
        }

        int Number(string group) => match.Groups[group] is { Success: true } digits
            ? int.Parse(digits.ValueSpan, CultureInfo.InvariantCulture) : 0;
        var fraction = match.Groups["fraction"].Value.TrimEnd('0');
        if (fraction.Length > 6)
        {
            return "has more than six decimal places of a second, which would be truncated";
        }

        if (!TryTicks(Number("year"), Number("month"), Number("day"), Number("hour"), Number("minute"), Number("second"), out var ticks)
            || Number("oh") > 14 || Number("om") > 59)
        {
            return "is not a valid date and time";
        }

        var offset = TimeSpan.FromMinutes((match.Groups["sign"].Value == "-" ? -1 : 1) * ((Number("oh") * 60) + Number("om"))).Ticks;
        ticks += (fraction.Length == 0
            ? 0 : int.Parse(fraction.PadRight(6, '0'), CultureInfo.InvariantCulture) * TimeSpan.TicksPerMicrosecond) - offset;
        microseconds = (ticks - Epoch) / TimeSpan.TicksPerMicrosecond;
        return ticks >= 0 && ticks <= DateTime.MaxValue.Ticks ? null : "is outside the years 1 to 9999";
    }

    /// <summary>Formats a timestamp as the service writes it.</summary>
    public static string Write(long microseconds) =>
        new DateTime(Epoch + (microseconds * TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static bool TryTicks(int year, int month, int day, int hour, int minute, int second, out long ticks)
    {
        var valid = year >= 1 && month is >= 1 and <= 12 && day >= 1 && hour < 24 && minute < 60 && second < 60
            && day <= DateTime.DaysInMonth(year, month);
        ticks = valid ? new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).Ticks : 0;
        return valid;
    }

    [GeneratedRegex(
        "^(?<year>[0-9]{4})-(?<month>[0-9]{2})-(?<day>[0-9]{2})[T "
            + "](?<hour>[0-9]{2}):(?<minute>[0-9]{2})(:(?<second>[0-9]{2})([.](?<fraction>[0-9]+))?)? "
            + "?(Z|(?<sign>[+-])(?<oh>[0-9]{2}):?(?<om>[0-9]{2}))?\\z", RegexOptions.ExplicitCapture)]
    private static partial Regex OtherFormat();
}
