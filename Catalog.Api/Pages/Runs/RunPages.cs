using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Api.Lineage;
using Catalog.Api.Organizations;
using Catalog.Api.Pages.Live;
using Catalog.Api.Runs;
using Catalog.Api.SignIn;
using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.Lineage;
using Catalog.Data.Runs;

namespace Catalog.Api.Pages.Runs;

/// <summary>The list of runs, and the page of one run.</summary>
internal static class RunPages
{
    /// <summary>The maximum number of results on the page of a run.</summary>
    public const int MaxResults = 200;
    private const int MaxEvents = 100;

    public static void MapRunPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/runs", List).RequiresSession(Scopes.Read).ReadsPage<RunQuery>();
        pages.MapGet("/runs/{id}", Show).RequiresSession(Scopes.Read).ReadsQuery<RunPageQuery>();
        // The stream is open as long as its page. In the metrics it would look like a slow request.
        pages.MapGet("/runs/{id}/live", Follow).RequiresSession(Scopes.Read).DisableHttpMetrics()
            .WithMetadata(new FollowingRequests(_ => true));
    }

    private static async Task<IResult> List([AsParameters] RunQuery query, [AsParameters] DownloadQuery page, Caller caller,
        RunRepository runs, HttpContext context, CancellationToken ct)
    {
        var filter = query.ToFilter();
        var list = Lists.Of(
            query, await runs.List(caller.Organization, filter, query.After(), query.Take(), ct, openStagesOnly: true), RunItem.From);
        return page.Download is { } format
            ? Download.Of(format, "runs", list, context, ("id", run => run.Id), ("pipeline_id", run => run.PipelineId),
                ("status", run => run.Status), ("started_at", run => run.StartedAt), ("completed_at", run => run.CompletedAt),
                ("duration_seconds", run => run.DurationSeconds), ("records_processed", run => run.RecordsProcessed),
                ("error_message", run => run.ErrorMessage))
            : PageResult.Of<RunListPage>(
                (nameof(RunListPage.Query), query), (nameof(RunListPage.Runs), list),
                (nameof(RunListPage.Count), await runs.Count(caller.Organization, filter, ct)));
    }

    private static async Task<IResult> Show(PathId id, [AsParameters] RunPageQuery query, Caller caller, RunRepository runs,
        RunEventRepository events, RunNeighbors neighbors, CheckResultRepository results, RunLineageRepository lineage,
        RunChangeNotifier live, TimeProvider time, HttpContext context, CancellationToken ct)
    {
        if (await runs.Find(caller.Organization, id.Value, ct) is not { } detail)
        {
            return Problems.NotFound("run");
        }

        var run = RunItem.From(detail);
        if (query.Download is not null)
        {
            return await RunTexts.Download(query, caller.Organization, run, events, context, ct);
        }

        var (previous, next) = await neighbors.Of(caller.Organization, detail.Run, ct);
        var page = await results.OfRun(caller.Organization, id.Value, null, MaxResults, ct);
        var received = await events.List(caller.Organization, id.Value, null, MaxEvents, ct);
        return PageResult.Of<RunPage>(
            (nameof(RunPage.Run), run), (nameof(RunPage.Previous), previous), (nameof(RunPage.Next), next),
            (nameof(RunPage.Results), (page?.Items ?? []).Select(CheckResultItem.From).ToList()),
            (nameof(RunPage.Events), ReceivedEvents.Of(received?.Items ?? [])), (nameof(RunPage.HasMoreEvents), received?.Next is not null),
            (nameof(RunPage.Lineage), RunLineageItem.From(
                detail.Run, await lineage.Of(caller.Organization, detail.Run.Id, detail.Run.StartedAt, ct))),
            (nameof(RunPage.AllStages), query.Stages == "all"),
            // The page also follows a run that ended less than a minute ago, because results of checks can still fail
            // it.
            (nameof(RunPage.IsLive), (!RunState.HasEnded(run) || time.Now() - run.CompletedAt < TimeSpan.FromMinutes(1))
                && live.HasRoom(caller.Organization)));
    }

    private static IResult Follow(PathId id, RunPageStream live, HttpContext context) => live.Follow(id.Value, context);
}
