using Catalog.Api.Http;
using Catalog.Data.Lineage;
using FluentValidation;

namespace Catalog.Api.Lineage;

internal static class ColumnLineageEndpoint
{
    public const int MaxColumn = 500;

    public static async Task<IResult> Get([AsParameters] ColumnLineageQuery query, Caller caller, ColumnLineageRepository columns,
        CancellationToken ct) =>
        await columns.Walk(caller.Organization, query.Dataset!, query.Column ?? "", query.DirectionOrDefault(), query.Depth ?? 5, ct) is
        { } graph
            ? new RawJsonResult(ETags.Serialize(ColumnGraphItem.From(graph)))
            : Problems.NotFound("dataset");
}

/// <summary>The column, direction and distance of a query for the lineage of columns.</summary>
public sealed record ColumnLineageQuery
{
    /// <summary>The dataset's id.</summary>
    public string? Dataset { get; init; }

    /// <summary>The column. Default: all columns of the dataset.</summary>
    public string? Column { get; init; }

    /// <summary>upstream, downstream or both (the default).</summary>
    public string? Direction { get; init; }

    /// <summary>The maximum number of hops between columns, 0 to 1,000. Default: 5.</summary>
    public int? Depth { get; init; }

    internal LineageDirection DirectionOrDefault() => Direction switch
    {
        "upstream" => LineageDirection.Upstream,
        "downstream" => LineageDirection.Downstream,
        _ => LineageDirection.Both,
    };
}

internal sealed class ColumnLineageQueryValidator : AbstractValidator<ColumnLineageQuery>
{
    public ColumnLineageQueryValidator()
    {
        RuleFor(query => query.Dataset).NotEmpty().WithMessage("is required.").Text(2 * Validation.MaxDataset);
        RuleFor(query => query.Column).Text(ColumnLineageEndpoint.MaxColumn);
        RuleFor(query => query.Direction).OneOf(["upstream", "downstream", "both"]);
        RuleFor(query => query.Depth).InclusiveBetween(0, LineageEndpoints.MaxDepth).WithMessage("must be from 0 to 1000.");
    }
}

/// <summary>The part of the graph of columns around a column.</summary>
public sealed record ColumnGraphItem
{
    /// <summary>The columns, nearest first.</summary>
    public required IReadOnlyList<ColumnNodeItem> Nodes { get; init; }

    /// <summary>The edges, each from upstream to downstream.</summary>
    public required IReadOnlyList<ColumnEdgeItem> Edges { get; init; }

    /// <summary>Whether the graph is larger than the limit of one answer, so that a part is left out.</summary>
    public required bool Truncated { get; init; }

    /// <summary>
    /// When <c>truncated</c> is true: the columns that may have further edges, which are left out. Otherwise empty.
    /// </summary>
    public required IReadOnlyList<ColumnEnd> Frontier { get; init; }

    internal static ColumnGraphItem From(ColumnGraph graph)
    {
        // The dataset of an old edge may have been removed. Then the internal id is shown.
        string Name(Guid dataset) => graph.Datasets.TryGetValue(dataset, out var known) ? known.DisplayId : dataset.ToString();
        ColumnEnd End(Guid dataset, string column) => new() { Dataset = Name(dataset), Column = column };
        return new()
        {
            Nodes =
            [
                .. graph.Nodes.Select(node => new ColumnNodeItem
                {
                    Dataset = Name(node.Key.Dataset), Column = node.Key.Column, Depth = node.Value,
                }).OrderBy(node => node.Depth).ThenBy(node => node.Dataset, StringComparer.Ordinal)
                    .ThenBy(node => node.Column, StringComparer.Ordinal),
            ],
            Edges =
            [
                .. graph.Edges.Select(edge => new ColumnEdgeItem
                {
                    From = End(edge.Upstream, edge.UpstreamColumn),
                    To = End(edge.Downstream, edge.DownstreamColumn),
                    PipelineId = edge.PipelineId.Length == 0 ? null : edge.PipelineId,
                    Transformations = edge.Transformation.Length == 0 ? null : new RawJson(edge.Transformation),
                    FirstSeen = edge.FirstAt,
                    LastSeen = edge.LastAt,
                }),
            ],
            Truncated = graph.Truncated,
            Frontier =
            [
                .. graph.Frontier.Select(node => End(node.Dataset, node.Column)).OrderBy(end => end.Dataset, StringComparer.Ordinal)
                    .ThenBy(end => end.Column, StringComparer.Ordinal),
            ],
        };
    }
}

/// <summary>A column in the graph.</summary>
public sealed record ColumnNodeItem
{
    /// <summary>The dataset's id.</summary>
    public required string Dataset { get; init; }

    /// <summary>
    /// The name of the column; empty for the dataset as a whole. For example, the columns of a filter affect the
    /// dataset as a whole.
    /// </summary>
    public required string Column { get; init; }

    /// <summary>The smallest number of hops from the requested column.</summary>
    public required int Depth { get; init; }
}

/// <summary>An end of an edge between columns.</summary>
public sealed record ColumnEnd
{
    /// <summary>The dataset's id.</summary>
    public required string Dataset { get; init; }

    /// <summary>The name of the column; empty for the dataset as a whole.</summary>
    public required string Column { get; init; }
}

/// <summary>An edge between two columns.</summary>
public sealed record ColumnEdgeItem
{
    /// <summary>The upstream column.</summary>
    public required ColumnEnd From { get; init; }

    /// <summary>The downstream column.</summary>
    public required ColumnEnd To { get; init; }

    /// <summary>The id of the pipeline whose job reports the edge; null when no job is reported.</summary>
    public string? PipelineId { get; init; }

    /// <summary>
    /// An array of objects with <c>type</c>, <c>subtype</c>, <c>description</c> and <c>masking</c>; null when no
    /// transformation is reported.
    /// </summary>
    public RawJson? Transformations { get; init; }

    /// <summary>The time of the earliest event that reports the edge.</summary>
    public required DateTimeOffset FirstSeen { get; init; }

    /// <summary>The time of the latest event that reports the edge.</summary>
    public required DateTimeOffset LastSeen { get; init; }
}
