using Cronos;

namespace Catalog.Api.Pipelines;

/// <summary>
/// Validates cron schedules: the five fields of crontab with the extensions of Cronos (? for *, L, W, # and ranges that
/// wrap), or a macro of Airflow. Seconds are refused, and so is H, which only Jenkins defines. Do not compute the next
/// time with Cronos: it requires both day of month and day of week to match; crontab, Airflow and Prefect require one
/// of the two.
/// </summary>
internal static class Cron
{
    public const string Message =
        "must be a cron expression of five fields: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, "
            + "@monthly, @yearly.";

    private static readonly string[] Macros = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];

    // For each field the range that * means.
    private static readonly string[] FullRanges = ["0-59", "0-23", "1-31", "1-12", "0-6"];

    public static bool IsValid(string expression)
    {
        var fields = expression.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return expression.Length <= 256 && (fields is [var macro]
            ? Macros.Contains(macro, StringComparer.OrdinalIgnoreCase)
            : fields.Length == FullRanges.Length
                && CronExpression.TryParse(string.Join(' ', fields.Zip(FullRanges, WithoutStarsInLists)), out _));
    }

    // Crontab accepts a star inside a list, as in */15,3, and Cronos does not.
    private static string WithoutStarsInLists(string field, string fullRange) =>
        field.Contains(',', StringComparison.Ordinal)
            ? string.Join(',', field.Split(',').Select(item => item.StartsWith('*') ? fullRange + item[1..] : item)) : field;
}
