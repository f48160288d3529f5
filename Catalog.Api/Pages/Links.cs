using Microsoft.AspNetCore.WebUtilities;

namespace Catalog.Api.Pages;

/// <summary>The addresses of the pages.</summary>
internal static class Links
{
    /// <summary>The key in the items of a request under which the query is stored as it was written.</summary>
    public const string QueryKey = "catalog-query";

    public const string Overview = "/ui";
    public const string Pipelines = "/ui/pipelines";
    public const string LatePipelines = "/ui/pipelines?late=true";
    public const string Runs = "/ui/runs";
    public const string Checks = "/ui/checks";
    public const string Datasets = "/ui/datasets";
    public const string Graph = "/ui/lineage";
    public const string Search = "/ui/search";
    public const string Executions = "/ui/executions";
    public const string Connections = "/ui/connections";
    public const string Keys = "/ui/keys";
    public const string Usage = "/ui/usage";
    public const string Audit = "/ui/audit";
    public const string Retention = "/ui/retention";
    public const string UnreadFacets = "/ui/unread-facets";

    public static string Pipeline(string id) => $"{Pipelines}/{Escape(id)}";

    public static string Run(string id) => $"{Runs}/{Escape(id)}";

    /// <summary>The page of a check.</summary>
    /// <param name="pipelineId">The pipeline; empty for a standalone check.</param>
    /// <param name="id">The check.</param>
    public static string Check(string pipelineId, string id) => pipelineId == ""
        ? $"{Checks}/{Escape(id)}?standalone=true" : $"{Checks}/{Escape(id)}?pipeline_id={Escape(pipelineId)}";

    public static string Dataset(string id) => $"{Datasets}/{Escape(id)}";

    public static string Lineage(string id) => $"{Graph}?dataset={Escape(id)}";

    /// <summary>The page about the lineage of columns.</summary>
    /// <param name="dataset">The dataset's id.</param>
    /// <param name="column">The column; null for all columns.</param>
    public static string Columns(string dataset, string? column) => With($"{Graph}/columns", ("dataset", dataset), ("column", column));

    public static string Execution(string id) => $"{Executions}/{Escape(id)}";

    public static string Connection(string id) => $"{Connections}/{Escape(id)}";

    /// <summary>The address of this service that the reader's browser uses, without a slash at its end.</summary>
    public static string Service(HttpRequest request) => $"{request.Scheme}://{request.Host}{request.PathBase}";

    /// <summary>A path with query parameters. A parameter with a null value is left out.</summary>
    public static string With(string path, params (string Name, string? Value)[] query) => QueryHelpers.AddQueryString(
        path, query.Where(parameter => parameter.Value is not null)
            .Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value)));

    /// <summary>
    /// The address of the current page with some parameters changed. A null value removes a parameter. The address
    /// leads to the first page of a list, unless the changes contain a cursor.
    /// </summary>
    public static string Change(HttpRequest request, params (string Name, string? Value)[] changes)
    {
        var query = Written(request.HttpContext)
            .Where(parameter => parameter.Key != "cursor" && !Array.Exists(changes, change => change.Name == parameter.Key))
            .Select(parameter => (parameter.Key, (string?)parameter.Value.ToString()));
        return With($"{request.PathBase}{request.Path.ToUriComponent()}", [.. query, .. changes]);
    }

    /// <summary>The address of the current page.</summary>
    public static string Here(HttpRequest request) => !HttpMethods.IsGet(request.Method) ? CameFrom(request) :
        Change(request, ("cursor", Written(request.HttpContext)["cursor"] is [{ } cursor] ? cursor : null));

    // The address to which a form was sent is not the address of a page. This returns the address of the page with the
    // form.
    private static string CameFrom(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Referer, UriKind.Absolute, out var page) && page.Authority == request.Host.Value
            ? page.PathAndQuery : Overview;

    /// <summary>The query of the current page as it was written.</summary>
    public static IQueryCollection Written(HttpContext context) => context.Items[QueryKey] as IQueryCollection ?? context.Request.Query;

    private static string Escape(string text) => Uri.EscapeDataString(text);
}
