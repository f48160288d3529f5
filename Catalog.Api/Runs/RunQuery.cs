using Catalog.Api.Http;
using Catalog.Data.Runs;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Runs;

/// <summary>Which runs to list.</summary>
public sealed record RunQuery : ListQuery
{
    internal override string List => "runs";

    /// <summary>Only runs of this pipeline.</summary>
    [FromQuery(Name = "pipeline_id")]
    public string? PipelineId { get; init; }

    /// <summary>Only runs that have this status.</summary>
    public string? Status { get; init; }

    /// <summary>Only runs created at or after this time.</summary>
    public Instant? Since { get; init; }

    /// <summary>Only runs created before this time.</summary>
    public Instant? Until { get; init; }

    internal RunFilter ToFilter() => new()
    {
        PipelineId = PipelineId,
        Status = Status is null ? null : RunStatus.Words[Status],
        Since = Since?.Value,
        Until = Until?.Value,
    };
}

/// <summary>Which events of a run to list.</summary>
public sealed record RunEventQuery : ListQuery
{
    internal override string List => "run_events";
}
