using System.Globalization;

namespace Catalog.Api.Pages;

/// <summary>Cron schedules in words.</summary>
public static class ScheduleText
{
    private static readonly string[] Days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

    private static readonly string[] Months =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

    /// <summary>A schedule of five fields or a macro in words, such as <c>every day at 02:00</c>.</summary>
    /// <returns>The words; null when the schedule needs more than a short sentence.</returns>
    public static string? InWords(string cron) => Fields(cron) is [var minute, var hour, var day, var month, var weekday]
        && Times(minute, hour) is var (time, isClock) && Dates(day, month, weekday) is { } date
        ? (date, isClock) switch
        {
            ("", true) => $"every day {time}",
            ("", false) => time,
            (_, true) => $"{date} {time}",
            _ => $"{time}, {date}",
        }
        : null;

    private static string[] Fields(string cron) => cron.Trim().ToLowerInvariant() switch
    {
        "@hourly" => ["0", "*", "*", "*", "*"],
        "@daily" or "@midnight" => ["0", "0", "*", "*", "*"],
        "@weekly" => ["0", "0", "*", "*", "0"],
        "@monthly" => ["0", "0", "1", "*", "*"],
        "@yearly" or "@annually" => ["0", "0", "1", "1", "*"],
        var text => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries),
    };

    // IsClock is true for a time of day, such as "at 02:00". Such a text needs the day too.
    private static (string Text, bool IsClock)? Times(string minute, string hour)
    {
        if (hour == "*")
        {
            return minute == "*" ? ("every minute", false)
                : Step(minute, 60) is { } minutes ? ($"every {minutes} minutes", false)
                : Number(minute, 0, 59) is { } past ? (past == 0 ? "every hour" : $"every hour at minute {past}", false) : null;
        }

        if (Number(minute, 0, 59) is not { } at)
        {
            return null;
        }

        if (Step(hour, 24) is { } hours)
        {
            return ($"every {hours} hours{(at == 0 ? "" : $" at minute {at}")}", false);
        }

        if (hour.Split('-') is [var first, var last] && Number(first, 0, 23) is { } from && Number(last, 0, 23) is { } to && from < to)
        {
            return ($"every hour from {Clock(from, at)} to {Clock(to, at)}", false);
        }

        return Numbers(hour, 0, 23) is { Count: <= 6 } list ? ($"at {And(list.Select(each => Clock(each, at)))}", true) : null;
    }

    private static string? Dates(string day, string month, string weekday)
    {
        if (day is "*" or "?" && month == "*")
        {
            return weekday is "*" or "?" ? "" : Weekdays(weekday);
        }

        if (weekday is not ("*" or "?"))
        {
            return null;
        }

        var dates = day == "l" ? "on the last day"
            : Numbers(day, 1, 31) is { Count: <= 6 } list ? $"on day {And(list.Select(Text))}" : null;
        return dates is null ? null
            : month == "*" ? $"{dates} of every month"
            : Numbers(month, 1, 12) is { Count: <= 6 } months ? $"{dates} of {And(months.Select(each => Months[each - 1]))}" : null;
    }

    private static string? Weekdays(string weekday)
    {
        if (weekday.Split('-') is [var first, var last])
        {
            return Day(first) is { } from && Day(last) is { } to && from < to ? $"{Days[from]} to {Days[to]}" : null;
        }

        var days = weekday.Split(',').Select(Day).ToList();
        return days.Contains(null) ? null : $"every {And(days.Select(each => Days[each!.Value]))}";
    }

    private static int? Day(string text) => Number(text, 0, 7)
        ?? (Array.FindIndex(Days, day => text.Length == 3 && day.StartsWith(text, StringComparison.OrdinalIgnoreCase)) is >= 0 and var found
            ? found : null);

    private static List<int>? Numbers(string list, int least, int most)
    {
        var numbers = list.Split(',').Select(text => Number(text, least, most)).ToList();
        return numbers.Contains(null) ? null : [.. numbers.OfType<int>().Distinct().Order()];
    }

    // Returns null for a step that does not divide the hour or the day, because its times are not regular.
    private static int? Step(string field, int whole) =>
        field.StartsWith("*/", StringComparison.Ordinal) && Number(field[2..], 2, whole - 1) is { } step && whole % step == 0 ? step : null;

    private static int? Number(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number : null;

    private static string Clock(int hour, int minute) => string.Create(CultureInfo.InvariantCulture, $"{hour:00}:{minute:00}");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string And(IEnumerable<string> words) => words.ToList() switch
    {
        [] => "",
        [var one] => one,
        [.. var first, var last] => $"{string.Join(", ", first)} and {last}",
    };
}
