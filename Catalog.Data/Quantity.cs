using System.Globalization;

namespace Catalog.Data;

/// <summary>Formats sizes, durations and counts for people.</summary>
public static class Quantity
{
    /// <summary>
    /// A size in the largest unit, up to TiB, in which it is at least 1: <c>512 B</c>, <c>1.4 MiB</c>.
    /// </summary>
    public static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var size = (double)bytes;
        var unit = 0;
        for (; size >= 1024 && unit < units.Length - 1; unit++)
        {
            size /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture,
            $"{size.ToString(unit == 0 || size >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture)} {units[unit]}");
    }

    /// <summary>
    /// A duration in its one or two largest units: <c>0.4 s</c>, <c>12 s</c>, <c>3 min 5 s</c>, <c>2 h 10 min</c>,
    /// <c>4 d 1 h</c>. A negative duration is shown as 0.
    /// </summary>
    public static string Age(double seconds)
    {
        var age = TimeSpan.FromSeconds(Math.Max(0, seconds));
        return age switch
        {
            { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalSeconds:0.0} s"),
            { TotalMinutes: < 1 } => $"{age.Seconds} s",
            { TotalHours: < 1 } => TwoUnits(age.Minutes, "min", age.Seconds, "s"),
            { TotalDays: < 1 } => TwoUnits(age.Hours, "h", age.Minutes, "min"),
            _ => TwoUnits(age.Days, "d", age.Hours, "h"),
        };
    }

    /// <summary>A whole number with commas between thousands: <c>12,400</c>.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A count with its noun: <c>1 row</c>, <c>12,400 rows</c>.</summary>
    public static string Of(long number, string singular, string plural) => $"{Number(number)} {(number == 1 ? singular : plural)}";

    /// <summary>The first names of a list, and how many more there are: <c>a, b, c, d, e and 3 more</c>.</summary>
    public static string Few(IReadOnlyCollection<string> names, int max = 5) =>
        string.Join(", ", names.Take(max)) + (names.Count > max ? $" and {names.Count - max} more" : "");

    private static string TwoUnits(int large, string largeUnit, int small, string smallUnit) =>
        small == 0 ? $"{large} {largeUnit}" : $"{large} {largeUnit} {small} {smallUnit}";
}
