using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Data.Checks;
using Catalog.Data.Lineage;

namespace Catalog.Api.Lineage;

/// <summary>How far to look.</summary>
public record LineageQuery
{
    /// <summary>upstream, downstream or both (the default).</summary>
    public string? Direction { get; init; }

    /// <summary>How many hops from dataset to dataset, 0 to 1,000; 5 unless given.</summary>
    public int? Depth { get; init; }

    /// <summary>The graph as of this time; left out, as it is now.</summary>
    public Instant? At { get; init; }

    internal LineageDirection Way() => Direction switch
    {
        "upstream" => LineageDirection.Upstream,
        "downstream" => LineageDirection.Downstream,
        _ => LineageDirection.Both,
    };

    internal int Hops() => Depth ?? 5;
}

/// <summary>What to look at, for ids that hold slashes, and how far.</summary>
public sealed record LineageOfQuery : LineageQuery
{
    /// <summary>The dataset's id.</summary>
    public string? Dataset { get; init; }
}

/// <summary>How far to look for what breaks.</summary>
public sealed record ImpactQuery
{
    /// <summary>How many hops downstream, 0 to 1,000; without a limit of its own unless given.</summary>
    public int? Depth { get; init; }
}

/// <summary>The part of the lineage graph around a dataset.</summary>
public sealed record LineageGraphItem
{
    /// <summary>Nearest first, the dataset asked for at depth 0.</summary>
    public required IReadOnlyList<LineageNode> Nodes { get; init; }

    /// <summary>From upstream to downstream.</summary>
    public required IReadOnlyList<LineageEdgeItem> Edges { get; init; }

    /// <summary>Whether there is more than one answer may hold.</summary>
    public required bool Truncated { get; init; }

    /// <summary>When truncated: the datasets to go on from.</summary>
    public required IReadOnlyList<string> Frontier { get; init; }

    internal static LineageGraphItem From(LineageGraph graph)
    {
        var names = graph.Nodes.ToDictionary(node => node.Dataset.Id, node => node.Dataset.ShownId);
        return new()
        {
            Nodes = [.. graph.Nodes.Select(node => LineageNode.From(node.Dataset, node.Depth))],
            Edges = [.. graph.Edges.Select(edge => new LineageEdgeItem
            {
                From = names[edge.Upstream], To = names[edge.Downstream], PipelineId = edge.PipelineId, ValidFrom = edge.ValidFrom, ValidTo = edge.ValidTo,
            })],
            Truncated = graph.Truncated,
            Frontier = [.. graph.Frontier.Select(dataset => dataset.ShownId)],
        };
    }
}

/// <summary>A dataset in the graph.</summary>
public sealed record LineageNode
{
    public required string Id { get; init; }

    /// <summary>Empty for datasets that pipelines name without one.</summary>
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>The least number of hops from the dataset asked for.</summary>
    public required int Depth { get; init; }

    internal static LineageNode From(Dataset dataset, int depth) =>
        new() { Id = dataset.ShownId, Namespace = dataset.Namespace, Name = dataset.Name, Depth = depth };
}

/// <summary>An edge in the graph.</summary>
public sealed record LineageEdgeItem
{
    /// <summary>The upstream dataset.</summary>
    public required string From { get; init; }

    /// <summary>The downstream dataset.</summary>
    public required string To { get; init; }

    /// <summary>The pipeline that says so.</summary>
    public required string PipelineId { get; init; }

    public required DateTimeOffset ValidFrom { get; init; }

    /// <summary>Null while it holds.</summary>
    public DateTimeOffset? ValidTo { get; init; }
}

/// <summary>What breaks if a dataset changes.</summary>
public sealed record Impact
{
    /// <summary>The datasets made from it, nearest first.</summary>
    public required IReadOnlyList<LineageNode> Datasets { get; init; }

    /// <summary>The pipelines that make them.</summary>
    public required IReadOnlyList<ImpactedPipeline> Pipelines { get; init; }

    /// <summary>Whom to tell, each once.</summary>
    public required IReadOnlyList<string> Owners { get; init; }

    /// <summary>Whether there is more than one answer may hold.</summary>
    public required bool Truncated { get; init; }
}

/// <summary>A pipeline that a change reaches.</summary>
public sealed record ImpactedPipeline
{
    public required string Id { get; init; }
    public string? Owner { get; init; }

    /// <summary>Its checks that failed when they were last executed.</summary>
    public required IReadOnlyList<OpenFailureItem> OpenFailures { get; init; }
}

/// <summary>A check that failed when it was last executed.</summary>
public sealed record OpenFailureItem
{
    public required string CheckId { get; init; }

    /// <summary>The result that says so.</summary>
    public required string ResultId { get; init; }

    /// <summary>error or warn.</summary>
    public required string Severity { get; init; }

    public string? Dataset { get; init; }
    public string? Message { get; init; }
    public required DateTimeOffset ExecutedAt { get; init; }

    internal static OpenFailureItem From(OpenFailure failure) => new()
    {
        CheckId = failure.CheckId,
        ResultId = failure.ResultId,
        Severity = failure.Severity,
        Dataset = failure.Dataset,
        Message = failure.Message,
        ExecutedAt = failure.ExecutedAt,
    };
}

/// <summary>Which datasets to list.</summary>
public sealed record DatasetQuery : ListQuery
{
    internal override string List => "datasets";

    /// <summary>Only datasets of this namespace; empty: of none.</summary>
    [AllowsEmpty]
    public string? Namespace { get; init; }
}

/// <summary>A dataset in a list.</summary>
public sealed record DatasetItem
{
    public required string Id { get; init; }

    /// <summary>Empty for datasets that pipelines name without one.</summary>
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>When it was first named.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    internal static DatasetItem From(Dataset dataset) =>
        new() { Id = dataset.ShownId, Namespace = dataset.Namespace, Name = dataset.Name, CreatedAt = dataset.CreatedAt };
}

/// <summary>A dataset with what is known around it.</summary>
public sealed record DatasetDetail
{
    public required string Id { get; init; }

    /// <summary>Empty for datasets that pipelines name without one.</summary>
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>When it was first named.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Its columns where some producer has told them, otherwise null.</summary>
    public RawJson? Schema { get; init; }

    /// <summary>Who answers for the pipelines that write it, each once.</summary>
    public required IReadOnlyList<string> Owners { get; init; }

    /// <summary>The tags of the pipelines that write it, each once.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>The pipelines that write it.</summary>
    public required IReadOnlyList<string> ProducedBy { get; init; }

    /// <summary>The pipelines that read it.</summary>
    public required IReadOnlyList<string> ConsumedBy { get; init; }

    /// <summary>Its newest check results, at most 20, the last executed first.</summary>
    public required IReadOnlyList<CheckResultItem> LastResults { get; init; }
}
