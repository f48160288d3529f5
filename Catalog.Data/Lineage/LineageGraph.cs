namespace Catalog.Data.Lineage;

/// <summary>A dataset that is an end of a lineage edge.</summary>
public sealed record Dataset
{
    /// <summary>The key of the dataset: see <see cref="DatasetId"/>.</summary>
    public required Guid Id { get; init; }

    /// <summary>
    /// The namespace; empty when the dataset has no namespace. Datasets that pipelines register have no namespace.
    /// </summary>
    public required string Namespace { get; init; }

    public required string Name { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The id in answers and paths.</summary>
    public string DisplayId => DatasetId.Format(Namespace, Name);
}

/// <summary>One lineage edge during one period.</summary>
public sealed record LineageEdge
{
    public required Guid Upstream { get; init; }
    public required Guid Downstream { get; init; }

    /// <summary>The pipeline that declares the edge.</summary>
    public required string PipelineId { get; init; }

    public required DateTimeOffset ValidFrom { get; init; }

    /// <summary>The end of the period, exclusive; null while the edge is current.</summary>
    public DateTimeOffset? ValidTo { get; init; }
}

/// <summary>The direction in which the graph is walked.</summary>
[Flags]
public enum LineageDirection
{
    /// <summary>From a dataset to the datasets from which it is made.</summary>
    Upstream = 1,

    /// <summary>From a dataset to the datasets that are made from it.</summary>
    Downstream = 2,

    /// <summary>
    /// Two separate walks, one upstream and one downstream. They do not reach a dataset that only has a common ancestor
    /// with the start.
    /// </summary>
    Both = Upstream | Downstream,
}

/// <summary>The size limit of one graph.</summary>
/// <param name="Nodes">The maximum number of datasets, including the start.</param>
/// <param name="Edges">The maximum number of edges.</param>
public sealed record LineageBudget(int Nodes, int Edges)
{
    /// <summary>The limit of the API.</summary>
    public static LineageBudget Default { get; } = new(10_000, 50_000);
}

/// <summary>The part of the graph around a dataset.</summary>
/// <param name="Nodes">Datasets with their distance in hops, nearest first.</param>
/// <param name="Edges">The edges that were followed.</param>
/// <param name="Truncated">Whether the budget stopped the walk.</param>
/// <param name="Frontier">
/// The datasets with neighbours that were not read; empty when the graph is not truncated.
/// </param>
public sealed record LineageGraph(
    IReadOnlyList<(Dataset Dataset, int Depth)> Nodes, IReadOnlyList<LineageEdge> Edges, bool Truncated, IReadOnlyList<Dataset> Frontier);

/// <summary>A pipeline and its owner.</summary>
public sealed record LineagePipeline
{
    public required string Id { get; init; }
    public string? Owner { get; init; }
}
