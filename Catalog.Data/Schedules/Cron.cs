using Cronos;

namespace Catalog.Data.Schedules;

/// <summary>
/// A cron schedule: the five fields of crontab, or a macro of Airflow. The extensions of Cronos are valid: ? instead of
/// *, L, W, #, and ranges that wrap around. A field for seconds is not valid. H is not valid, because only Jenkins
/// defines it.
/// </summary>
public sealed class Cron
{
    public const string Message =
        "must be a cron expression of five fields: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, "
            + "@monthly, @yearly.";

    private static readonly string[] Macros = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];

    // The range that * stands for in each field.
    private static readonly string[] FullRanges = ["0-59", "0-23", "1-31", "1-12", "0-6"];

    private readonly CronExpression[] _expressions;

    private Cron(params CronExpression[] expressions) => _expressions = expressions;

    public static bool IsValid(string expression) => Parse(expression) is not null;

    /// <returns>The schedule; null when the expression is not valid.</returns>
    public static Cron? Parse(string expression)
    {
        if (expression.Length > 256)
        {
            return null;
        }

        var fields = expression.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields is [var macro])
        {
            return Macros.Contains(macro, StringComparer.OrdinalIgnoreCase) ? new(CronExpression.Parse(macro)) : null;
        }

        if (fields.Length != FullRanges.Length)
        {
            return null;
        }

        string[] plain = [.. fields.Zip(FullRanges, WithoutStarsInLists)];
        if (!CronExpression.TryParse(string.Join(' ', plain), out var whole))
        {
            return null;
        }

        // If neither day field begins with a star, crontab, Airflow and Prefect run when one of the two fields matches.
        // Cronos runs only when both fields match, so two expressions are used.
        return Array.Exists([fields[2], fields[4]], day => day[0] is '*' or '?') ? new(whole) : new(
            CronExpression.Parse($"{plain[0]} {plain[1]} {plain[2]} {plain[3]} *"),
            CronExpression.Parse($"{plain[0]} {plain[1]} * {plain[3]} {plain[4]}"));
    }

    /// <summary>
    /// The first time after <paramref name="after"/>. A time that the clocks skip in spring is moved to the end of the
    /// gap. A time that occurs twice in autumn counts once, unless the schedule repeats within the hour or each hour.
    /// </summary>
    /// <returns>The time; null when there is none, for example for February 31.</returns>
    public DateTimeOffset? Next(DateTimeOffset after, TimeZoneInfo zone) =>
        _expressions.Min(expression => expression.GetNextOccurrence(after, zone))?.ToUniversalTime();

    /// <summary>The last time at or before <paramref name="at"/>, and not before <paramref name="since"/>.</summary>
    /// <returns>The time; null when there is none.</returns>
    public DateTimeOffset? Previous(DateTimeOffset at, DateTimeOffset since, TimeZoneInfo zone)
    {
        if (Next(since.AddTicks(-1), zone) is not { } found || found > at)
        {
            return null;
        }

        // Cronos can find only the next time, so this is a binary search. In each step, found is a scheduled time, and
        // no scheduled time lies between last and at.
        var last = at;
        while (last - found >= TimeSpan.FromMinutes(1))
        {
            var middle = found + (last - found) / 2;
            if (Next(middle, zone) is { } later && later <= at)
            {
                found = later;
            }
            else
            {
                last = middle;
            }
        }

        return found;
    }

    /// <summary>The first time after <paramref name="after"/> in the time zone with this id.</summary>
    /// <returns>The time; null when there is none, or when the expression or the time zone is not valid.</returns>
    public static DateTimeOffset? Next(string expression, string zone, DateTimeOffset after) =>
        Zone(zone) is { } found ? Parse(expression)?.Next(after, found) : null;

    /// <summary>The time zone with an IANA id such as <c>Europe/Berlin</c>; null when there is none.</summary>
    public static TimeZoneInfo? Zone(string id) =>
        id.Length <= 64 && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) && zone.HasIanaId ? zone : null;

    // Crontab accepts a star inside a list, for example */15,3, but Cronos does not.
    private static string WithoutStarsInLists(string field, string fullRange) =>
        field.Contains(',', StringComparison.Ordinal)
            ? string.Join(',', field.Split(',').Select(item => item.StartsWith('*') ? fullRange + item[1..] : item)) : field;
}
