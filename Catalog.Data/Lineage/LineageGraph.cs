namespace Catalog.Data.Lineage;

/// <summary>A dataset that is an end of a lineage edge.</summary>
public sealed record Dataset
{
    /// <summary>See <see cref="DatasetId"/>.</summary>
    public required Guid Id { get; init; }

    /// <summary>Empty when the dataset has no namespace, as all datasets that pipelines register.</summary>
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

    /// <summary>Exclusive; null while the edge is current.</summary>
    public DateTimeOffset? ValidTo { get; init; }
}

/// <summary>The direction in which the graph is walked.</summary>
[Flags]
public enum LineageDirection
{
    /// <summary>To the datasets that it is made from.</summary>
    Upstream = 1,

    /// <summary>To the datasets that are made from it.</summary>
    Downstream = 2,

    /// <summary>Two separate walks: a sibling, which only shares an ancestor, is not reached.</summary>
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
/// <param name="Frontier">When truncated: the datasets with neighbours that were not read. Otherwise empty.</param>
public sealed record LineageGraph(
    IReadOnlyList<(Dataset Dataset, int Depth)> Nodes, IReadOnlyList<LineageEdge> Edges, bool Truncated, IReadOnlyList<Dataset> Frontier);

/// <summary>A pipeline and its owner.</summary>
public sealed record LineagePipeline
{
    public required string Id { get; init; }
    public string? Owner { get; init; }
}
