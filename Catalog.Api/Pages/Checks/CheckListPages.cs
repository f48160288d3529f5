using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Api.SignIn;
using Catalog.Data.Checks;

namespace Catalog.Api.Pages.Checks;

/// <summary>The lists of checks by their latest result, of checks that flap, and of results.</summary>
internal static class CheckListPages
{
    public static void MapCheckLists(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/checks", List).RequiresSession(Scopes.Read).ReadsPage<CheckStateQuery>();
        pages.MapGet("/checks/flapping", Flapping).RequiresSession(Scopes.Read).ReadsPage<FlappingQuery>();
        pages.MapGet("/checks/results", Results).RequiresSession(Scopes.Read).ReadsPage<CheckResultQuery>();
    }

    private static async Task<IResult> List([AsParameters] CheckStateQuery query, [AsParameters] DownloadQuery page, Caller caller,
        CheckStateRepository states, HttpContext context, CancellationToken ct)
    {
        var list = Lists.Of(query, await states.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct),
            CheckStateItem.From);
        return page.Download is { } format
            ? Download.Of(format, "checks", list, context, ("pipeline_id", state => state.PipelineId), ("check_id", state => state.CheckId),
                ("status", state => state.Status), ("severity", state => state.Severity), ("dataset", state => state.Dataset),
                ("message", state => state.Message), ("observed_value", state => state.ObservedValue?.Text),
                ("executed_at", state => state.ExecutedAt), ("run_id", state => state.RunId), ("result_id", state => state.ResultId))
            : PageResult.Of<CheckListPage>((nameof(CheckListPage.Query), query), (nameof(CheckListPage.States), list),
                (nameof(CheckListPage.Count), await states.Count(caller.Organization, query.ToFilter(), ct)));
    }

    private static async Task<IResult> Flapping([AsParameters] FlappingQuery query, [AsParameters] DownloadQuery page, Caller caller,
        CheckStatusChanges changes, HttpContext context, CancellationToken ct)
    {
        var list = Lists.Of(query, await changes.Flapping(caller.Organization, query.PipelineId, query.Window ?? 20, query.MinChanges ?? 3,
            query.After(), query.Take(), ct), FlappingItem.From);
        return page.Download is { } format
            ? Download.Of(format, "flapping-checks", list, context, ("pipeline_id", check => check.PipelineId),
                ("check_id", check => check.CheckId), ("changes", check => check.Changes),
                ("statuses", check => string.Join(' ', check.Statuses)), ("executed_at", check => check.ExecutedAt))
            : PageResult.Of<FlappingPage>((nameof(FlappingPage.Query), query), (nameof(FlappingPage.Checks), list));
    }

    private static async Task<IResult> Results([AsParameters] CheckResultQuery query, [AsParameters] DownloadQuery page, Caller caller,
        CheckResultRepository results, HttpContext context, CancellationToken ct)
    {
        var list = Lists.Of(query, await results.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct),
            CheckResultItem.From);
        return page.Download is { } format
            ? Download.Of(format, "results", list, context, ("id", result => result.Id), ("pipeline_id", result => result.PipelineId),
                ("check_id", result => result.CheckId), ("run_id", result => result.RunId), ("status", result => result.Status),
                ("severity", result => result.Severity), ("dataset", result => result.Dataset), ("message", result => result.Message),
                ("observed_value", result => result.ObservedValue?.Text), ("expected", result => result.Expected?.Text),
                ("failed_rows", result => result.FailedRows), ("total_rows", result => result.TotalRows),
                ("executed_at", result => result.ExecutedAt), ("duration_seconds", result => result.DurationSeconds))
            : PageResult.Of<ResultListPage>((nameof(ResultListPage.Query), query), (nameof(ResultListPage.Results), list));
    }
}
