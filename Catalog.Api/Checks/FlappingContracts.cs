using Catalog.Api.Http;
using Catalog.Data.Checks;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Checks;

/// <summary>Selects checks whose status changes often.</summary>
public sealed record FlappingQuery : ListQuery
{
    internal override string List => "flapping_checks";

    /// <summary>How many of the latest results of each check are examined, 2 to 100. The default is 20.</summary>
    public int? Window { get; init; }

    /// <summary>
    /// A check is listed if its status changed at least this many times in the examined results, 1 to 99. The default
    /// is 3.
    /// </summary>
    [FromQuery(Name = "min_changes")]
    public int? MinChanges { get; init; }

    /// <summary>Only checks of this pipeline. An empty value selects only standalone checks.</summary>
    [FromQuery(Name = "pipeline_id"), AllowsEmpty]
    public string? PipelineId { get; init; }
}

internal sealed class FlappingQueryValidator : ListQueryValidator<FlappingQuery>
{
    public FlappingQueryValidator()
    {
        RuleFor(query => query.Window).InclusiveBetween(2, 100).WithMessage("must be from 2 to 100.");
        RuleFor(query => query.MinChanges).InclusiveBetween(1, 99).WithMessage("must be from 1 to 99.");
        RuleFor(query => query.PipelineId).Text(Validation.MaxKey);
    }
}

/// <summary>A check whose status changed often.</summary>
public sealed record FlappingItem
{
    /// <summary>Empty for a standalone check.</summary>
    public required string PipelineId { get; init; }

    public required string CheckId { get; init; }

    /// <summary>The number of examined results whose status differs from that of the previous result.</summary>
    public required int Changes { get; init; }

    /// <summary>The statuses of the examined results, latest first.</summary>
    public required IReadOnlyList<string> Statuses { get; init; }

    /// <summary>When the latest result was executed.</summary>
    public required DateTimeOffset ExecutedAt { get; init; }

    internal static FlappingItem From(FlappingCheck check) => new()
    {
        PipelineId = check.PipelineId,
        CheckId = check.CheckId,
        Changes = check.Changes,
        Statuses = check.Statuses,
        ExecutedAt = check.ExecutedAt,
    };
}
