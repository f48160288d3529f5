using System.Globalization;

namespace Catalog.Data.Executions.Kinds;

/// <summary>Durations in definitions, such as <c>90s</c>, <c>15m</c>, <c>2h</c> or <c>7d</c>.</summary>
internal static class DurationText
{
    /// <summary>Reads a duration; null when the text is not a duration.</summary>
    public static TimeSpan? Parse(string text)
    {
        if (text.Length is < 2 or > 12
            || !double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > 1e6)
        {
            return null;
        }

        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            'd' => TimeSpan.FromDays(number),
            'w' => TimeSpan.FromDays(7 * number),
            _ => null,
        };
    }
}
