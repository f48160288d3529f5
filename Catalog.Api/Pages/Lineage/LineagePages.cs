using Catalog.Api.Http;
using Catalog.Api.Lineage;
using Catalog.Api.SignIn;
using Catalog.Data.Checks;
using Catalog.Data.Lineage;

namespace Catalog.Api.Pages.Lineage;

/// <summary>The lineage around a dataset: the drawing, tables of the same graph, and the impact of a change.</summary>
internal static class LineagePages
{
    // The section on impact reads up to this number of datasets and edges. It lists the nearest ones and counts all.
    private static readonly LineageBudget ImpactBudget = new(1000, 5000);

    public static void MapLineagePages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/lineage", Show).RequiresSession(Scopes.Read).ReadsQuery<LineagePageQuery>();
        pages.MapGet("/lineage/columns", ShowColumns).RequiresSession(Scopes.Read).ReadsQuery<ColumnPageQuery>();
    }

    private static async Task<IResult> ShowColumns([AsParameters] ColumnPageQuery query, Caller caller, ColumnLineageRepository columns,
        CancellationToken ct) =>
        await columns.Walk(caller.Organization, query.Dataset!, query.Column ?? "", LineageDirection.Both, query.Hops, ct) is { } graph
            ? PageResult.Of<ColumnLineagePage>(
                (nameof(ColumnLineagePage.Query), query), (nameof(ColumnLineagePage.Graph), ColumnGraphItem.From(graph)))
            : Problems.NotFound("dataset");

    private static async Task<IResult> Show([AsParameters] LineagePageQuery query, Caller caller, GraphReader graphs,
        LineageRepository lineage, DatasetRepository datasets, CheckResultRepository results, HttpContext context, CancellationToken ct)
    {
        var organization = caller.Organization;
        if (query.Dataset is not { } dataset)
        {
            return PageResult.Of<LineageStartPage>((nameof(LineageStartPage.Datasets),
                (await datasets.List(organization, null, null, 20, ct)).Items.Select(DatasetItem.From).ToList()));
        }

        var path = query.To is { } to ? await graphs.Path(organization, dataset, to, query.At?.Value, ct) : null;
        if (query.To is not null && path is null)
        {
            return Problems.DatasetUnknown(await lineage.Find(organization, dataset, ct) is null ? "dataset" : "to");
        }

        // If no path was found or asked for, the page shows the graph around the dataset.
        if ((path?.Graph ?? await graphs.Around(organization, dataset, query.DirectionOrDefault(), query.Hops, query.At?.Value,
            query.NodesOrDefault, ct)) is not { } graph)
        {
            return Problems.NotFound("dataset");
        }

        if (query.Download is { } format)
        {
            return format == "svg" ? await LineageDownload.Svg(graph, dataset, context) : LineageDownload.Edges(format, graph, context);
        }

        var downstream = await lineage.Within(ImpactBudget).Walk(
            organization, dataset, LineageDirection.Downstream, LineageEndpoints.MaxDepth, null, ct);
        return PageResult.Of<LineagePage>(
            (nameof(LineagePage.Query), query),
            (nameof(LineagePage.Graph), graph),
            (nameof(LineagePage.Path), path),
            (nameof(LineagePage.Impact), downstream is null
                ? null : await LineageEndpoints.Affected(organization, downstream, null, datasets, results, ct)));
    }
}
