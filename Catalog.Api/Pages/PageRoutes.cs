using Catalog.Api.Http;
using Catalog.Api.Pages.Checks;
using Catalog.Api.Pages.Connections;
using Catalog.Api.Pages.Datasets;
using Catalog.Api.Pages.Executions;
using Catalog.Api.Pages.Lineage;
using Catalog.Api.Pages.Organizations;
using Catalog.Api.Pages.Overview;
using Catalog.Api.Pages.Pipelines;
using Catalog.Api.Pages.Runs;
using Catalog.Api.Pages.Search;
using Catalog.Api.Pages.SignIn;

namespace Catalog.Api.Pages;

/// <summary>The routes of all pages.</summary>
internal static class PageRoutes
{
    public static void MapPages(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", () => TypedResults.LocalRedirect(Links.Overview)).WithMetadata(new AcceptsAnyQuery()).ExcludeFromDescription();
        PageAssets.Map(routes);

        var pages = routes.MapGroup("/ui").ExcludeFromDescription();
        pages.MapSignInPages();
        pages.MapOverviewPage();
        pages.MapRunPages();
        pages.MapPipelinePages();
        pages.MapDatasetPages();
        pages.MapLineagePages();
        pages.MapSearchPages();
        pages.MapCheckPages();
        pages.MapExecutionPages();
        pages.MapConnectionPages();
        pages.MapKeyPages();
        pages.MapOrganizationPages();
    }
}
