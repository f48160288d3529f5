using Catalog.Data.Checks;

namespace Catalog.Api.Demo;

/// <summary>
/// The numbers of the demo. Their random part depends only on ids and on the scheduled time, so it is the same for the
/// same run at every start of the demo.
/// </summary>
internal static class DemoSeries
{
    // The demand on each day of the week, Sunday first. People order more at the weekend.
    private static readonly double[] Weekdays = [1.22, 0.95, 0.92, 0.94, 1.0, 1.1, 1.3];

    /// <summary>Random numbers that depend only on a text.</summary>
    public static Random Seeded(string text) =>
        new(unchecked((int)text.Aggregate(2166136261u, (hash, character) => (hash ^ character) * 16777619)));

    /// <summary>The number of orders at a time, as a multiple of the usual number.</summary>
    /// <param name="at">The time.</param>
    /// <param name="withinDay">Whether a run covers only some hours and not a whole day.</param>
    public static double Demand(DateTimeOffset at, bool withinDay) => Weekdays[(int)at.DayOfWeek]
        * (withinDay ? 0.75 + (0.45 * Math.Sin((at.TimeOfDay.TotalHours - 9) / 24 * Math.Tau)) : 1);

    /// <summary>The value that a check measures in a run.</summary>
    /// <param name="check">The check.</param>
    /// <param name="at">The scheduled time of the run.</param>
    /// <param name="now">When the demo was started.</param>
    /// <param name="withinDay">Whether a run covers only some hours and not a whole day.</param>
    public static double Value(DemoCheck check, DateTimeOffset at, DateTimeOffset now, bool withinDay)
    {
        var random = Seeded($"{check.Id} {at.UtcTicks}");
        var share = random.NextDouble();
        var days = (now - at).TotalDays;
        return (check.Trend, days, share) switch
        {
            (DemoTrend.Flapping, < 3, _) when at.UtcTicks / TimeSpan.TicksPerHour / 2 % 2 == 0 => DemoCheck.Broken(check.Fail, share / 2),
            (DemoTrend.Flapping, < 3, _) => check.Usual,
            (DemoTrend.Failing, < 4, _) => DemoCheck.Broken(check.Fail, 4 - days),
            (DemoTrend.Warning, < 2, _) => DemoCheck.Broken(check.Warn, 0),
            (_, _, < 0.004) when check.Fail != default && check.Usual > 0 => DemoCheck.Broken(check.Fail, share),
            (_, _, < 0.012) when check.Warn != default => DemoCheck.Broken(check.Warn, 0),
            _ => Rounded(check.Usual * (check.IsWeekly ? Demand(at, withinDay) : 1)
                * (1 + (check.Spread * ((2 * random.NextDouble()) - 1)))),
        };
    }

    /// <summary>The message of a result; null when the result passed.</summary>
    public static string? Message(DemoCheck check, string status, double value) => status == CheckStatus.Pass ? null
        : check.Kind switch
        {
            "freshness" => FormattableString.Invariant($"The newest row of {check.Dataset} is {value / 60:0} minutes old."),
            "row_count" => FormattableString.Invariant($"{check.Dataset} has {value:#,0} rows, usually about {check.Usual:#,0}."),
            "not_null" => FormattableString.Invariant($"{value:#,0} rows of {check.Dataset} have no {check.Column}."),
            "unique" => FormattableString.Invariant($"{value:#,0} rows of {check.Dataset} share their {check.Column}."),
            "accepted_values" => FormattableString.Invariant($"{value:#,0} rows of {check.Dataset} have an unknown {check.Column}."),
            "relationships" => FormattableString.Invariant($"{value:#,0} rows of {check.Dataset} point to a row that does not exist."),
            _ => FormattableString.Invariant($"{check.Kind} of {check.Column} is {value:0.###}, usually about {check.Usual:0.###}."),
        };

    private static double Rounded(double value) => value >= 10 ? Math.Round(value) : Math.Round(value, 3);
}
