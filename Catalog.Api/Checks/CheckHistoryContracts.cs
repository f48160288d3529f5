using Catalog.Api.Http;
using Catalog.Data.Checks;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Checks;

/// <summary>Selects a part of a check's history.</summary>
public sealed record HistoryQuery : ListQuery
{
    internal override string List => "check_history";

    /// <summary>
    /// The pipeline of the check; empty for a standalone check. May be left out when only one check has this id.
    /// </summary>
    [FromQuery(Name = "pipeline_id"), AllowsEmpty]
    public string? PipelineId { get; init; }

    /// <summary>Only results executed at or after this time.</summary>
    public Instant? Since { get; init; }

    /// <summary>Only results executed before this time.</summary>
    public Instant? Until { get; init; }
}

/// <summary>The results of a check over time.</summary>
public sealed record CheckHistory
{
    /// <summary>
    /// The share of passes among the passed, warned and failed results, 0 to 1. It covers the newest 10,000 results of
    /// the requested period. Null when none of them passed, warned or failed.
    /// </summary>
    public double? PassRate { get; init; }

    /// <summary>
    /// The number of results with each status, among the newest 10,000 results of the requested period.
    /// </summary>
    public required CheckCounts Counts { get; init; }

    /// <summary>
    /// The number of results whose status differs from that of the previous result, among the newest 100 results of the
    /// requested period.
    /// </summary>
    public required int Changes { get; init; }

    /// <summary>
    /// When the first of <c>failing_results</c> was executed; null when the latest result of the requested period is
    /// not a failure.
    /// </summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>
    /// The number of failures in a row up to the latest result, at most 100; 0 when the latest result of the requested
    /// period is not a failure.
    /// </summary>
    public required int FailingResults { get; init; }

    /// <summary>The measurements, latest execution first.</summary>
    public required IReadOnlyList<Measurement> Items { get; init; }

    /// <summary>Send it as <c>cursor</c> to read the next page; null on the last page.</summary>
    public string? NextCursor { get; init; }
}

/// <summary>The number of results with each status.</summary>
public sealed record CheckCounts
{
    public required long Pass { get; init; }
    public required long Warn { get; init; }
    public required long Fail { get; init; }
    public required long Error { get; init; }
}

/// <summary>One measurement of a check.</summary>
public sealed record Measurement
{
    /// <summary>The result's id.</summary>
    public required string Id { get; init; }

    public required DateTimeOffset ExecutedAt { get; init; }

    /// <summary>pass, warn, fail or error.</summary>
    public required string Status { get; init; }

    /// <summary>The observed value when it is a finite number, otherwise null.</summary>
    public double? ObservedNumber { get; init; }

    public long? FailedRows { get; init; }
    public long? TotalRows { get; init; }
    public string? RunId { get; init; }

    internal static Measurement From(CheckResult result) => new()
    {
        Id = result.Id,
        ExecutedAt = result.ExecutedAt,
        Status = result.Status,
        ObservedNumber = result.ObservedNumber,
        FailedRows = result.FailedRows,
        TotalRows = result.TotalRows,
        RunId = result.RunId,
    };
}
