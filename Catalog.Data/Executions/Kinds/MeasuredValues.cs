using System.Globalization;
using System.Text.Json;

namespace Catalog.Data.Executions.Kinds;

/// <summary>Reads the values that warehouses return.</summary>
internal static class MeasuredValues
{
    /// <summary>A value as a number; null when the value is not a number.</summary>
    public static double? Number(object? value) => value switch
    {
        null => null,
        bool flag => flag ? 1 : 0,
        string text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
        DateTime or DateTimeOffset or DateOnly or TimeSpan or byte[] => null,
        System.Numerics.BigInteger big => (double)big,
        IConvertible convertible => convertible.ToDouble(CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>
    /// A value as a number without rounding; null when the value is a floating-point number, is outside the range of
    /// decimal, or is not a number.
    /// </summary>
    public static decimal? Exact(object? value) => value switch
    {
        bool flag => flag ? 1 : 0,
        decimal or long or ulong or int or uint or short or ushort or sbyte or byte =>
            Convert.ToDecimal(value, CultureInfo.InvariantCulture),
        string text => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
        _ => null,
    };

    /// <summary>
    /// Compares two numbers: without rounding when both are exact, otherwise as floating-point numbers. Null when one
    /// value is not a number.
    /// </summary>
    public static int? Compare(object? left, object? right) => (Exact(left), Exact(right)) is ({ } first, { } second)
        ? first.CompareTo(second)
        : (Number(left), Number(right)) is ({ } one, { } other) ? one.CompareTo(other) : null;

    /// <summary>A JSON number as a decimal, or as a double when it is outside the range of decimal.</summary>
    public static object OfJson(JsonElement number) => number.TryGetDecimal(out var exact) ? exact : number.GetDouble();

    /// <summary>A value as a count. Null counts as 0, because a sum over no rows is null.</summary>
    public static long Count(object? value) => Exact(value) is { } exact ? (long)Math.Clamp(exact, long.MinValue, long.MaxValue)
        : Number(value) is { } number ? (long)number : 0;

    /// <summary>A value as a time; null when it is not a time. A time without an offset is in UTC.</summary>
    public static DateTimeOffset? Time(object? value) => Time(value, TimeZoneInfo.Utc);

    /// <summary>A value as a time; null when it is not a time. A time without an offset is in the zone.</summary>
    public static DateTimeOffset? Time(object? value, TimeZoneInfo zone) => value switch
    {
        DateTimeOffset time => time,
        DateTime { Kind: DateTimeKind.Utc } time => new(time),
        DateTime time => In(zone, time),
        DateOnly date => In(zone, date.ToDateTime(default)),
        string text => Parse(text, zone),
        _ => null,
    };

    /// <summary>A value as JSON.</summary>
    public static string Json(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        double number when !double.IsFinite(number) => JsonSerializer.Serialize(number.ToString(CultureInfo.InvariantCulture)),
        float number when !float.IsFinite(number) => JsonSerializer.Serialize(number.ToString(CultureInfo.InvariantCulture)),
        DateTime time => JsonSerializer.Serialize(time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF", CultureInfo.InvariantCulture)),
        DateTimeOffset time =>
            JsonSerializer.Serialize(time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture)),
        DateOnly date => JsonSerializer.Serialize(date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        string text => JsonSerializer.Serialize(text),
        byte[] => "\"(binary)\"",
        IFormattable number and (sbyte or byte or short or ushort or int or uint or long or ulong or decimal or double or float
            or System.Numerics.BigInteger) => number.ToString(null, CultureInfo.InvariantCulture),
        _ => JsonSerializer.Serialize(Convert.ToString(value, CultureInfo.InvariantCulture)),
    };

    /// <summary>Turns a local time of a zone into a time with an offset.</summary>
    public static DateTimeOffset In(TimeZoneInfo zone, DateTime local)
    {
        var unspecified = DateTime.SpecifyKind(local, DateTimeKind.Unspecified);
        return new(unspecified, zone.GetUtcOffset(unspecified));
    }

    private static DateTimeOffset? Parse(string text, TimeZoneInfo zone) =>
        !DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time) ? null
        : time.Kind == DateTimeKind.Local && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var exact) ? exact
        : time.Kind == DateTimeKind.Utc ? new(time)
        : In(zone, time);
}
