using Catalog.Api.Http;
using Catalog.Data.DatasetReadiness;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.DatasetReadiness;

/// <summary>What a consumer asks about the readiness of a dataset.</summary>
public sealed record ReadinessQuery
{
    /// <summary>
    /// How many hops upstream are judged too, 0 to 20. The default is 0: only the dataset itself is judged.
    /// </summary>
    public int? Depth { get; init; }

    /// <summary>
    /// The time for which the data must be fresh. The default is now. If a writing pipeline has a schedule, its last
    /// scheduled time before as_of must have a completed run. If no writing pipeline has a schedule, the run that wrote
    /// the requested dataset must have started at or after as_of. Without as_of, data without a schedule is not judged
    /// by its age.
    /// </summary>
    [FromQuery(Name = "as_of")]
    public Instant? AsOf { get; init; }
}

internal sealed class ReadinessQueryValidator : AbstractValidator<ReadinessQuery>
{
    public ReadinessQueryValidator() => RuleFor(query => query.Depth).InclusiveBetween(0, ReadinessEndpoints.MaxDepth)
        .WithMessage("must be from 0 to 20.");
}

/// <summary>Whether a consumer may read a dataset now.</summary>
public sealed record ReadinessItem
{
    /// <summary>The dataset's id.</summary>
    public required string Dataset { get; init; }

    /// <summary>ready, not_ready or unknown. unknown means that not enough is known to say ready.</summary>
    public required string Status { get; init; }

    /// <summary>
    /// The reasons for the status, at most 500. Reasons with the effect not_ready come first, then unknown, then ready.
    /// A reason with the effect ready about an upstream dataset is left out, unless its code is check_warns.
    /// </summary>
    public required IReadOnlyList<ReadinessReasonItem> Reasons { get; init; }

    /// <summary>The number of datasets that were judged.</summary>
    public required int Datasets { get; init; }

    /// <summary>
    /// Whether the graph upstream is larger than the limit of one answer. The status is then not_ready or unknown.
    /// </summary>
    public required bool Truncated { get; init; }

    internal static ReadinessItem From(Readiness readiness) => new()
    {
        Dataset = readiness.Dataset,
        Status = readiness.Status,
        Reasons = [.. readiness.Reasons.Take(500).Select(ReadinessReasonItem.From)],
        Datasets = readiness.Datasets,
        Truncated = readiness.Truncated,
    };
}

/// <summary>A reason for the readiness of a dataset.</summary>
public sealed record ReadinessReasonItem
{
    /// <summary>
    /// written, being_written, write_failed, write_cancelled, older_run_open, run_unknown, no_run, no_writer,
    /// judged_by_checks, late, older_than_asked, schedule_unreadable, check_failed, check_warns, check_error,
    /// check_outdated or checks_unread.
    /// </summary>
    public required string Code { get; init; }

    /// <summary>
    /// The status that this reason causes, not_ready or unknown; ready when the reason does not change the status.
    /// </summary>
    public required string Effect { get; init; }

    /// <summary>The id of the dataset that the reason is about: the requested dataset or an upstream dataset.</summary>
    public required string Dataset { get; init; }

    /// <summary>The number of hops upstream from the requested dataset; 0 for the requested dataset itself.</summary>
    public required int Depth { get; init; }

    public string? PipelineId { get; init; }
    public string? RunId { get; init; }
    public string? CheckId { get; init; }

    /// <summary>The time of the write, of the check result, or of the schedule that was missed.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>The reason in words.</summary>
    public required string Detail { get; init; }

    internal static ReadinessReasonItem From(ReadinessReason reason) => new()
    {
        Code = reason.Code,
        Effect = reason.Effect,
        Dataset = reason.Dataset,
        Depth = reason.Depth,
        PipelineId = reason.PipelineId,
        RunId = reason.RunId,
        CheckId = reason.CheckId,
        At = reason.At,
        Detail = reason.Detail,
    };
}
