using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Data.Checks;
using Catalog.Data.Lineage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Lineage;

internal static class LineageEndpoints
{
    public const int MaxDepth = 1000;

    public static void MapLineage(this IEndpointRouteBuilder routes)
    {
        var lineage = routes.MapGroup("/lineage").WithTags("Lineage");
        lineage.MapGet("/", GetByQuery).WithName("GetLineageByQuery").Requires(Scopes.Read).ReadsQuery<LineageByDatasetQuery>()
            .Produces<LineageGraphItem>().Refuses(404).WithSummary("Read the graph around a dataset whose id contains slashes");
        lineage.MapGet("/path", GetPath).WithName("GetLineagePath").Requires(Scopes.Read).ReadsQuery<LineagePathQuery>()
            .Produces<LineagePathItem>().Refuses(404).WithSummary("Read the shortest paths downstream from one dataset to another");
        lineage.MapGet("/columns", ColumnLineageEndpoint.Get).WithName("GetColumnLineage").Requires(Scopes.Read)
            .ReadsQuery<ColumnLineageQuery>().Produces<ColumnGraphItem>().Refuses(404)
            .WithSummary("Read the graph around a column of a dataset");
        lineage.MapGet("/{dataset}", Get).WithName("GetLineage").Requires(Scopes.Read).ReadsQuery<LineageQuery>()
            .Produces<LineageGraphItem>().Refuses(404).WithSummary("Read the graph around a dataset");
        lineage.MapGet("/{dataset}/impact", GetImpact).WithName("GetImpact").Requires(Scopes.Read).ReadsQuery<ImpactQuery>()
            .Produces<Impact>().Refuses(404).WithSummary("Read what a change of a dataset affects");

        var datasets = routes.MapGroup("/datasets").WithTags("Lineage");
        datasets.MapGet("/", List).WithName("ListDatasets").Requires(Scopes.Read).ReadsQuery<DatasetQuery>()
            .WithSummary("List datasets, newest first");
        datasets.MapGet("/{id}", GetDataset).WithName("GetDataset").Requires(Scopes.Read).HasETag().Produces<DatasetDetail>().Refuses(404)
            .WithSummary("Read a dataset with its pipelines and latest check results");
    }

    private static Task<IResult> GetByQuery([AsParameters] LineageByDatasetQuery query, Caller caller, LineageRepository lineage,
        CancellationToken ct) =>
        Walk(query.Dataset!, query, caller, lineage, ct);

    private static Task<IResult> Get(PathId dataset, [AsParameters] LineageQuery query, Caller caller, LineageRepository lineage,
        CancellationToken ct) =>
        Walk(dataset.Value, query, caller, lineage, ct);

    private static async Task<IResult> Walk(string id, LineageQuery query, Caller caller, LineageRepository lineage,
        CancellationToken ct) =>
        await lineage.Walk(caller.Organization, id, query.DirectionOrDefault(), query.DepthOrDefault(), query.At?.Value, ct) is { } graph
            ? new RawJsonResult(ETags.Serialize(LineageGraphItem.From(graph)))
            : Problems.NotFound("dataset");

    private static async Task<IResult> GetPath(
        [AsParameters] LineagePathQuery query, Caller caller, LineagePaths paths, LineageRepository lineage, CancellationToken ct) =>
        await paths.Find(caller.Organization, query.From!, query.To!, query.Depth ?? MaxDepth, query.At?.Value, ct) is { } path
            ? new RawJsonResult(ETags.Serialize(LineagePathItem.From(path)))
            : Problems.DatasetUnknown(await lineage.Find(caller.Organization, query.From!, ct) is null ? "from" : "to");

    private static async Task<IResult> GetImpact(
        PathId dataset, [AsParameters] ImpactQuery query, Caller caller, LineageRepository lineage, DatasetRepository datasets,
        CheckResultRepository results, CancellationToken ct)
    {
        if (await lineage.Walk(caller.Organization, dataset.Value, LineageDirection.Downstream, query.Depth ?? MaxDepth, null, ct) is not
            {
            } graph)
        {
            return Problems.NotFound("dataset");
        }

        return TypedResults.Ok(await Affected(caller.Organization, graph, null, datasets, results, ct));
    }

    /// <summary>What a downstream graph contains, with owners and open failures.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="graph">The graph; datasets with the depth 0 are left out.</param>
    /// <param name="except">A pipeline that is left out; null for none.</param>
    /// <param name="datasets">Reads the owners.</param>
    /// <param name="results">Reads the open failures.</param>
    /// <param name="ct">Cancels the operation.</param>
    internal static async Task<Impact> Affected(string organization, LineageGraph graph, string? except, DatasetRepository datasets,
        CheckResultRepository results, CancellationToken ct)
    {
        string[] ids = [.. graph.Edges.Select(edge => edge.PipelineId).Distinct(StringComparer.Ordinal).Where(id => id != except)];
        var pipelines = await datasets.Owners(organization, ids, ct);
        var failures = (await results.OpenFailures(organization, [.. pipelines.Select(pipeline => pipeline.Id)], ct))
            .ToLookup(failure => failure.PipelineId);
        return new Impact
        {
            Datasets = [.. graph.Nodes.Where(node => node.Depth > 0).Select(node => LineageNode.From(node.Dataset, node.Depth))],
            Pipelines = [.. pipelines.Select(pipeline => new ImpactedPipeline
            {
                Id = pipeline.Id, Owner = pipeline.Owner, OpenFailures = [.. failures[pipeline.Id].Select(OpenFailureItem.From)],
            })],
            Owners = Owners(pipelines, []),
            Truncated = graph.Truncated || ids.Length > DatasetRepository.MaxPipelines,
        };
    }

    private static async Task<Ok<ItemList<DatasetItem>>> List([AsParameters] DatasetQuery query, Caller caller, DatasetRepository datasets,
        CancellationToken ct) =>
        TypedResults.Ok(
            Lists.Of(query, await datasets.List(caller.Organization, query.Namespace, query.After(), query.Take(), ct), DatasetItem.From,
                await query.Counted(() => datasets.Count(caller.Organization, query.Namespace, ct))));

    private static async Task<IResult> GetDataset(
        PathId id, Caller caller, LineageRepository lineage, DatasetRepository datasets, DatasetFactRepository facts,
        CheckResultRepository results, CancellationToken ct) =>
        await lineage.Find(caller.Organization, id.Value, ct) is { } dataset
            ? TypedResults.Ok(await Detail(caller.Organization, dataset, datasets, facts, results, ct))
            : Problems.NotFound("dataset");

    /// <summary>A dataset with its pipelines and latest results.</summary>
    internal static async Task<DatasetDetail> Detail(
        string organization, Dataset dataset, DatasetRepository datasets, DatasetFactRepository facts, CheckResultRepository results,
        CancellationToken ct)
    {
        var reported = await facts.Of(organization, dataset.Id, ct);
        var (producers, consumers) = await datasets.Pipelines(organization, dataset.Id, ct);
        var last = await results.List(organization, new() { Dataset = dataset.DisplayId }, null, limit: 20, ct);
        return new DatasetDetail
        {
            Id = dataset.DisplayId,
            Namespace = dataset.Namespace,
            Name = dataset.Name,
            CreatedAt = dataset.CreatedAt,
            Schema = FacetJson.Array(reported.Schemas.Count > 0 ? reported.Schemas[0] : null, "fields"),
            SchemaHistory = [.. reported.Schemas.Select(SchemaVersion.From)],
            Description = FacetJson.Text(reported.Documentation, "description"),
            Aliases = reported.Aliases,
            QualityMetrics = [.. reported.Metrics.Select(QualityMetrics.From)],
            LastWrites = [.. reported.Writes.Select(DatasetWriteItem.From)],
            Owners = Owners(producers, FacetJson.Owners(reported.Ownership)),
            Tags = await datasets.Tags(organization, [.. producers.Select(pipeline => pipeline.Id)], ct),
            ProducedBy = [.. producers.Select(pipeline => pipeline.Id)],
            ConsumedBy = [.. consumers.Select(pipeline => pipeline.Id)],
            LastResults = [.. last.Items.Select(CheckResultItem.From)],
        };
    }

    private static List<string> Owners(IEnumerable<LineagePipeline> pipelines, IEnumerable<string> others) =>
    [
        .. pipelines.Select(pipeline => pipeline.Owner).OfType<string>().Concat(others).Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];
}
