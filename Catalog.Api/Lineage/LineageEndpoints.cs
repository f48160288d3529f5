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

        string[] ids = [.. graph.Edges.Select(edge => edge.PipelineId).Distinct(StringComparer.Ordinal)];
        var pipelines = await datasets.Owners(caller.Organization, ids, ct);
        var failures = (await results.OpenFailures(caller.Organization, [.. pipelines.Select(pipeline => pipeline.Id)], ct))
            .ToLookup(failure => failure.PipelineId);
        return TypedResults.Ok(new Impact
        {
            Datasets = [.. graph.Nodes.Where(node => node.Depth > 0).Select(node => LineageNode.From(node.Dataset, node.Depth))],
            Pipelines = [.. pipelines.Select(pipeline => new ImpactedPipeline
            {
                Id = pipeline.Id, Owner = pipeline.Owner, OpenFailures = [.. failures[pipeline.Id].Select(OpenFailureItem.From)],
            })],
            Owners = Owners(pipelines),
            Truncated = graph.Truncated || ids.Length > DatasetRepository.MaxPipelines,
        });
    }

    private static async Task<Ok<ItemList<DatasetItem>>> List([AsParameters] DatasetQuery query, Caller caller, DatasetRepository datasets,
        CancellationToken ct) =>
        TypedResults.Ok(
            Lists.Of(query, await datasets.List(caller.Organization, query.Namespace, query.After(), query.Take(), ct), DatasetItem.From));

    private static async Task<IResult> GetDataset(
        PathId id, Caller caller, LineageRepository lineage, DatasetRepository datasets, CheckResultRepository results,
        CancellationToken ct)
    {
        if (await lineage.Find(caller.Organization, id.Value, ct) is not { } dataset)
        {
            return Problems.NotFound("dataset");
        }

        var (producers, consumers) = await datasets.Pipelines(caller.Organization, dataset.Id, ct);
        var last = await results.List(caller.Organization, new() { Dataset = dataset.DisplayId }, null, limit: 20, ct);
        return TypedResults.Ok(new DatasetDetail
        {
            Id = dataset.DisplayId,
            Namespace = dataset.Namespace,
            Name = dataset.Name,
            CreatedAt = dataset.CreatedAt,
            Owners = Owners(producers),
            Tags = await datasets.Tags(caller.Organization, [.. producers.Select(pipeline => pipeline.Id)], ct),
            ProducedBy = [.. producers.Select(pipeline => pipeline.Id)],
            ConsumedBy = [.. consumers.Select(pipeline => pipeline.Id)],
            LastResults = [.. last.Items.Select(CheckResultItem.From)],
        });
    }

    private static List<string> Owners(IEnumerable<LineagePipeline> pipelines) =>
        [.. pipelines.Select(pipeline => pipeline.Owner).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
