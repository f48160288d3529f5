using Catalog.Api.Http;
using Catalog.Data.Runs;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Runs;

/// <summary>Selects runs to list.</summary>
public sealed record RunQuery : CountedListQuery
{
    internal override string List => Order() is RunOrder.Created ? "runs" : $"runs by {Sort}";

    /// <summary>Only runs of this pipeline.</summary>
    [FromQuery(Name = "pipeline_id")]
    public string? PipelineId { get; init; }

    /// <summary>
    /// Only runs with this status, or with one of several statuses separated by commas, such as <c>failed,running</c>.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>Only runs that started at or after this time. A run without a start does not match.</summary>
    [FromQuery(Name = "started_since")]
    public Instant? StartedSince { get; init; }

    /// <summary>Only runs that started before this time.</summary>
    [FromQuery(Name = "started_until")]
    public Instant? StartedUntil { get; init; }

    /// <summary>
    /// Only runs that ended at or after this time. If <c>status</c> contains pending or running, runs with that status
    /// that have not ended match too.
    /// </summary>
    [FromQuery(Name = "ended_since")]
    public Instant? EndedSince { get; init; }

    /// <summary>Only runs that ended before this time.</summary>
    [FromQuery(Name = "ended_until")]
    public Instant? EndedUntil { get; init; }

    /// <summary>Only runs whose first event was received at or after this time.</summary>
    public Instant? Since { get; init; }

    /// <summary>Only runs whose first event was received before this time.</summary>
    public Instant? Until { get; init; }

    /// <summary>
    /// The sort field, newest first: created_at (arrival, the default), started_at (a run without a start is sorted by
    /// its arrival) or ended_at (runs without an end come first). A page is read fastest when it is sorted by the field
    /// of its time filter.
    /// </summary>
    public string? Sort { get; init; }

    internal RunFilter ToFilter() => new()
    {
        Order = Order(),
        PipelineId = PipelineId,
        Statuses = Status is null ? null : RunStatusFilter.Read(Status),
        StartedSince = StartedSince?.Value,
        StartedUntil = StartedUntil?.Value,
        EndedSince = EndedSince?.Value,
        EndedUntil = EndedUntil?.Value,
        Since = Since?.Value,
        Until = Until?.Value,
    };

    private RunOrder Order() => Sort switch { "started_at" => RunOrder.Started, "ended_at" => RunOrder.Ended, _ => RunOrder.Created };
}

/// <summary>Selects events of a run to list.</summary>
public sealed record RunEventQuery : ListQuery
{
    internal override string List => "run_events";
}
