using System.Globalization;

namespace Catalog.Api.Pipelines;

/// <summary>
/// Judges cron expressions of five fields as crontab(5) defines them: minute, hour, day of month, month, day of week, each a
/// list of *, numbers, ranges and steps; months and weekdays also by their first three letters, 7 is Sunday too.
/// </summary>
internal static class Cron
{
    public const string Wanted = "must be a cron expression of five fields: minute, hour, day of month, month, day of week.";

    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] Weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private static readonly (int Least, int Most, string[] Names)[] Fields =
        [(0, 59, []), (0, 23, []), (1, 31, []), (1, 12, Months), (0, 7, Weekdays)];

    public static bool IsValid(string expression)
    {
        var fields = expression.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return expression.Length <= 256 && fields.Length == Fields.Length && fields.Zip(Fields).All(pair => pair.First.Split(',').All(item => IsItem(item, pair.Second)));
    }

    private static bool IsItem(string item, (int Least, int Most, string[] Names) field)
    {
        var parts = item.Split('/');
        if (parts.Length > 2 || (parts.Length == 2 && (Number(parts[1]) is not { } step || step < 1 || step > field.Most)))
        {
            return false;
        }

        if (parts[0] == "*")
        {
            return true;
        }

        var range = parts[0].Split('-');
        var values = range.Select(text => Value(text, field)).ToArray();
        return values.All(value => value is not null) && (values.Length == 1 || (values.Length == 2 && values[0] <= values[1]));
    }

    private static int? Value(string text, (int Least, int Most, string[] Names) field)
    {
        var name = Array.IndexOf(field.Names, text.ToLowerInvariant());
        var value = name >= 0 ? name + field.Least : Number(text);
        return value >= field.Least && value <= field.Most ? value : null;
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
