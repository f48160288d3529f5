using Catalog.Api.Http;
using FluentValidation;

namespace Catalog.Api.Search;

/// <summary>The query parameters of a search.</summary>
public sealed record SearchQuery
{
    /// <summary>
    /// The text, 1 to 200 characters. Letter case is ignored, and the characters % and _ have no special meaning.
    /// </summary>
    public string? Q { get; init; }
}

internal sealed class SearchQueryValidator : AbstractValidator<SearchQuery>
{
    public SearchQueryValidator() => RuleFor(query => query.Q).NotEmpty().WithMessage("is required.").Text(200);
}

/// <summary>
/// The hits of a search: at most 10 of each kind, among the newest 20,000 pipelines, datasets and checks. Names that
/// begin with the text come first. After that, newer objects come first.
/// </summary>
public sealed record SearchHits
{
    /// <summary>Pipelines whose id, description or owner contains the text.</summary>
    public required IReadOnlyList<FoundPipeline> Pipelines { get; init; }

    /// <summary>The ids of datasets whose name contains the text.</summary>
    public required IReadOnlyList<string> Datasets { get; init; }

    /// <summary>Checks whose id contains the text.</summary>
    public required IReadOnlyList<FoundCheck> Checks { get; init; }

    /// <summary>The names of pipeline owners that contain the text, sorted.</summary>
    public required IReadOnlyList<string> Owners { get; init; }
}

/// <summary>A pipeline that was found.</summary>
public sealed record FoundPipeline
{
    public required string Id { get; init; }
    public string? Description { get; init; }
    public string? Owner { get; init; }
}

/// <summary>A check that was found.</summary>
public sealed record FoundCheck
{
    public required string Id { get; init; }

    /// <summary>The pipeline of the check; empty for a standalone check.</summary>
    public required string PipelineId { get; init; }
}
