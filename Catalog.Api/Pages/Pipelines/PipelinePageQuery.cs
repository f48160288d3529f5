using Catalog.Api.Http;
using FluentValidation;

namespace Catalog.Api.Pages.Pipelines;

/// <summary>The part of a pipeline that its page shows.</summary>
public sealed record PipelinePageQuery
{
    /// <summary>overview (the default), stages, versions or body.</summary>
    public string? Tab { get; init; }

    /// <summary>The older version to compare; null for the one before <see cref="To"/>.</summary>
    public string? From { get; init; }

    /// <summary>The newer version to compare; null for the current one.</summary>
    public string? To { get; init; }

    /// <summary><c>json</c> downloads the current body.</summary>
    public string? Download { get; init; }
}

internal sealed class PipelinePageQueryValidator : AbstractValidator<PipelinePageQuery>
{
    public PipelinePageQueryValidator()
    {
        RuleFor(query => query.Tab).OneOf(["overview", "stages", "versions", "body"]);
        RuleFor(query => query.From).Text(Validation.MaxKey);
        RuleFor(query => query.To).Text(Validation.MaxKey);
        RuleFor(query => query.Download).OneOf(["json"]);
    }
}
