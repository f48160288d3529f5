using Catalog.Api.Http;
using Catalog.Data.Checks;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Checks;

/// <summary>Selects results to list.</summary>
public sealed record CheckResultQuery : CountedListQuery
{
    internal override string List => "check_results";

    /// <summary>Only results of this pipeline.</summary>
    [FromQuery(Name = "pipeline_id")]
    public string? PipelineId { get; init; }

    /// <summary>Only results of this check.</summary>
    [FromQuery(Name = "check_id")]
    public string? CheckId { get; init; }

    /// <summary>Only results of this run.</summary>
    [FromQuery(Name = "run_id")]
    public string? RunId { get; init; }

    /// <summary>Only results about this dataset.</summary>
    public string? Dataset { get; init; }

    /// <summary>
    /// Only results with this status: pass, warn, fail, error, or another tool's word for one of these statuses.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>Only results with this severity: error or warn.</summary>
    public string? Severity { get; init; }

    /// <summary>Only results executed at or after this time.</summary>
    public Instant? Since { get; init; }

    /// <summary>Only results executed before this time.</summary>
    public Instant? Until { get; init; }

    internal CheckResultFilter ToFilter() => new()
    {
        PipelineId = PipelineId,
        CheckId = CheckId,
        RunId = RunId,
        Dataset = Dataset,
        Status = Status is null ? null : CheckStatus.Words[Status],
        Severity = Severity,
        Since = Since?.Value,
        Until = Until?.Value,
    };
}

internal sealed class CheckResultQueryValidator : ListQueryValidator<CheckResultQuery>
{
    public CheckResultQueryValidator()
    {
        RuleFor(query => query.PipelineId).Text(Validation.MaxKey);
        RuleFor(query => query.CheckId).Text(Validation.MaxKey);
        RuleFor(query => query.RunId).Text(Validation.MaxKey);
        RuleFor(query => query.Dataset).DatasetName();
        RuleFor(query => query.Status).OneOf(CheckStatus.Words);
        RuleFor(query => query.Severity).OneOf(CheckSeverity.All);
    }
}
