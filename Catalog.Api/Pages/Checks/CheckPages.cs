using System.Text.Json;
using Catalog.Api.Checks;
using Catalog.Api.Executions;
using Catalog.Api.Http;
using Catalog.Api.SignIn;
using Catalog.Data;
using Catalog.Data.Checks;

namespace Catalog.Api.Pages.Checks;

/// <summary>The page of one check: its history, its definition, and the button that executes it.</summary>
internal static class CheckPages
{
    // The maximum number of results that the chart draws.
    public const int MaxDrawn = 500;

    // The number of rows of the table if the address has no limit. It is small, because each row takes several lines on
    // a narrow page.
    private const int Shown = 20;
    private static readonly JsonElement NoBody = JsonElement.Parse("{}");

    public static void MapCheckPages(this IEndpointRouteBuilder pages)
    {
        pages.MapCheckLists();
        pages.MapGet("/checks/{id}", Show).RequiresSession(Scopes.Read).ReadsQuery<CheckPageQuery>();
        pages.MapPost("/checks/{id}/execute", Execute).RequiresSession(Scopes.Execute).DisableAntiforgery().RequiresForm();
    }

    private static async Task<IResult> Show(PathId id, [AsParameters] CheckPageQuery query, Caller caller, CheckRepository checks,
        CheckResultRepository results, CheckStatusChanges changes, TimeProvider time, HttpContext context, CancellationToken ct)
    {
        var found = await checks.Find(caller.Organization, id.Value, query.Pipeline, ct);
        if (found.Count > 1)
        {
            return PageResult.Of<CheckChoicePage>(
                (nameof(CheckChoicePage.Id), id.Value), (nameof(CheckChoicePage.Checks), found.ConvertAll(CheckItem.From)));
        }

        // Results may arrive before the definition. If the address names the pipeline, the history of these results is
        // shown.
        if ((found.Count == 1 ? found[0].PipelineId : query.Pipeline) is not { } pipeline)
        {
            return Problems.NotFound("check");
        }

        if (query.Download is { } kind)
        {
            return (found.Count == 0 ? null : kind == "sql" ? CheckText.Of(CheckItem.From(found[0]).Sql) : found[0].Definition) is { } text
                ? Download.Text(kind, text, context) : Problems.NotFound("text");
        }

        var range = TimeRange.Choose(query.Range, context);
        var now = time.Now();
        var filter = new CheckResultFilter { PipelineId = pipeline, CheckId = id.Value, Since = now - range.Length };
        var streak = await changes.Streak(caller.Organization, new() { PipelineId = pipeline, CheckId = id.Value }, ct);
        if (found.Count == 0 && streak.Results == 0)
        {
            return Problems.NotFound("check");
        }

        return PageResult.Of<CheckPage>((nameof(CheckPage.Model), new CheckModel
        {
            Id = id.Value,
            PipelineId = pipeline,
            Check = found.Count == 1 ? CheckItem.From(found[0]) : null,
            Definition = found.Count == 1 ? found[0].Definition : null,
            Range = range,
            Now = now,
            Drawn = await results.Points(caller.Organization, filter, MaxDrawn, ct),
            Counts = await checks.CountStatuses(caller.Organization, filter, ct),
            Streak = streak,
            Results = Lists.Of(query, await results.List(caller.Organization, filter, query.After(), query.Limit ?? Shown, ct),
                CheckResultItem.From),
        }));
    }

    private static async Task<IResult> Execute(PathId id, IFormCollection form, Caller caller, CheckRepository checks, ExecutionStart start,
        CancellationToken ct)
    {
        var pipeline = form["pipeline_id"].ToString();
        if (await checks.Find(caller.Organization, id.Value, pipeline, ct) is not [var check])
        {
            return Problems.NotFound("check");
        }

        var (execution, refusal) = await start.Queue(caller, new(null, true), new()
        {
            Route = $"/checks/{id.Value}/execute?pipeline_id={pipeline}",
            Body = NoBody,
            PipelineId = pipeline.Length == 0 ? null : pipeline,
            RunId = null,
            Checks = [new() { PipelineId = pipeline, CheckId = id.Value, Severity = check.Severity }],
        }, ct);
        return refusal ?? TypedResults.LocalRedirect(Links.Execution(execution));
    }
}
