using Catalog.Api.Http;
using Catalog.Data.Checks;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Checks;

/// <summary>
/// Lists the latest result of each check, the checks whose status changes often, and the results of a run.
/// </summary>
internal static class CheckStateEndpoints
{
    public static void MapCheckStates(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/checks/states", List).WithName("ListCheckStates").WithTags("Checks").Requires(Scopes.Read)
            .ReadsQuery<CheckStateQuery>()
            .WithSummary("List the latest result of each check, failures first, then by pipeline and check");
        routes.MapOtherMethods("/checks/states", HttpMethods.Get);
        routes.MapGet("/checks/flapping", Flapping).WithName("ListFlappingChecks").WithTags("Checks").Requires(Scopes.Read)
            .ReadsQuery<FlappingQuery>()
            .WithSummary("List checks whose status changes often, by pipeline and check; 1,000 checks are examined for each page, "
                + "so a page may be empty and have a next_cursor");
        routes.MapOtherMethods("/checks/flapping", HttpMethods.Get);
        routes.MapGet("/runs/{id}/results", OfRun).WithName("ListRunResults").WithTags("Runs").Requires(Scopes.Read)
            .ReadsQuery<RunResultQuery>().Produces<ItemList<CheckResultItem>>().Refuses(404)
            .WithSummary("List the check results of a run: fail, error, warn, pass; latest execution first");
    }

    private static async Task<Ok<ItemList<CheckStateItem>>> List([AsParameters] CheckStateQuery query, Caller caller,
        CheckStateRepository states, CancellationToken ct) =>
        TypedResults.Ok(Lists.Of(
            query, await states.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct), CheckStateItem.From,
            await query.Counted(() => states.Count(caller.Organization, query.ToFilter(), ct))));

    private static async Task<Ok<ItemList<FlappingItem>>> Flapping([AsParameters] FlappingQuery query, Caller caller,
        CheckStatusChanges changes, CancellationToken ct) =>
        TypedResults.Ok(Lists.Of(
            query, await changes.Flapping(caller.Organization, query.PipelineId, query.Window ?? 20, query.MinChanges ?? 3, query.After(),
                query.Take(), ct), FlappingItem.From));

    private static async Task<IResult> OfRun(PathId id, [AsParameters] RunResultQuery query, Caller caller, CheckResultRepository results,
        CancellationToken ct) =>
        await results.OfRun(caller.Organization, id.Value, query.After(), query.Take(), ct) is { } page
            ? new CheckResultPage(page, page.Next?.ToText(query.List))
            : Problems.NotFound("run");
}
