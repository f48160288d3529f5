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
    /// <summary>The overdue pipelines, the most overdue first.</summary>
    public required IReadOnlyList<OverdueItem> Items { get; init; }

    /// <summary>The number of all overdue pipelines, including those beyond <c>limit</c>.</summary>
    public required long Count { get; init; }

    /// <summary>
    /// Whether pipelines may be missing. The first 10,000 scheduled pipelines in the order of their ids are examined.
    /// </summary>
    public required bool Truncated { get; init; }
}

/// <summary>A pipeline that did not start at the time of its schedule.</summary>
public sealed record OverdueItem
{
    public required string PipelineId { get; init; }
    public string? Owner { get; init; }

    /// <summary>The cron expression of the pipeline, in UTC.</summary>
    public required string Schedule { get; init; }

    /// <summary>The latest time of the schedule that is more than 5 minutes ago.</summary>
    public required DateTimeOffset ExpectedAt { get; init; }

    /// <summary>When the latest run of the pipeline started; null when the pipeline has no run.</summary>
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
