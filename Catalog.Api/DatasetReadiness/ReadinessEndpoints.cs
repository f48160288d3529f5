using Catalog.Api.Http;

namespace Catalog.Api.DatasetReadiness;

internal static class ReadinessEndpoints
{
    public const int MaxDepth = 20;

    public static void MapReadiness(this IEndpointRouteBuilder routes) => routes.MapGet("/datasets/{id}/readiness", Get)
        .WithName("GetReadiness").WithTags("Lineage").Requires(Scopes.Read).ReadsQuery<ReadinessQuery>().HasETag()
        .WithMetadata(new AcceptsWaitMetadata()).Produces<ReadinessItem>().Refuses(404)
        .WithSummary("Read whether a dataset may be read now, and why");

    private static async Task<IResult> Get(PathId id, [AsParameters] ReadinessQuery query, PreferWait wait, Caller caller,
        ReadinessWait readiness, CancellationToken ct) =>
        await readiness.Wait(caller.Organization, id.Value, query.Depth ?? 0, query.AsOf?.Value, wait, ct) is { } found
            ? TypedResults.Ok(ReadinessItem.From(found))
            : Problems.NotFound("dataset");
}
