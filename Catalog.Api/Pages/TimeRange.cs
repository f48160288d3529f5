using System.Globalization;
using System.Text.RegularExpressions;

namespace Catalog.Api.Pages;

/// <summary>
/// The time range of a page, such as <c>24h</c> or <c>7d</c>, up to now. The last choice is remembered in a cookie.
/// </summary>
/// <param name="Text">The range as it is written in the address.</param>
/// <param name="Length">The length of the range, at most 31 days.</param>
public sealed partial record TimeRange(string Text, TimeSpan Length)
{
    private const string Cookie = "catalog-range";
    private static readonly TimeRange Default = new("24h", TimeSpan.FromDays(1));

    /// <summary>The ranges that every page offers.</summary>
    public static readonly IReadOnlyList<(string Text, string Words)> Offered =
        [("1h", "1 hour"), ("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days")];

    /// <summary>Reads a range: a whole number of hours or days from 1 hour to 31 days.</summary>
    /// <returns>The range; null when the text is not a range.</returns>
    public static TimeRange? TryParse(string? text)
    {
        if (text is null || Format().Match(text) is not { Success: true } match)
        {
            return null;
        }

        var number = int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture);
        var length = match.Groups["unit"].Value == "h" ? TimeSpan.FromHours(number) : TimeSpan.FromDays(number);
        return length > TimeSpan.Zero && length <= TimeSpan.FromDays(31) ? new(text, length) : null;
    }

    /// <summary>The range of the address; without one the last choice of the reader, or 24 hours.</summary>
    public static TimeRange Choose(string? text, HttpContext context)
    {
        if (TryParse(text) is not { } chosen)
        {
            return TryParse(context.Request.Cookies[Cookie]) ?? Default;
        }

        Viewer.Remember(context, Cookie, chosen.Text);
        return chosen;
    }

    [GeneratedRegex("^(?<number>[0-9]{1,3})(?<unit>[hd])$")]
    private static partial Regex Format();
}
