using Catalog.Api.Http;
using Catalog.Data.Checks;
using Catalog.Data.Lineage;
using Catalog.Data.Runs;

namespace Catalog.Api.Lineage;

internal static class RunImpactEndpoints
{
    public static void MapRunImpact(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/runs/{id}/impact", Get).WithName("GetRunImpact").WithTags("Lineage").Requires(Scopes.Read)
            .Produces<RunImpact>().Refuses(404)
            .WithSummary("Read what depends on the datasets that the pipeline of a run writes, with owners and open failures");

    private static async Task<IResult> Get(PathId id, Caller caller, RunRepository runs, LineageRepository lineage,
        DatasetRepository datasets, CheckResultRepository results, CancellationToken ct)
    {
        if (await runs.Find(caller.Organization, id.Value, ct) is not { Run: var run })
        {
            return Problems.NotFound("run");
        }

        var outputs = await datasets.Outputs(caller.Organization, run.PipelineId, ct);
        var starts = outputs.Take(DatasetRepository.MaxOutputs).ToList();
        var graph = await lineage.Downstream(caller.Organization, starts, LineageEndpoints.MaxDepth, ct);
        var impact = await LineageEndpoints.Affected(caller.Organization, graph, run.PipelineId, datasets, results, ct);
        return TypedResults.Ok(new RunImpact
        {
            RunId = run.Id,
            PipelineId = run.PipelineId,
            Status = run.Status,
            Outputs = [.. graph.Nodes.Where(node => node.Depth == 0).Select(node => node.Dataset.DisplayId)],
            Datasets = impact.Datasets,
            Pipelines = impact.Pipelines,
            Owners = impact.Owners,
            Truncated = impact.Truncated || outputs.Count > starts.Count,
        });
    }
}

/// <summary>What depends on the datasets that the pipeline of a run writes.</summary>
public sealed record RunImpact
{
    public required string RunId { get; init; }
    public required string PipelineId { get; init; }

    /// <summary>The status of the run.</summary>
    public required string Status { get; init; }

    /// <summary>
    /// The datasets that the pipeline writes according to its current lineage, sorted; at most 1,000.
    /// </summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>
    /// The datasets downstream of the outputs, nearest first. <c>depth</c> counts from the nearest output.
    /// </summary>
    public required IReadOnlyList<LineageNode> Datasets { get; init; }

    /// <summary>The other pipelines that write these datasets.</summary>
    public required IReadOnlyList<ImpactedPipeline> Pipelines { get; init; }

    /// <summary>The distinct owners of these pipelines, sorted.</summary>
    public required IReadOnlyList<string> Owners { get; init; }

    /// <summary>Whether a part is left out, because the graph is larger than the limit of one answer.</summary>
    public required bool Truncated { get; init; }
}
