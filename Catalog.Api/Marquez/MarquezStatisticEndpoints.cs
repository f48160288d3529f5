using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Marquez;
using Catalog.Data.Runs;

namespace Catalog.Api.Marquez;

/// <summary>
/// The counts for the charts of Marquez's UI: one for each of the last 24 hours or of the last 7 days. The current hour
/// or day is the last one.
/// </summary>
internal static class MarquezStatisticEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        MarquezEndpoints.Read(routes, "/stats/lineage-events", Events);
        foreach (var (path, what) in new[]
        {
            ("/stats/jobs", CreatedThing.Job), ("/stats/datasets", CreatedThing.Dataset), ("/stats/sources", CreatedThing.Source),
        })
        {
            MarquezEndpoints.Read(routes, path, (MarquezQuery query, Caller caller, MarquezStatistics statistics, TimeProvider time,
                CancellationToken ct) => Count(what, query, caller, statistics, time, ct));
        }
    }

    private static async Task<IResult> Events(MarquezQuery query, Caller caller, MarquezStatistics statistics, TimeProvider time,
        CancellationToken ct)
    {
        var intervals = Intervals(query, time.Now());
        if (query.Problem is { } problem)
        {
            return problem;
        }

        var hours = await statistics.Hours(caller.Organization, intervals[0].From, intervals[^1].To, ct);
        return MarquezJson.Answer(intervals.Select(interval =>
        {
            var own = hours.FindAll(hour => hour.Start >= interval.From && hour.Start < interval.To);
            long Sum(string what) => own.Where(hour => hour.What == what).Sum(hour => hour.Runs);
            return new
            {
                startInterval = interval.ShownFrom,
                endInterval = interval.ShownTo,
                fail = Sum(RunStatus.Failed),
                start = Sum("started"),
                complete = Sum(RunStatus.Completed),
                abort = Sum(RunStatus.Cancelled),
            };
        }));
    }

    private static async Task<IResult> Count(CreatedThing what, MarquezQuery query, Caller caller, MarquezStatistics statistics,
        TimeProvider time, CancellationToken ct)
    {
        var intervals = Intervals(query, time.Now());
        if (query.Problem is { } problem)
        {
            return problem;
        }

        var created = await statistics.Created(caller.Organization, what, ct);
        return MarquezJson.Answer(intervals.Select(interval => new
        {
            startInterval = interval.ShownFrom,
            endInterval = interval.ShownTo,
            count = created.Count(at => at < interval.To),
        }));
    }

    private static List<Interval> Intervals(MarquezQuery query, DateTimeOffset now)
    {
        var (period, zone) = (query.Word("period", "", "DAY", "WEEK"), query.TimeZone());
        if (period == "DAY")
        {
            var hour = new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, 0, 0, TimeSpan.Zero);
            return [.. Enumerable.Range(-23, 24).Select(i => hour.AddHours(i))
                .Select(from => new Interval(from, from.AddHours(1), from, from.AddHours(1)))];
        }

        // The UI shows the start of a day in UTC. So the local midnight is sent as if it were midnight in UTC.
        var today = TimeZoneInfo.ConvertTime(now, zone).Date;
        return [.. Enumerable.Range(-6, 7).Select(i => today.AddDays(i)).Select(day => new Interval(
            Instant(day, zone), Instant(day.AddDays(1), zone), new(day, TimeSpan.Zero), new(day.AddDays(1), TimeSpan.Zero)))];
    }

    // If a clock change skips midnight, the result is the instant of the clock change.
    private static DateTimeOffset Instant(DateTime local, TimeZoneInfo zone) =>
        new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();

    private sealed record Interval(DateTimeOffset From, DateTimeOffset To, DateTimeOffset ShownFrom, DateTimeOffset ShownTo);
}
