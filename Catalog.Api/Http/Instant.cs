using System.Globalization;
using System.Text.RegularExpressions;
using Catalog.Data;

namespace Catalog.Api.Http;

/// <summary>A point in time in a query parameter or a body.</summary>
public readonly partial record struct Instant(DateTimeOffset Value)
{
    /// <inheritdoc cref="Rfc3339.TryParse" />
    public static bool TryParse(string text, out DateTimeOffset instant) => Rfc3339.TryParse(text, out instant);

    /// <summary>
    /// Reads a query parameter. A plus sign that was not percent-encoded arrives as a space. The space is read as a
    /// plus sign.
    /// </summary>
    public static bool TryParse(string? text, IFormatProvider? provider, out Instant instant)
    {
        var read = TryParse(text?.Length > 19 ? text[..19] + text[19..].Replace(' ', '+') : text ?? "", out DateTimeOffset value);
        instant = new(value);
        return read;
    }

    /// <summary>
    /// Reads a duration before now: a positive whole number and a unit, <c>s</c>, <c>m</c>, <c>h</c>, <c>d</c> or
    /// <c>w</c>, such as <c>24h</c>. Capital letters and signs are rejected: in other formats a capital M means months,
    /// and a sign changes the direction.
    /// </summary>
    /// <param name="text">The duration.</param>
    /// <param name="now">The time to subtract it from.</param>
    /// <param name="instant">The result in RFC 3339; null when the text is not valid.</param>
    /// <returns>Null when the text is valid; otherwise the error message.</returns>
    public static string? ReadAgo(string text, DateTimeOffset now, out string? instant)
    {
        instant = null;
        if (Ago().Match(text) is not { Success: true } match)
        {
            return "must be a time as in RFC 3339, such as 2026-01-31T08:00:00Z, or a duration before now: a positive whole number "
                + "and s, m, h, d or w, such as 30m, 24h or 7d.";
        }

        var unit = match.Groups["unit"].ValueSpan[0] switch { 's' => 1L, 'm' => 60, 'h' => 3600, 'd' => 86_400, _ => 604_800 };
        var seconds = unit * long.Parse(match.Groups["number"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
        if (seconds > (now - DateTimeOffset.MinValue).TotalSeconds)
        {
            return "is before the year 1, the first year that can be represented.";
        }

        instant = Format(now.AddSeconds(-seconds));
        return null;
    }

    /// <summary>Formats an instant as RFC 3339 in UTC, always with six fractional digits.</summary>
    public static string Format(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^0*(?<number>[1-9][0-9]{0,8})(?<unit>[smhdw])\z")]
    private static partial Regex Ago();
}
