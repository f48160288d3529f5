using System.Globalization;

namespace Catalog.Data;

/// <summary>Sizes, ages and numbers for people.</summary>
public static class Quantity
{
    /// <summary>A size in the unit that leaves few digits: <c>512 B</c>, <c>1.4 MiB</c>.</summary>
    public static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var size = (double)bytes;
        var unit = 0;
        for (; size >= 1024 && unit < units.Length - 1; unit++)
        {
            size /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{size.ToString(unit == 0 || size >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture)} {units[unit]}");
    }

    /// <summary>A time in the two units that matter: <c>0.4 s</c>, <c>12 s</c>, <c>3 min 5 s</c>, <c>2 h 10 min</c>, <c>4 d 1 h</c>.</summary>
    public static string Age(double seconds)
    {
        var age = TimeSpan.FromSeconds(Math.Max(0, seconds));
        return age switch
        {
            { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalSeconds:0.0} s"),
            { TotalMinutes: < 1 } => $"{age.Seconds} s",
            { TotalHours: < 1 } => Two(age.Minutes, "min", age.Seconds, "s"),
            { TotalDays: < 1 } => Two(age.Hours, "h", age.Minutes, "min"),
            _ => Two(age.Days, "d", age.Hours, "h"),
        };
    }

    /// <summary>A whole number with commas: <c>12,400</c>.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A number of things: <c>1 row</c>, <c>12,400 rows</c>.</summary>
    public static string Of(long number, string one, string many) => $"{Number(number)} {(number == 1 ? one : many)}";

    /// <summary>The first few of a list, and how many are left out.</summary>
    public static string Few(IReadOnlyCollection<string> names, int most = 5) =>
        string.Join(", ", names.Take(most)) + (names.Count > most ? $" and {names.Count - most} more" : "");

    private static string Two(int large, string unit, int small, string part) => small == 0 ? $"{large} {unit}" : $"{large} {unit} {small} {part}";
}
