using Catalog.Api.Http;
using Catalog.Api.Lineage;
using FluentValidation;

namespace Catalog.Api.Pages.Lineage;

/// <summary>The part of the graph that the lineage page draws.</summary>
public sealed record LineagePageQuery : LineageQuery
{
    /// <summary>The dataset's id. Null shows a page to choose a dataset.</summary>
    public string? Dataset { get; init; }

    /// <summary>
    /// The id of a dataset downstream. The page then draws the shortest paths to it. Null draws the graph around the
    /// dataset.
    /// </summary>
    public string? To { get; init; }

    /// <summary>The maximum number of datasets, 1 to 250. Default: 60.</summary>
    public int? Nodes { get; init; }

    /// <summary>The size of the drawing in percent: 50, 75, 100, 150 or 200; or fit. Default: 100.</summary>
    public string? Zoom { get; init; }

    /// <summary>Downloads the drawing (svg), the edges (csv) or the graph of the API (json).</summary>
    public string? Download { get; init; }

    internal int Hops => Depth ?? 1;

    internal int NodesOrDefault => Nodes ?? 60;
}

internal sealed class LineagePageQueryValidator : LineageFieldsValidator<LineagePageQuery>
{
    public static readonly string[] Zooms = ["fit", "50", "75", "100", "150", "200"];

    public LineagePageQueryValidator()
    {
        RuleFor(query => query.Dataset).Text(2 * Validation.MaxDataset);
        RuleFor(query => query.To).Text(2 * Validation.MaxDataset);
        RuleFor(query => query.Nodes).InclusiveBetween(1, GraphReader.MaxNodes).WithMessage("must be from 1 to 250.");
        RuleFor(query => query.Zoom).OneOf(Zooms);
        RuleFor(query => query.Download).OneOf(["svg", "csv", "json"]);
    }
}
