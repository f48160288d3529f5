namespace Catalog.Api.Marquez;

/// <summary>
/// Separates the two paths that the Catalog's API and Marquez's API have in common. A request with a parameter that
/// only Marquez's API has goes to the route for Marquez.
/// </summary>
internal static class MarquezPaths
{
    /// <summary>The route of the graph around a node, below <c>/api/v1</c>.</summary>
    public const string Lineage = "/marquez/lineage";

    /// <summary>The route of the search, below <c>/api/v1</c>.</summary>
    public const string Search = "/marquez/search";

    private static readonly string[] SearchParameters = ["sort", "filter", "namespace", "before", "after"];

    /// <summary>Middleware that runs before routing and chooses the route.</summary>
    public static Task Choose(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            request.Path = request.Path.Value switch
            {
                "/api/v1/lineage" or "/api/v1/lineage/" when request.Query.ContainsKey("nodeId") => $"/api/v1{Lineage}",
                "/api/v1/search" or "/api/v1/search/" when Array.Exists(SearchParameters, request.Query.ContainsKey) => $"/api/v1{Search}",
                _ => request.Path,
            };
        }

        return next(context);
    }
}
