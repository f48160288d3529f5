using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Data.Checks;
using Catalog.Data.Lineage;

namespace Catalog.Api.Lineage;

/// <summary>The direction, distance and time of a lineage query.</summary>
public record LineageQuery
{
    /// <summary>upstream, downstream or both (the default).</summary>
    public string? Direction { get; init; }

    /// <summary>The maximum number of hops between datasets, 0 to 1,000. Default: 5.</summary>
    public int? Depth { get; init; }

    /// <summary>The time at which the edges are valid. Default: now.</summary>
    public Instant? At { get; init; }

    internal LineageDirection DirectionOrDefault() => Direction switch
    {
        "upstream" => LineageDirection.Upstream,
        "downstream" => LineageDirection.Downstream,
        _ => LineageDirection.Both,
    };

    internal int DepthOrDefault() => Depth ?? 5;
}

/// <summary>A lineage query with the dataset as a parameter, for ids that contain slashes.</summary>
public sealed record LineageByDatasetQuery : LineageQuery
{
    /// <summary>The dataset's id.</summary>
    public string? Dataset { get; init; }
}

/// <summary>The distance of an impact query.</summary>
public sealed record ImpactQuery
{
    /// <summary>The maximum number of hops downstream, 0 to 1,000. Default: 1,000.</summary>
    public int? Depth { get; init; }
}

/// <summary>The two datasets of a path, its greatest length and its time.</summary>
public sealed record LineagePathQuery
{
    /// <summary>The id of the dataset where the path begins.</summary>
    public string? From { get; init; }

    /// <summary>The id of the dataset where the path ends.</summary>
    public string? To { get; init; }

    /// <summary>The maximum number of hops between datasets, 0 to 1,000. Default: 1,000.</summary>
    public int? Depth { get; init; }

    /// <summary>The time at which the edges are valid. Default: now.</summary>
    public Instant? At { get; init; }
}

/// <summary>The shortest paths downstream from one dataset to another.</summary>
public sealed record LineagePathItem
{
    /// <summary>Whether a path was found.</summary>
    public required bool Found { get; init; }

    /// <summary>The number of hops of the shortest paths; 0 from a dataset to itself, null when no path was found.</summary>
    public required int? Hops { get; init; }

    /// <summary>
    /// The datasets of all shortest paths. Their <c>depth</c> is the distance from the first dataset.
    /// </summary>
    public required IReadOnlyList<LineageNode> Nodes { get; init; }

    /// <summary>
    /// The edges between these datasets, nearest to the first dataset first. An edge that several pipelines declare is
    /// listed once for each pipeline.
    /// </summary>
    public required IReadOnlyList<LineageEdgeItem> Edges { get; init; }

    /// <summary>
    /// Whether <c>depth</c> or the size limit ended the search. If no path was found, a path may still exist. If a path
    /// was found, a shorter path or other paths of the same length may be missing.
    /// </summary>
    public required bool Truncated { get; init; }

    internal static LineagePathItem From(LineagePath path)
    {
        var graph = LineageGraphItem.From(path.Graph);
        return new()
        {
            Found = path.Hops is not null,
            Hops = path.Hops,
            Nodes = graph.Nodes,
            Edges = graph.Edges,
            Truncated = graph.Truncated,
        };
    }
}

/// <summary>The part of the lineage graph around a dataset.</summary>
public sealed record LineageGraphItem
{
    /// <summary>The datasets, nearest first; the requested dataset has depth 0.</summary>
    public required IReadOnlyList<LineageNode> Nodes { get; init; }

    /// <summary>The edges, each from upstream to downstream.</summary>
    public required IReadOnlyList<LineageEdgeItem> Edges { get; init; }

    /// <summary>Whether the graph is larger than the limit of one answer, so that a part is left out.</summary>
    public required bool Truncated { get; init; }

    /// <summary>
    /// When <c>truncated</c> is true: the datasets with neighbours that are left out. Otherwise empty.
    /// </summary>
    public required IReadOnlyList<string> Frontier { get; init; }

    internal static LineageGraphItem From(LineageGraph graph)
    {
        var names = graph.Nodes.ToDictionary(node => node.Dataset.Id, node => node.Dataset.DisplayId);
        return new()
        {
            Nodes = [.. graph.Nodes.Select(node => LineageNode.From(node.Dataset, node.Depth))],
            Edges = [.. graph.Edges.Select(edge => new LineageEdgeItem
            {
                From = names[edge.Upstream], To = names[edge.Downstream], PipelineId = edge.PipelineId, ValidFrom = edge.ValidFrom,
                ValidTo = edge.ValidTo,
            })],
            Truncated = graph.Truncated,
            Frontier = [.. graph.Frontier.Select(dataset => dataset.DisplayId)],
        };
    }
}

/// <summary>A dataset in the graph.</summary>
public sealed record LineageNode
{
    public required string Id { get; init; }

    /// <summary>Empty when the dataset has no namespace.</summary>
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>The smallest number of hops from the requested dataset.</summary>
    public required int Depth { get; init; }

    internal static LineageNode From(Dataset dataset, int depth) =>
        new() { Id = dataset.DisplayId, Namespace = dataset.Namespace, Name = dataset.Name, Depth = depth };
}

/// <summary>An edge in the graph.</summary>
public sealed record LineageEdgeItem
{
    /// <summary>The upstream dataset.</summary>
    public required string From { get; init; }

    /// <summary>The downstream dataset.</summary>
    public required string To { get; init; }

    /// <summary>The pipeline that declares the edge.</summary>
    public required string PipelineId { get; init; }

    public required DateTimeOffset ValidFrom { get; init; }

    /// <summary>The end of the edge's validity, exclusive; null while it is current.</summary>
    public DateTimeOffset? ValidTo { get; init; }
}

/// <summary>The datasets, pipelines and owners that a change of a dataset affects.</summary>
public sealed record Impact
{
    /// <summary>The downstream datasets, nearest first.</summary>
    public required IReadOnlyList<LineageNode> Datasets { get; init; }

    /// <summary>The pipelines that write these datasets.</summary>
    public required IReadOnlyList<ImpactedPipeline> Pipelines { get; init; }

    /// <summary>The distinct owners of these pipelines, sorted.</summary>
    public required IReadOnlyList<string> Owners { get; init; }

    /// <summary>Whether the graph is larger than the limit of one answer, so that a part is left out.</summary>
    public required bool Truncated { get; init; }
}

/// <summary>A pipeline that a change affects.</summary>
public sealed record ImpactedPipeline
{
    public required string Id { get; init; }
    public string? Owner { get; init; }

    /// <summary>The checks of the pipeline whose latest result is a failure.</summary>
    public required IReadOnlyList<OpenFailureItem> OpenFailures { get; init; }
}

/// <summary>A check whose latest result is a failure.</summary>
public sealed record OpenFailureItem
{
    public required string CheckId { get; init; }

    /// <summary>The id of the latest result.</summary>
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

/// <summary>Filters of a list of datasets.</summary>
public sealed record DatasetQuery : CountedListQuery
{
    internal override string List => "datasets";

    /// <summary>Only datasets in this namespace. An empty value selects only datasets without a namespace.</summary>
    [AllowsEmpty]
    public string? Namespace { get; init; }
}

/// <summary>A dataset in a list.</summary>
public sealed record DatasetItem
{
    public required string Id { get; init; }

    /// <summary>Empty when the dataset has no namespace.</summary>
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>When a pipeline or an event first named the dataset.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    internal static DatasetItem From(Dataset dataset) =>
        new() { Id = dataset.DisplayId, Namespace = dataset.Namespace, Name = dataset.Name, CreatedAt = dataset.CreatedAt };
}

/// <summary>A dataset with its pipelines, their owners and tags, and its latest check results.</summary>
public sealed record DatasetDetail
{
    public required string Id { get; init; }

    /// <summary>Empty when the dataset has no namespace.</summary>
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>When a pipeline or an event first named the dataset.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The columns of the dataset; null when no producer has reported them.</summary>
    public RawJson? Schema { get; init; }

    /// <summary>The versions of the schema, newest first; at most 10.</summary>
    public required IReadOnlyList<SchemaVersion> SchemaHistory { get; init; }

    /// <summary>The description of the dataset; null when no producer has reported one.</summary>
    public string? Description { get; init; }

    /// <summary>
    /// The ids of the other names of the dataset, sorted; at most 100. Each of these ids finds this dataset.
    /// </summary>
    public required IReadOnlyList<string> Aliases { get; init; }

    /// <summary>The quality metrics of the dataset, newest first; at most 20.</summary>
    public required IReadOnlyList<QualityMetrics> QualityMetrics { get; init; }

    /// <summary>The last runs that wrote the dataset according to events, newest first; at most 20.</summary>
    public required IReadOnlyList<DatasetWriteItem> LastWrites { get; init; }

    /// <summary>
    /// The distinct owners, sorted: the owners of the pipelines that write the dataset, and the owners that events
    /// report.
    /// </summary>
    public required IReadOnlyList<string> Owners { get; init; }

    /// <summary>The distinct tags of the pipelines that write the dataset, sorted.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>The ids of the pipelines that write the dataset.</summary>
    public required IReadOnlyList<string> ProducedBy { get; init; }

    /// <summary>The ids of the pipelines that read the dataset.</summary>
    public required IReadOnlyList<string> ConsumedBy { get; init; }

    /// <summary>The latest check results of the dataset, latest execution first; at most 20.</summary>
    public required IReadOnlyList<CheckResultItem> LastResults { get; init; }
}
