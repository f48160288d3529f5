using Catalog.Api.Http;
using Catalog.Api.Search;
using Catalog.Api.SignIn;
using Catalog.Data.Search;
using FluentValidation;

namespace Catalog.Api.Pages.Search;

/// <summary>The query parameters of the search page. Without a text, the page explains how to search.</summary>
public sealed record SearchPageQuery
{
    public string? Q { get; init; }
}

internal sealed class SearchPageQueryValidator : AbstractValidator<SearchPageQuery>
{
    public SearchPageQueryValidator() => RuleFor(query => query.Q).Text(200);
}

/// <summary>The search over pipelines, datasets, checks and owners.</summary>
internal static class SearchPages
{
    public static void MapSearchPages(this IEndpointRouteBuilder pages) =>
        pages.MapGet("/search", Show).RequiresSession(Scopes.Read).ReadsQuery<SearchPageQuery>();

    private static async Task<IResult> Show([AsParameters] SearchPageQuery query, Caller caller, SearchRepository search,
        CancellationToken ct) =>
        PageResult.Of<SearchPage>(
            (nameof(SearchPage.Text), query.Q),
            (nameof(SearchPage.Hits), query.Q is { } text ? await SearchEndpoints.Hits(caller.Organization, text, search, ct) : null));
}
