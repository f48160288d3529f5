using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Overview;

internal static class OverviewEndpoints
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(31);
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    public static void MapOverview(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/overview", Get).WithName("GetOverview").WithTags("Overview").Requires(Scopes.Read).ReadsQuery<OverviewQuery>()
            .WithSummary("Read a summary: failed and running runs, late pipelines, and the pass rate of checks");

    private static async Task<Ok<OverviewItem>> Get(
        [AsParameters] OverviewQuery query, Caller caller, RunRepository runs, HourlyRunCounts hours,
        CheckStateRepository states, CheckResultRepository results, OverduePipelines overdue, TimeProvider time, CancellationToken ct)
    {
        var now = time.Now();
        var asked = query.Since?.Value ?? now - TimeSpan.FromDays(1);
        var since = asked < now - Longest ? now - Longest : asked;
        var (organization, late) = (caller.Organization, await overdue.Find(caller.Organization, now, ct));
        var byHour = await hours.Count(organization, since, now, ct);
        return TypedResults.Ok(new OverviewItem
        {
            AsOf = now,
            Since = since,
            RunsFailed = CountItem.From(
                await runs.Count(organization, new() { Statuses = [RunStatus.Failed], EndedSince = since }, ct)),
            RunsRunning = CountItem.From(await runs.Count(organization, new() { Statuses = [RunStatus.Running] }, ct)),
            RunsByHour = [.. byHour.Hours.Select(RunHourItem.From)],
            RunsByHourTruncated = byHour.Truncated,
            Checks = CheckStateCountItem.From(await states.CountByStatus(organization, ct)),
            PipelinesOverdue = new() { Count = late.Pipelines.Count, CountIsMinimum = late.Truncated },
            PassRate = PassRateItem.From(await results.CountNewest(organization, since, now, ct)),
            PassRateWeekBefore = PassRateItem.From(await results.CountNewest(organization, since - Week, now - Week, ct)),
        });
    }
}
