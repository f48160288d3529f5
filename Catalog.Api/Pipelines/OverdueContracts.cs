using Catalog.Data.Pipelines;
using FluentValidation;

namespace Catalog.Api.Pipelines;

/// <summary>Selects overdue pipelines to list.</summary>
public sealed record OverdueQuery
{
    /// <summary>The maximum number of items, 1 to 500. The default is 50.</summary>
    public int? Limit { get; init; }
}

internal sealed class OverdueQueryValidator : AbstractValidator<OverdueQuery>
{
    public OverdueQueryValidator() =>
        RuleFor(query => query.Limit).InclusiveBetween(1, 500).WithMessage("must be from 1 to 500.");
}

/// <summary>The overdue pipelines.</summary>
public sealed record OverdueItems
{
    /// <summary>The one that is expected longest first.</summary>
    public required IReadOnlyList<OverdueItem> Items { get; init; }

    /// <summary>The number of overdue pipelines, also of those beyond <c>limit</c>.</summary>
    public required long Count { get; init; }

    /// <summary>
    /// Whether there are more scheduled pipelines than the 10,000, in the order of their ids, that were examined.
    /// </summary>
    public required bool Truncated { get; init; }
}

/// <summary>A pipeline that did not start when its schedule says.</summary>
public sealed record OverdueItem
{
    public required string PipelineId { get; init; }
    public string? Owner { get; init; }

    /// <summary>The cron expression of the pipeline, in UTC.</summary>
    public required string Schedule { get; init; }

    /// <summary>The latest time of the schedule that is more than 5 minutes ago.</summary>
    public required DateTimeOffset ExpectedAt { get; init; }

    /// <summary>When its latest run started; null when it has none.</summary>
    public DateTimeOffset? LastRunAt { get; init; }

    internal static OverdueItem From(OverduePipeline pipeline) => new()
    {
        PipelineId = pipeline.PipelineId,
        Owner = pipeline.Owner,
        Schedule = pipeline.Schedule,
        ExpectedAt = pipeline.ExpectedAt,
        LastRunAt = pipeline.LastRunAt,
    };
}
