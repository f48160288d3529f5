namespace Catalog.Data.Lineage;

/// <summary>A dataset that some lineage names.</summary>
public sealed record Dataset
{
    /// <summary>See <see cref="DatasetId"/>.</summary>
    public required Guid Id { get; init; }

    /// <summary>Empty for datasets of our own bodies.</summary>
    public required string Namespace { get; init; }

    public required string Name { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What people and paths call it.</summary>
    public string ShownId => DatasetId.Shown(Namespace, Name);
}

/// <summary>One edge while it held.</summary>
public sealed record LineageEdge
{
    public required Guid Upstream { get; init; }
    public required Guid Downstream { get; init; }

    /// <summary>The pipeline that says so.</summary>
    public required string PipelineId { get; init; }

    public required DateTimeOffset ValidFrom { get; init; }

    /// <summary>Null while it holds.</summary>
    public DateTimeOffset? ValidTo { get; init; }
}

/// <summary>Which way to walk.</summary>
[Flags]
public enum LineageDirection
{
    /// <summary>To what it is made from.</summary>
    Upstream = 1,

    /// <summary>To what is made from it.</summary>
    Downstream = 2,

    /// <summary>Each way by itself: a sibling that only shares an ancestor is not reached.</summary>
    Both = Upstream | Downstream,
}

/// <summary>How much one answer may hold.</summary>
/// <param name="Nodes">Datasets, the one asked for included.</param>
/// <param name="Edges">Edges.</param>
public sealed record LineageBudget(int Nodes, int Edges)
{
    /// <summary>What is served unless told otherwise.</summary>
    public static LineageBudget Default { get; } = new(10_000, 50_000);
}

/// <summary>The part of the graph around a dataset.</summary>
/// <param name="Nodes">Datasets with their distance in hops, nearest first.</param>
/// <param name="Edges">The edges that were followed.</param>
/// <param name="Truncated">Whether the budget ended the walk.</param>
/// <param name="Frontier">The datasets whose neighbours were not all looked at because of it.</param>
public sealed record LineageGraph(
    IReadOnlyList<(Dataset Dataset, int Depth)> Nodes, IReadOnlyList<LineageEdge> Edges, bool Truncated, IReadOnlyList<Dataset> Frontier);

/// <summary>A pipeline as lineage shows it.</summary>
public sealed record LineagePipeline
{
    public required string Id { get; init; }
    public string? Owner { get; init; }
}
