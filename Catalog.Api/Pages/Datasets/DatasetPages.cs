using Catalog.Api.Http;
using Catalog.Api.Lineage;
using Catalog.Api.Pages.Lineage;
using Catalog.Api.SignIn;
using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.DatasetReadiness;
using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;

namespace Catalog.Api.Pages.Datasets;

/// <summary>The list of datasets, and the page of one dataset.</summary>
internal static class DatasetPages
{
    // The maximum number of pipelines of a dataset whose last runs are shown.
    private const int MaxPipelines = 200;

    public static void MapDatasetPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/datasets", List).RequiresSession(Scopes.Read).ReadsPage<DatasetQuery>();
        pages.MapGet("/datasets/{id}", Show).RequiresSession(Scopes.Read);
    }

    private static async Task<IResult> List([AsParameters] DatasetQuery query, [AsParameters] DownloadQuery page, Caller caller,
        DatasetRepository datasets, GraphReader graphs, HttpContext context, CancellationToken ct)
    {
        var rows = await datasets.List(caller.Organization, query.Namespace, query.After(), query.Take(), ct);
        if (page.Download is { } format)
        {
            return Download.Of(format, "datasets", Lists.Of(query, rows, DatasetItem.From), context, ("id", dataset => dataset.Id),
                ("namespace", dataset => dataset.Namespace), ("name", dataset => dataset.Name),
                ("created_at", dataset => dataset.CreatedAt));
        }

        return PageResult.Of<DatasetListPage>(
            (nameof(DatasetListPage.Query), query),
            (nameof(DatasetListPage.Datasets),
                Lists.Of(query, rows, DatasetItem.From, await datasets.Count(caller.Organization, query.Namespace, ct))),
            (nameof(DatasetListPage.Nodes), (await graphs.Of(caller.Organization, rows.Items, ct)).Nodes.ToDictionary(
                node => node.Id, StringComparer.Ordinal)));
    }

    private static async Task<IResult> Show(PathId id, Caller caller, LineageRepository lineage, DatasetRepository datasets,
        DatasetFactRepository facts, CheckResultRepository results, PipelineRuns runs, GraphReader graphs, ReadinessRepository readiness,
        TimeProvider time, CancellationToken ct)
    {
        if (await lineage.Find(caller.Organization, id.Value, ct) is not { } dataset
            || await graphs.Around(caller.Organization, dataset.DisplayId, LineageDirection.Both, 1, null, nodes: 40, ct) is not { } graph)
        {
            // If only check results name the dataset, it has no lineage. Then the list of these results is shown.
            return (await results.List(caller.Organization, new() { Dataset = id.Value }, null, 1, ct)).Items.Count > 0
                ? TypedResults.LocalRedirect(Links.With("/ui/checks/results", ("dataset", id.Value)))
                : Problems.NotFound("dataset");
        }

        var detail = await LineageEndpoints.Detail(caller.Organization, dataset, datasets, facts, results, ct);
        string[] shown = [.. detail.ProducedBy.Concat(detail.ConsumedBy).Distinct(StringComparer.Ordinal).Take(MaxPipelines)];
        var failures = await results.OpenFailures(caller.Organization, shown, ct);
        return PageResult.Of<DatasetPage>(
            (nameof(DatasetPage.Dataset), detail),
            (nameof(DatasetPage.Graph), graph),
            (nameof(DatasetPage.Readiness), await readiness.Find(caller.Organization, dataset.DisplayId, 1, null, time.Now(), ct)),
            (nameof(DatasetPage.Runs), await runs.RecentRuns(caller.Organization, shown, Drawing.SparklinePlan.Limit, ct)),
            (nameof(DatasetPage.Failures), failures.CountBy(failure => failure.PipelineId).ToDictionary(StringComparer.Ordinal)));
    }
}
