using System.Globalization;
using Catalog.Api.Http;
using Catalog.Data.Checks;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Checks;

/// <summary>One result of one check.</summary>
public sealed record PostCheckResult
{
    /// <summary>The result's id, chosen by the client so that a retry is safe; made here when it is left out.</summary>
    public string? Id { get; init; }

    /// <summary>The pipeline, which must be registered.</summary>
    public string? PipelineId { get; init; }

    /// <summary>The check; it need not be defined yet.</summary>
    public string? CheckId { get; init; }

    /// <summary>The run that it belongs to; it need not be known yet.</summary>
    public string? RunId { get; init; }

    /// <summary>
    /// pass, warn, fail, or error: the check could not be evaluated and nothing is known about the data. Other tools' words for these are understood,
    /// in any letter case. Required where there is no <c>success</c>.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>What Great Expectations writes in the place of a status: true is pass, false is fail.</summary>
    public bool? Success { get; init; }

    /// <summary>error (the default): a failure marks the run failed; warn: it does not.</summary>
    public string? Severity { get; init; }

    /// <summary>The dataset that was checked, by its id.</summary>
    public string? Dataset { get; init; }

    /// <summary>What was measured: any JSON value, given back as sent; at most 65,536 characters as they are written.</summary>
    public RawJson? ObservedValue { get; init; }

    /// <summary>What was expected: any JSON value, given back as sent; at most 65,536 characters as they are written.</summary>
    public RawJson? Expected { get; init; }

    /// <summary>How many rows failed, 0 or more.</summary>
    public long? FailedRows { get; init; }

    /// <summary>How many rows were looked at, 0 or more.</summary>
    public long? TotalRows { get; init; }

    /// <summary>For people, at most 64 KiB.</summary>
    public string? Message { get; init; }

    /// <summary>When the check was executed, RFC 3339; without an offset it is UTC. Left out, it is now.</summary>
    public DateTimeOffset? ExecutedAt { get; init; }

    /// <summary>How long that took, in seconds, 0 or more.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>An object of the client's own, given back as sent; at most 65,536 characters as they are written.</summary>
    public RawJson? Metadata { get; init; }

    internal CheckResult ToResult(string id, byte[] hash, DateTimeOffset now) => new()
    {
        Id = id,
        PipelineId = PipelineId!,
        CheckId = CheckId!,
        RunId = RunId,
        Status = Status is not null ? CheckStatus.Words[Status] : Success == true ? CheckStatus.Pass : CheckStatus.Fail,
        Severity = Severity ?? CheckSeverity.Error,
        Dataset = Dataset,
        ObservedValue = RawJson.Stored(ObservedValue),
        ObservedNumber = Number(RawJson.Stored(ObservedValue)),
        Expected = RawJson.Stored(Expected),
        FailedRows = FailedRows,
        TotalRows = TotalRows,
        Message = Message,
        ExecutedAt = ExecutedAt ?? now,
        DurationSeconds = DurationSeconds + 0.0,
        Metadata = RawJson.Stored(Metadata),
        RequestHash = hash,
        CreatedAt = now,
    };

    // SQLite keeps no negative zero; that plus zero is zero.
    private static double? Number(string? json) =>
        json is ['-' or (>= '0' and <= '9'), ..] && double.TryParse(json, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number + 0.0
            : null;
}

/// <summary>What became of a single result.</summary>
public sealed record ResultReceipt
{
    /// <summary>The result's id.</summary>
    public required string Id { get; init; }

    /// <summary>stored, or duplicate: the same result was stored before.</summary>
    public required string Outcome { get; init; }
}

/// <summary>What became of each of many results.</summary>
public sealed record ResultReceipts
{
    /// <summary>In the order of the request.</summary>
    public required IReadOnlyList<ItemReceipt> Items { get; init; }
}

/// <summary>What became of one of many results.</summary>
public sealed record ItemReceipt
{
    /// <summary>Its place in the request, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The result's id; null when it was rejected before it had one.</summary>
    public string? Id { get; init; }

    /// <summary>stored, duplicate or rejected.</summary>
    public required string Outcome { get; init; }

    /// <summary>Why it was rejected, stable and made for programs: the code that the same result posted alone is refused with; otherwise null.</summary>
    public string? Code { get; init; }

    /// <summary>Why it was rejected, otherwise null.</summary>
    public string? Reason { get; init; }
}

/// <summary>A check result as it was stored.</summary>
public sealed record CheckResultItem
{
    public required string Id { get; init; }
    public required string PipelineId { get; init; }
    public required string CheckId { get; init; }
    public string? RunId { get; init; }

    /// <summary>pass, warn, fail or error.</summary>
    public required string Status { get; init; }

    /// <summary>error or warn.</summary>
    public required string Severity { get; init; }

    public string? Dataset { get; init; }
    public RawJson? ObservedValue { get; init; }

    /// <summary>The observed value when it is a finite number, otherwise null.</summary>
    public double? ObservedNumber { get; init; }

    public RawJson? Expected { get; init; }
    public long? FailedRows { get; init; }
    public long? TotalRows { get; init; }
    public string? Message { get; init; }
    public required DateTimeOffset ExecutedAt { get; init; }
    public double? DurationSeconds { get; init; }
    public RawJson? Metadata { get; init; }

    /// <summary>When it was received.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    internal static CheckResultItem From(CheckResult result) => new()
    {
        Id = result.Id,
        PipelineId = result.PipelineId,
        CheckId = result.CheckId,
        RunId = result.RunId,
        Status = result.Status,
        Severity = result.Severity,
        Dataset = result.Dataset,
        ObservedValue = RawJson.From(result.ObservedValue),
        ObservedNumber = result.ObservedNumber,
        Expected = RawJson.From(result.Expected),
        FailedRows = result.FailedRows,
        TotalRows = result.TotalRows,
        Message = result.Message,
        ExecutedAt = result.ExecutedAt,
        DurationSeconds = result.DurationSeconds,
        Metadata = RawJson.From(result.Metadata),
        CreatedAt = result.CreatedAt,
    };
}

/// <summary>Which results to list.</summary>
public sealed record CheckResultQuery : ListQuery
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

    /// <summary>Only results with this status: pass, warn, fail, error, or another tool's word for one of them.</summary>
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
