using System.Globalization;

namespace Catalog.Api.Pages.Drawing;

/// <summary>A tick of a time axis.</summary>
/// <param name="Share">The position of the tick, 0 (left) to 1 (right).</param>
/// <param name="Label">The time of day in 24-hour form, or the date when ticks are days apart.</param>
/// <param name="Date">The date, at the first tick and where the day changes; otherwise null.</param>
public sealed record TimeTick(double Share, string Label, string? Date);

/// <summary>
/// A time axis in one time zone: the positions of times, ticks at round local times, and the name of the zone.
/// </summary>
public sealed class TimeAxis
{
    private static readonly DateTimeOffset Earliest = new(1, 1, 3, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Latest = new(8000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly TimeSpan[] Steps =
    [
        .. new[] { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 28_800, 43_200 }
            .Select(seconds => TimeSpan.FromSeconds(seconds)),
        .. new[] { 1, 2, 3, 5, 7, 10, 14, 28, 56, 91, 182, 364 }.Select(days => TimeSpan.FromDays(days)),
    ];

    private static readonly int[] DayFactors = [1, 2, 3, 5, 7, 10];

    private readonly TimeZoneInfo _zone;

    private TimeAxis(DateTimeOffset from, DateTimeOffset to, TimeZoneInfo zone)
    {
        From = from;
        To = to;
        _zone = zone;
    }

    /// <summary>The time at the left end.</summary>
    public DateTimeOffset From { get; }

    /// <summary>The time at the right end, later than <see cref="From"/>.</summary>
    public DateTimeOffset To { get; }

    /// <summary>The ticks from left to right.</summary>
    public IReadOnlyList<TimeTick> Ticks { get; private init; } = [];

    /// <summary>The zone as printed on the axis, such as "Europe/Berlin, UTC+01:00".</summary>
    public string ZoneLabel
    {
        get
        {
            if (_zone.Id == TimeZoneInfo.Utc.Id)
            {
                return "UTC";
            }

            var (first, last) = (Offset(From), Offset(To));
            return $"{DisplayText.Clean(_zone.Id)}, {first}{(first == last ? "" : " to " + last)}";
        }
    }

    /// <summary>An axis between two times with at most <paramref name="most"/> ticks.</summary>
    public static TimeAxis Of(DateTimeOffset from, DateTimeOffset to, TimeZoneInfo zone, int most = 6)
    {
        var start = Clamp(from);
        var end = Clamp(to);
        end = end - start < TimeSpan.FromSeconds(1) ? start + TimeSpan.FromSeconds(1) : end;
        var longest = TimeSpan.FromDays(364 * Math.Ceiling((end - start).TotalDays / 364 / most));
        var step = Steps.FirstOrDefault(step => (end - start) / step <= most, longest);
        var axis = new TimeAxis(start, end, zone);
        return new TimeAxis(start, end, zone) { Ticks = axis.TicksEvery(step) };
    }

    /// <summary>
    /// The length of the axis for a run that has taken <paramref name="elapsed"/>. The length is at least as long and
    /// is one of a few round lengths, so that a live axis stays the same for a while and then grows in one step.
    /// </summary>
    public static TimeSpan RoundUp(TimeSpan elapsed)
    {
        double[] seconds =
        [
            10, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, 64_800,
        ];
        var needed = Math.Max(0, elapsed.TotalSeconds);
        var found = seconds.FirstOrDefault(length => length >= needed);
        if (found > 0)
        {
            return TimeSpan.FromSeconds(found);
        }

        // Longer lengths are 1, 2, 3, 5 or 7 times a power of ten, in days.
        var days = needed / 86_400;
        var power = Math.Pow(10, Math.Floor(Math.Log10(days)));
        return TimeSpan.FromDays(power * DayFactors.First(factor => factor * power >= days));
    }

    /// <summary>
    /// The end of a live axis: the start plus the elapsed time, which <see cref="RoundUp"/> makes a round length.
    /// </summary>
    public static DateTimeOffset End(DateTimeOffset start, TimeSpan elapsed)
    {
        var length = RoundUp(elapsed);
        return Latest - start < length ? Latest : start + length;
    }

    /// <summary>
    /// The position of a time, 0 (left) to 1 (right). A time outside the axis has the position of the nearer end.
    /// </summary>
    public double Share(DateTimeOffset at) => Math.Clamp((at - From) / (To - From), 0, 1);

    /// <summary>
    /// The time of day in the zone, with the date when it differs from the day of <see cref="From"/>.
    /// </summary>
    public string Time(DateTimeOffset at)
    {
        var local = Local(at);
        return local.ToString(local.Date == Local(From).Date ? "HH:mm:ss" : "d MMM HH:mm:ss", CultureInfo.InvariantCulture);
    }

    /// <summary>The date and the time in the zone.</summary>
    public string DateAndTime(DateTimeOffset at) => Local(at).ToString("d MMM yyyy HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>The time in UTC for the HTML attribute <c>title</c>.</summary>
    public static string Utc(DateTimeOffset at) =>
        at.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>The time in UTC for the HTML attribute <c>datetime</c>.</summary>
    public static string Machine(DateTimeOffset at) =>
        at.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private List<TimeTick> TicksEvery(TimeSpan step)
    {
        var ticks = new List<TimeTick>();
        DateTime? day = null;
        foreach (var at in step > TimeSpan.FromHours(1) ? ByTheClock(step) : ByTheInstant(step))
        {
            var local = Local(at);
            var format = step >= TimeSpan.FromDays(1) ? (To - From > TimeSpan.FromDays(300) ? "d MMM yyyy" : "d MMM")
                : step < TimeSpan.FromMinutes(1) ? "HH:mm:ss" : "HH:mm";
            var date = step < TimeSpan.FromDays(1) && day != local.Date ? local.ToString("d MMM", CultureInfo.InvariantCulture) : null;
            ticks.Add(new TimeTick(Share(at), local.ToString(format, CultureInfo.InvariantCulture), date));
            day = local.Date;
        }

        return ticks;
    }

    // Short steps have equal lengths, so the hour that a clock change repeats has all its ticks.
    private IEnumerable<DateTimeOffset> ByTheInstant(TimeSpan step)
    {
        var local = Local(From);
        for (var at = local + Missing(local.DateTime, step); at <= To; at += step)
        {
            yield return at;
        }
    }

    // Long steps follow the local clock, also after a clock change. A local time that a clock change skips has no tick.
    private IEnumerable<DateTimeOffset> ByTheClock(TimeSpan step)
    {
        var local = Local(From).DateTime;
        for (var clock = local + Missing(local, step); ; clock += step)
        {
            if (_zone.IsInvalidTime(clock))
            {
                continue;
            }

            var at = new DateTimeOffset(clock, _zone.GetUtcOffset(clock));
            if (at > To)
            {
                yield break;
            }

            if (at >= From)
            {
                yield return at;
            }
        }
    }

    private static TimeSpan Missing(DateTime local, TimeSpan step) =>
        TimeSpan.FromTicks((step.Ticks - (local.Ticks % step.Ticks)) % step.Ticks);

    private DateTimeOffset Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(Clamp(at), _zone);

    private string Offset(DateTimeOffset at) => "UTC" + Local(at).ToString("zzz", CultureInfo.InvariantCulture);

    // The limits leave room for the offset of any zone before the earliest time, and for one step of a very long axis
    // after the latest time.
    private static DateTimeOffset Clamp(DateTimeOffset at) => at < Earliest ? Earliest : at > Latest ? Latest : at;
}
