using Catalog.Api.Http;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Pages.Checks;

/// <summary>The query parameters of a check's page.</summary>
public sealed record CheckPageQuery : ListQuery
{
    internal override string List => "check_history";

    /// <summary>The pipeline of the check. May be left out when only one check has this id.</summary>
    [FromQuery(Name = "pipeline_id")]
    public string? PipelineId { get; init; }

    /// <summary><c>true</c> selects the check without a pipeline.</summary>
    public bool? Standalone { get; init; }

    /// <summary>
    /// A number of hours or days up to now, such as <c>24h</c>. Null selects the last choice of the reader.
    /// </summary>
    public string? Range { get; init; }

    /// <summary>Downloads <c>sql</c> or the whole <c>definition</c> as it was sent. Null shows the page.</summary>
    public string? Download { get; init; }

    internal string? Pipeline => Standalone is true ? "" : PipelineId;
}

internal sealed class CheckPageQueryValidator : ListQueryValidator<CheckPageQuery>
{
    public CheckPageQueryValidator()
    {
        RuleFor(query => query.PipelineId).Text(Validation.MaxKey);
        RuleFor(query => query.Download).OneOf(["sql", "definition"]);
        RuleFor(query => query.Range)
            .Must(range => range is null || TimeRange.TryParse(range) is not null)
            .WithMessage("must be a number of hours or days, such as 24h or 7d, and at most 31d.");
    }
}
