using System.Globalization;
using System.Text;

namespace Catalog.Api.Pages;

/// <summary>
/// Texts, numbers and durations as pages and drawings write them: the same on every machine, and valid in HTML and XML.
/// </summary>
public static class DisplayText
{
    /// <summary>
    /// A coordinate with at most two decimals. NaN is 0, and an infinite value is cut to a finite one.
    /// </summary>
    public static string Number(double value)
    {
        var finite = double.IsNaN(value) ? 0 : Math.Clamp(value, -1e9, 1e9);
        // Adding zero turns a negative zero into a positive one.
        return (Math.Round(finite, 2) + 0.0).ToString("0.##", CultureInfo.InvariantCulture);
    }

    /// <summary>A position along an axis, 0 to 1, as a percentage of the drawing's width.</summary>
    public static string Percent(double share) => Number(share * 100) + "%";

    /// <summary>A count with separators: 1,234,567.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>
    /// A measured value for people, with separators. From 1 to 100,000 it has at most six digits, above that no
    /// decimals, and below 1 at most nine decimals. From 10^15 on and below 10^-6 it has an exponent.
    /// </summary>
    public static string Value(double value)
    {
        var size = Math.Abs(value);
        if (!double.IsFinite(value))
        {
            return "not a number";
        }

        return size switch
        {
            0 => "0",
            >= 1e15 or < 1e-6 => value.ToString("0.###e0", CultureInfo.InvariantCulture),
            >= 1e5 => value.ToString("#,0", CultureInfo.InvariantCulture),
            >= 1 => value.ToString("#,0." + new string('#', 5 - (int)Math.Log10(size)), CultureInfo.InvariantCulture),
            _ => value.ToString("0.#########", CultureInfo.InvariantCulture),
        };
    }

    /// <summary>
    /// The text without control characters and without the characters that XML forbids. U+FFFD replaces each of them,
    /// and also each surrogate without its pair.
    /// </summary>
    public static string Clean(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var forbidden = rune.Value is < 0x20 and not ('\t' or '\n' or '\r') or (>= 0x7f and < 0xa0) or 0xfffe or 0xffff;
            clean.Append(forbidden ? "\uFFFD" : rune.ToString());
        }

        return clean.ToString();
    }

    /// <summary>
    /// The beginning of a text, for a cell of a list; the page of the item shows the whole text. Null stays null.
    /// </summary>
    public static string? Excerpt(string? text) => text is null ? null : Shorten(text, 300);

    /// <summary>
    /// The text in at most <paramref name="columns"/> columns; a longer one ends in an ellipsis. A wide character
    /// takes two columns, and no character is cut in two.
    /// </summary>
    public static string Shorten(string text, int columns)
    {
        var clean = Clean(text);
        var width = 0;
        var kept = 0;
        foreach (var element in Elements(clean))
        {
            width += Columns(element);
            if (width > columns)
            {
                return clean[..kept].TrimEnd() + "…";
            }

            // The ellipsis needs a column too.
            kept += width < columns ? element.Length : 0;
        }

        return clean;
    }

    /// <summary>
    /// A length of time in words with at most two units: 420 ms, 1.5 s, 12 s, 4 min, 1 h 20 min, 3 d 4 h.
    /// </summary>
    public static string Duration(TimeSpan duration)
    {
        var seconds = Math.Max(0, duration.TotalSeconds);
        return seconds switch
        {
            < 0.9995 => (seconds * 1000).ToString("0", CultureInfo.InvariantCulture) + " ms",
            < 9.95 => seconds.ToString("0.#", CultureInfo.InvariantCulture) + " s",
            < 59.5 => seconds.ToString("0", CultureInfo.InvariantCulture) + " s",
            < 600 => Units((long)Math.Round(seconds), 60, "min", "s"),
            < 3570 => Math.Round(seconds / 60).ToString("0", CultureInfo.InvariantCulture) + " min",
            < 86_370 => Units((long)Math.Round(seconds / 60), 60, "h", "min"),
            _ => Units((long)Math.Round(seconds / 3600), 24, "d", "h"),
        };
    }

    /// <summary>The number with its noun: "1 run", "2 runs".</summary>
    public static string Of(long count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    private static string Units(long small, int size, string large, string unit) =>
        small % size == 0 ? $"{Count(small / size)} {large}" : $"{Count(small / size)} {large} {small % size} {unit}";

    private static IEnumerable<string> Elements(string text)
    {
        var elements = StringInfo.GetTextElementEnumerator(text);
        while (elements.MoveNext())
        {
            yield return elements.GetTextElement();
        }
    }

    private static int Columns(string element) => element[0] switch
    {
        >= '\u1100' and <= '\u115f' or >= '\u2e80' and <= '\ua4cf' or >= '\uac00' and <= '\ud7a3' => 2,
        >= '\ud800' and <= '\udbff' or >= '\uf900' and <= '\ufaff' or >= '\ufe30' and <= '\ufe6f' or >= '\uff00' and <= '\uff60' => 2,
        _ => 1,
    };
}
