using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Pipelines;

namespace Catalog.Api.Pipelines;

/// <summary>
/// Routes that answer questions about pipelines: which are late, how long they take, what changed, and what remains of
/// them.
/// </summary>
internal static class PipelineAnswerEndpoints
{
    public static void MapPipelineAnswers(this IEndpointRouteBuilder routes)
    {
        var pipelines = routes.MapGroup("/pipelines").WithTags("Pipelines");

        pipelines.MapGet("/overdue", Overdue).WithName("ListOverduePipelines").Requires(Scopes.Read).ReadsQuery<OverdueQuery>()
            .Produces<OverdueItems>()
            .WithSummary("List pipelines that did not start within 5 minutes of a time of their schedule, the most overdue first");
        pipelines.MapOtherMethods("/overdue", HttpMethods.Get);
        pipelines.MapGet("/{id}/durations", Durations).WithName("GetPipelineDurations").Requires(Scopes.Read)
            .Produces<PipelineDurationItem>().Refuses(404)
            .WithSummary("Read the durations of the last runs of a pipeline and of their stages, and compare the latest run with them");
        pipelines.MapGet("/{id}/versions/{version}", Version).WithName("GetPipelineVersion").Requires(Scopes.Read).HasETag()
            .Produces<PipelineVersionItem>().Refuses(404).WithSummary("Read one version of a pipeline, deleted or not");
        pipelines.MapGet("/{id}/versions/{version}/changes", Changes).WithName("GetPipelineVersionChanges").Requires(Scopes.Read)
            .ReadsQuery<VersionChangesQuery>().Produces<VersionChanges>().Refuses(404)
            .WithSummary("Compare a version of a pipeline with the one before, or with another");
        pipelines.MapGet("/{id}/remains", Remains).WithName("GetPipelineRemains").Requires(Scopes.Read)
            .Produces<PipelineRemainsItem>().Refuses(404).WithSummary("Count what is stored of a pipeline, deleted or not");
    }

    private static async Task<IResult> Overdue([AsParameters] OverdueQuery query, Caller caller, OverduePipelines overdue,
        TimeProvider time, CancellationToken ct)
    {
        var found = await overdue.Find(caller.Organization, time.Now(), ct);
        return TypedResults.Ok(new OverdueItems
        {
            Items = [.. found.Pipelines.Take(query.Limit ?? 50).Select(OverdueItem.From)],
            Count = found.Pipelines.Count,
            Truncated = found.Truncated,
        });
    }

    private static async Task<IResult> Durations(PathId id, Caller caller, PipelineDurations durations, CancellationToken ct) =>
        await durations.Measure(caller.Organization, id.Value, ct) is { } summary
            ? TypedResults.Ok(PipelineDurationItem.From(summary)) : Problems.NotFound("pipeline");

    private static async Task<IResult> Version(PathId id, PathId version, Caller caller, PipelineHistory history, CancellationToken ct) =>
        await history.Find(caller.Organization, id.Value, version.Value, ct) is { } found
            ? TypedResults.Ok(PipelineVersionItem.From(found)) : Problems.NotFound("pipeline version");

    private static async Task<IResult> Changes(PathId id, PathId version, [AsParameters] VersionChangesQuery query, Caller caller,
        PipelineHistory history, CancellationToken ct)
    {
        if (await history.Find(caller.Organization, id.Value, version.Value, ct) is not { } to)
        {
            return Problems.NotFound("pipeline version");
        }

        var from = query.From is null
            ? await history.Before(caller.Organization, id.Value, to, ct)
            : await history.Find(caller.Organization, id.Value, query.From, ct);
        return from is null && query.From is not null
            ? Problems.NotFound("pipeline version") : TypedResults.Ok(VersionChanges.Between(from, to));
    }

    private static async Task<IResult> Remains(PathId id, Caller caller, PipelineHistory history, CancellationToken ct) =>
        await history.Remains(caller.Organization, id.Value, ct) is { } remains
            ? TypedResults.Ok(PipelineRemainsItem.From(remains)) : Problems.NotFound("pipeline");
}
