using Cronos;

namespace Catalog.Api.Pipelines;

/// <summary>
/// Judges schedules as the schedulers of pipelines take them: crontab's five fields with what Cronos adds to them (? for *, L, W, # and ranges that
/// wrap), and Airflow's macros, each of which stands for five fields. No seconds, and no H, whose meaning only Jenkins knows.
/// For the next time Cronos requires day of month and day of week both to match; crontab, Airflow and Prefect require one of them.
/// </summary>
internal static class Cron
{
    public const string Wanted = "must be a cron expression of five fields: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly.";

    private static readonly string[] Macros = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];

    // By field.
    private static readonly string[] Whole = ["0-59", "0-23", "1-31", "1-12", "0-6"];

    public static bool IsValid(string expression)
    {
        var fields = expression.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return expression.Length <= 256 && (fields is [var macro]
            ? Macros.Contains(macro, StringComparer.OrdinalIgnoreCase)
            : fields.Length == Whole.Length && CronExpression.TryParse(string.Join(' ', fields.Zip(Whole, WithoutStarsInLists)), out _));
    }

    // Crontab takes */15,3 and Cronos does not: there a star stands alone.
    private static string WithoutStarsInLists(string field, string whole) =>
        field.Contains(',', StringComparison.Ordinal) ? string.Join(',', field.Split(',').Select(item => item.StartsWith('*') ? whole + item[1..] : item)) : field;
}
