using Catalog.Api.Http;
using Catalog.Data.Search;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Search;

internal static class SearchEndpoints
{
    public static void MapSearch(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/search", Find).WithName("Search").WithTags("Search").Requires(Scopes.Read).ReadsQuery<SearchQuery>()
            .WithSummary("Find pipelines, datasets, checks and owners by a part of their names");

    private static async Task<Ok<SearchHits>> Find([AsParameters] SearchQuery query, Caller caller, SearchRepository search,
        CancellationToken ct) => TypedResults.Ok(await Hits(caller.Organization, query.Q!, search, ct));

    /// <summary>Searches for a text.</summary>
    internal static async Task<SearchHits> Hits(string organization, string text, SearchRepository search, CancellationToken ct) => new()
    {
        Pipelines = [.. (await search.Pipelines(organization, text, ct)).Select(hit => new FoundPipeline
        {
            Id = hit.Id, Description = hit.Description, Owner = hit.Owner,
        })],
        Datasets = await search.Datasets(organization, text, ct),
        Checks = [.. (await search.Checks(organization, text, ct)).Select(hit => new FoundCheck
        {
            Id = hit.Id, PipelineId = hit.PipelineId,
        })],
        Owners = await search.Owners(organization, text, ct),
    };
}
