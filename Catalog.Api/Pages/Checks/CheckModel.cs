using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Data.Checks;
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

/// <summary>What the page of a check shows.</summary>
public sealed record CheckModel
{
    public required string Id { get; init; }

    /// <summary>Empty for a standalone check.</summary>
    public required string PipelineId { get; init; }

    /// <summary>Null when only results are known.</summary>
    public required CheckItem? Check { get; init; }

    /// <summary>The definition as it was sent, a JSON object; null when only results are known.</summary>
    public required string? Definition { get; init; }

    public required TimeRange Range { get; init; }
    public required DateTimeOffset Now { get; init; }

    /// <summary>The newest results of the range, latest first. The chart draws these.</summary>
    public required IReadOnlyList<ResultPoint> Drawn { get; init; }

    /// <summary>The number of results of the range with each status.</summary>
    public required CheckStatusCounts Counts { get; init; }

    /// <summary>The changes and failures in the newest results, also in those outside the range.</summary>
    public required CheckStreak Streak { get; init; }

    /// <summary>The results that the table shows.</summary>
    public required ItemList<CheckResultItem> Results { get; init; }
}
