using Catalog.Api.Executions;
using Catalog.Api.Http;
using Catalog.Api.Pages.Drawing;
using Catalog.Api.Pages.Overview;
using Catalog.Api.Pipelines;
using Catalog.Api.SignIn;
using Catalog.Data.Executions;
using Catalog.Data.Pipelines;

namespace Catalog.Api.Pages.Pipelines;

/// <summary>The list of pipelines, and the page of one pipeline.</summary>
internal static class PipelinePages
{
    public static void MapPipelinePages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/pipelines", List).RequiresSession(Scopes.Read).ReadsPage<PipelineQuery>()
            .WithMetadata(new QueryMetadata(typeof(LateQuery)));
        pages.MapGet("/pipelines/{id}", Show).RequiresSession(Scopes.Read)
            .ReadsQuery<PipelinePageQuery>().ReadsQuery<PipelineVersionQuery>();
        pages.MapPost("/pipelines/{id}/execute", Execute).RequiresSession(Scopes.Execute).DisableAntiforgery().RequiresForm();
    }

    private static async Task<IResult> List([AsParameters] PipelineQuery query, [AsParameters] DownloadQuery page,
        [AsParameters] LateQuery late, Caller caller, PipelineRepository pipelines, PipelineRuns runs, AttentionReader attention,
        OverviewCache overview, HttpContext context, CancellationToken ct)
    {
        if (late.Late is true)
        {
            if (query != new PipelineQuery() || page.Download is not null)
            {
                return Problems.Invalid("late", "shows all late pipelines: leave out the other parameters.");
            }

            return PageResult.Of<LatePipelinesPage>((nameof(LatePipelinesPage.Late), await overview.Late(caller.Organization, ct)));
        }

        var rows = await pipelines.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct);
        if (page.Download is { } format)
        {
            return Download.Of(format, "pipelines", Lists.Of(query, rows, PipelineItem.From), context, ("id", pipeline => pipeline.Id),
                ("version", pipeline => pipeline.Version), ("owner", pipeline => pipeline.Owner),
                ("environment", pipeline => pipeline.Environment), ("schedule", pipeline => pipeline.Schedule),
                ("tags", pipeline => string.Join(' ', pipeline.Tags)), ("last_run_id", pipeline => pipeline.LatestRun?.Id),
                ("last_run_status", pipeline => pipeline.LatestRun?.Status),
                ("last_run_started_at", pipeline => pipeline.LatestRun?.StartedAt),
                ("last_run_completed_at", pipeline => pipeline.LatestRun?.CompletedAt),
                ("open_failures", pipeline => pipeline.OpenFailures), ("created_at", pipeline => pipeline.CreatedAt));
        }

        // Only the first page without filters shows these pipelines. A filter asks for certain pipelines, and the
        // reader of a later page has already seen the first page.
        var block = query.ToFilter() == new PipelineFilter() && query.Cursor is null
            ? await attention.Read(caller.Organization, ct) : new([], false);
        return PageResult.Of<PipelineListPage>(
            (nameof(PipelineListPage.Query), query), (nameof(PipelineListPage.Attention), block),
            (nameof(PipelineListPage.Pipelines),
                Lists.Of(query, rows, PipelineItem.From, await pipelines.Count(caller.Organization, query.ToFilter(), ct))),
            (nameof(PipelineListPage.Runs), await runs.RecentRuns(
                caller.Organization, [.. rows.Items.Select(pipeline => pipeline.Id).Union(block.Pipelines.Select(pipeline => pipeline.Id))],
                SparklinePlan.Limit, ct)));
    }

    private static async Task<IResult> Show(PathId id, [AsParameters] PipelinePageQuery query, [AsParameters] PipelineVersionQuery list,
        Caller caller, PipelineRepository pipelines, PipelineHistory history, PipelineDurations durations, PipelineOverviewReader overview,
        HttpContext context, CancellationToken ct)
    {
        var organization = caller.Organization;
        if ((await pipelines.List(organization, new() { Id = id.Value }, null, 1, ct)).Items is not [var row])
        {
            return await history.Remains(organization, id.Value, ct) is { } remains
                ? PageResult.Of<DeletedPipelinePage>((nameof(DeletedPipelinePage.Id), id.Value),
                    (nameof(DeletedPipelinePage.Remains), PipelineRemainsItem.From(remains)))
                : Problems.NotFound("pipeline");
        }

        var pipeline = PipelineItem.From(row);
        if (query.Download is not null || query.Tab == "body")
        {
            return await Body(pipeline, query, caller, pipelines, context, ct);
        }

        return query.Tab switch
        {
            "versions" => await Versions(pipeline, query, list, caller, pipelines, history, ct),
            "stages" => await durations.Measure(organization, id.Value, ct) is { } summary
                ? Page(pipeline, (nameof(PipelinePage.Stages), PipelineDurationItem.From(summary))) : Problems.NotFound("pipeline"),
            _ => Page(pipeline, (nameof(PipelinePage.Overview), await overview.Read(organization, pipeline, ct))),
        };
    }

    private static async Task<IResult> Body(PipelineItem pipeline, PipelinePageQuery query, Caller caller, PipelineRepository pipelines,
        HttpContext context, CancellationToken ct)
    {
        if (await pipelines.Find(caller.Organization, pipeline.Id, ct) is not { } current)
        {
            return Problems.NotFound("pipeline");
        }

        if (query.Download is null)
        {
            return Page(pipeline, (nameof(PipelinePage.Body), current));
        }

        context.Response.Headers.ContentDisposition = "attachment; filename=pipeline.json";
        return TypedResults.Text(current.Body, "application/json; charset=utf-8");
    }

    private static async Task<IResult> Versions(PipelineItem pipeline, PipelinePageQuery query, PipelineVersionQuery list, Caller caller,
        PipelineRepository pipelines, PipelineHistory history, CancellationToken ct)
    {
        var versions = await pipelines.Versions(caller.Organization, pipeline.Id, list.After(), list.Limit ?? 20, ct);
        if (await history.Find(caller.Organization, pipeline.Id, query.To ?? pipeline.Version, ct) is not { } to)
        {
            return Problems.NotFound("pipeline version");
        }

        var from = query.From is null
            ? await history.Before(caller.Organization, pipeline.Id, to, ct)
            : await history.Find(caller.Organization, pipeline.Id, query.From, ct);
        return from is null && query.From is not null
            ? Problems.NotFound("pipeline version")
            : Page(pipeline, (nameof(PipelinePage.Versions), Lists.Of(list, versions, PipelineVersionItem.From)),
                (nameof(PipelinePage.Changes), VersionChanges.Between(from, to)));
    }

    private static IResult Page(PipelineItem pipeline, params (string Name, object? Value)[] tab) =>
        PageResult.Of<PipelinePage>([(nameof(PipelinePage.Pipeline), pipeline), .. tab]);

    private static async Task<IResult> Execute(PathId id, Caller caller, PipelineRepository pipelines, ExecutionRepository executions,
        ExecutionStart start, CancellationToken ct)
    {
        var (checks, refusal) = await ExecutionEndpoints.Executable(caller.Organization, id.Value, null, pipelines, executions, ct);
        if (refusal is not null)
        {
            return refusal;
        }

        var (execution, problem) = await start.Queue(caller, new(null, true), new()
        {
            Route = $"/pipelines/{id.Value}/checks/execute",
            Body = default,
            PipelineId = id.Value,
            RunId = null,
            Checks = checks,
        }, ct);
        return problem ?? TypedResults.LocalRedirect(Links.Execution(execution));
    }
}

/// <summary>The query parameter of the list of pipelines that the API's list does not have.</summary>
public sealed record LateQuery
{
    /// <summary>
    /// <c>true</c> shows the late pipelines instead of the list. Other parameters are then not allowed.
    /// </summary>
    public bool? Late { get; init; }
}
