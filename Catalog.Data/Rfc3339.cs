using System.Globalization;

namespace Catalog.Data;

/// <summary>Reads times that are written as text.</summary>
public static class Rfc3339
{
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd",
    ];

    /// <summary>
    /// Reads a time of RFC 3339. A time without an offset is in UTC; a date without a time is midnight UTC. Digits
    /// beyond microseconds are cut off.
    /// </summary>
    public static bool TryParse(string text, out DateTimeOffset instant)
    {
        instant = default;
        if (text.Length is < 10 or > 64)
        {
            return false;
        }

        text = text.ToUpperInvariant();
        if (text[10..].StartsWith(' '))
        {
            text = text[..10] + 'T' + text[11..];
        }

        // Go and Java write nine fractional digits, but .NET reads at most seven.
        if (text.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot)
        {
            var end = dot + 1;
            while (end < text.Length && char.IsAsciiDigit(text[end]))
            {
                end++;
            }

            text = end - dot > 8 ? text[..(dot + 8)] + text[end..] : text;
        }

        if (!DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed))
        {
            return false;
        }

        instant = Clock.Truncate(parsed);
        return true;
    }
}
