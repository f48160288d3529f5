using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data.Checks;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Checks;

/// <summary>The definition of a check, to replace one.</summary>
public record PutCheck
{
    /// <summary>The dataset that it looks at.</summary>
    public string? Dataset { get; init; }

    /// <summary>The connection that it runs on; it need not be registered yet.</summary>
    public string? ConnectionId { get; init; }

    /// <summary>What kind of check it is, such as row_count or not_null. A kind or SQL is required.</summary>
    public string? Kind { get; init; }

    /// <summary>The column that it looks at.</summary>
    public string? Column { get; init; }

    /// <summary>The columns that it looks at, where it is more than one.</summary>
    public IReadOnlyList<string?>? Columns { get; init; }

    /// <summary>What the kind needs to know besides.</summary>
    public RawJson? Params { get; init; }

    /// <summary>Its SQL, at most 64 KiB.</summary>
    public string? Sql { get; init; }

    /// <summary>error (the default): a failure marks the run failed; warn: it does not.</summary>
    public string? Severity { get; init; }

    /// <summary>When it warns: a number, or an object that says how the measured number is compared.</summary>
    public RawJson? Warn { get; init; }

    /// <summary>When it fails: a number, or an object that says how the measured number is compared.</summary>
    public RawJson? Fail { get; init; }

    /// <summary>When it runs: a cron expression of five fields (minute, hour, day of month, month, day of week), with L, W and # where wished; or @hourly, @daily, @weekly, @monthly, @yearly.</summary>
    public string? Schedule { get; init; }

    internal Check ToCheck(string id, string pipelineId, string definition, DateTimeOffset now) => new()
    {
        Id = id,
        PipelineId = pipelineId,
        Dataset = Dataset,
        ConnectionId = ConnectionId,
        Kind = Kind,
        Severity = Severity ?? CheckSeverity.Error,
        Definition = definition,
        CreatedAt = now,
        UpdatedAt = now,
    };
}

/// <summary>The definition of a check.</summary>
public sealed record PostCheck : PutCheck
{
    /// <summary>The check's id, unique in its pipeline; <c>results</c> is a path of its own and no id.</summary>
    public string? Id { get; init; }

    /// <summary>The pipeline that it belongs to, which must be registered; left out, it stands alone.</summary>
    public string? PipelineId { get; init; }
}

/// <summary>The definition of a check as it stands.</summary>
public sealed record CheckItem
{
    public required string Id { get; init; }

    /// <summary>Null for a check that stands alone.</summary>
    public string? PipelineId { get; init; }

    /// <summary>The version of the pipeline that brought it; null when it was created by itself.</summary>
    public string? PipelineVersion { get; init; }

    public string? Dataset { get; init; }
    public string? ConnectionId { get; init; }
    public string? Kind { get; init; }
    public RawJson? Column { get; init; }
    public RawJson? Columns { get; init; }
    public RawJson? Params { get; init; }
    public RawJson? Sql { get; init; }

    /// <summary>error or warn.</summary>
    public required string Severity { get; init; }

    public RawJson? Warn { get; init; }
    public RawJson? Fail { get; init; }
    public RawJson? Schedule { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    internal static CheckItem From(Check check)
    {
        // What came with a pipeline may have any shape here, and is shown as its generator wrote it.
        using var json = JsonDocument.Parse(check.Definition);
        RawJson? Raw(string name) => json.RootElement.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? new(value.GetRawText()) : null;
        return new()
        {
            Id = check.Id,
            PipelineId = check.PipelineId.Length == 0 ? null : check.PipelineId,
            PipelineVersion = check.PipelineVersion,
            Dataset = check.Dataset,
            ConnectionId = check.ConnectionId,
            Kind = check.Kind,
            Column = Raw("column"),
            Columns = Raw("columns"),
            Params = Raw("params"),
            Sql = Raw("sql"),
            Severity = check.Severity,
            Warn = Raw("warn"),
            Fail = Raw("fail"),
            Schedule = Raw("schedule"),
            CreatedAt = check.CreatedAt,
            UpdatedAt = check.UpdatedAt,
        };
    }
}

/// <summary>Which definitions to list.</summary>
public sealed record CheckQuery : ListQuery
{
    internal override string List => "checks";

    /// <summary>Only checks of this pipeline; empty: only those that stand alone.</summary>
    [FromQuery(Name = "pipeline_id"), AllowsEmpty]
    public string? PipelineId { get; init; }

    /// <summary>Only checks of this dataset.</summary>
    public string? Dataset { get; init; }

    /// <summary>Only checks of this kind.</summary>
    public string? Kind { get; init; }

    /// <summary>Only checks of this severity: error or warn.</summary>
    public string? Severity { get; init; }

    internal CheckFilter ToFilter() => new() { PipelineId = PipelineId, Dataset = Dataset, Kind = Kind, Severity = Severity };
}

/// <summary>Which check is meant.</summary>
public sealed record CheckChoice
{
    /// <summary>Its pipeline; empty: it stands alone; left out: whichever, when only one has this id.</summary>
    [FromQuery(Name = "pipeline_id"), AllowsEmpty]
    public string? PipelineId { get; init; }
}

/// <summary>Which part of a check's history to read.</summary>
public sealed record HistoryQuery : ListQuery
{
    internal override string List => "check_history";

    /// <summary>Its pipeline, as for reading the check.</summary>
    [FromQuery(Name = "pipeline_id"), AllowsEmpty]
    public string? PipelineId { get; init; }

    /// <summary>Only results executed at or after this time.</summary>
    public Instant? Since { get; init; }

    /// <summary>Only results executed before this time.</summary>
    public Instant? Until { get; init; }
}

/// <summary>What a check measured over time.</summary>
public sealed record CheckHistory
{
    /// <summary>Passes among the results that passed, warned or failed, 0 to 1, over the newest 10,000 of the time asked for; null when there are none.</summary>
    public double? PassRate { get; init; }

    /// <summary>How many of the same results have each status.</summary>
    public required CheckCounts Counts { get; init; }

    /// <summary>The last executed first.</summary>
    public required IReadOnlyList<Measurement> Items { get; init; }

    /// <summary>Send it as <c>cursor</c> for the next page; null when this was the last.</summary>
    public string? NextCursor { get; init; }
}

/// <summary>How many results have each status.</summary>
public sealed record CheckCounts
{
    public required long Pass { get; init; }
    public required long Warn { get; init; }
    public required long Fail { get; init; }
    public required long Error { get; init; }
}

/// <summary>What a check measured once.</summary>
public sealed record Measurement
{
    /// <summary>The result's id.</summary>
    public required string Id { get; init; }

    public required DateTimeOffset ExecutedAt { get; init; }

    /// <summary>pass, warn, fail or error.</summary>
    public required string Status { get; init; }

    /// <summary>What was measured, when it was a finite number.</summary>
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
