using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data.Checks;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Checks;

/// <summary>A new definition for an existing check.</summary>
public record PutCheck
{
    /// <summary>The id of the checked dataset.</summary>
    public string? Dataset { get; init; }

    /// <summary>The connection that the check runs on. It need not be registered yet.</summary>
    public string? ConnectionId { get; init; }

    /// <summary>
    /// The kind of check, such as row_count or not_null. Either kind or sql is required. If connection_id is set and
    /// the Catalog runs this kind itself, the Catalog rejects a definition that it cannot run.
    /// </summary>
    public string? Kind { get; init; }

    /// <summary>The checked column.</summary>
    public string? Column { get; init; }

    /// <summary>The checked columns when there are several.</summary>
    public IReadOnlyList<string?>? Columns { get; init; }

    /// <summary>
    /// An object with the parameters of the kind. Kinds that the Catalog runs accept table, where, group_by,
    /// max_groups, samples and sample_deny, and each kind has further parameters of its own.
    /// </summary>
    public RawJson? Params { get; init; }

    /// <summary>The SQL of the check, at most 65,536 characters.</summary>
    public string? Sql { get; init; }

    /// <summary>
    /// error (the default): a failure marks the run failed. warn: a failure does not mark the run failed.
    /// </summary>
    public string? Severity { get; init; }

    /// <summary>
    /// When the check warns. A number N means "more than N". An object has one or more of above, at_least, below,
    /// at_most, equals, not_equals, between and outside. All of these conditions must hold. The object may also have
    /// unit: count or percent.
    /// </summary>
    public RawJson? Warn { get; init; }

    /// <summary>When the check fails. The format is that of <c>warn</c>.</summary>
    public RawJson? Fail { get; init; }

    /// <summary>
    /// The schedule: a cron expression of five fields (minute, hour, day of month, month, day of week), which may use
    /// L, W and #; or @hourly, @daily, @weekly, @monthly, @yearly.
    /// </summary>
    public string? Schedule { get; init; }

    /// <summary>The time zone of the schedule: an IANA name such as Europe/Berlin. The default is UTC.</summary>
    public string? ScheduleTimeZone { get; init; }

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
    /// <summary>
    /// The check's id, unique in its pipeline. <c>results</c>, <c>states</c> and <c>flapping</c> are not allowed,
    /// because they are paths of the API.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>
    /// The id of the pipeline of the check. The pipeline must be registered. If it is left out, the check is
    /// standalone.
    /// </summary>
    public string? PipelineId { get; init; }
}

/// <summary>The current definition of a check.</summary>
public sealed record CheckItem
{
    public required string Id { get; init; }

    /// <summary>Null for a standalone check.</summary>
    public string? PipelineId { get; init; }

    /// <summary>The pipeline version that defined the check; null when the check was created through the API.</summary>
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

    /// <summary>The time zone of the schedule; null means UTC.</summary>
    public RawJson? ScheduleTimeZone { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The latest result; null when the check has no result.</summary>
    public LastResultItem? LastResult { get; init; }

    /// <summary>The item without its latest result. This is the part that an update replaces.</summary>
    internal CheckItem Definition => this with { LastResult = null };

    internal static CheckItem From(Check check)
    {
        // In a definition from a pipeline, these members can be of any JSON type. They are shown as the generator of
        // the pipeline wrote them.
        using var json = JsonDocument.Parse(check.Definition);
        RawJson? Raw(string name) => json.RootElement.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? new(value.GetRawText()) : null;
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
            ScheduleTimeZone = Raw("schedule_time_zone"),
            CreatedAt = check.CreatedAt,
            UpdatedAt = check.UpdatedAt,
            LastResult = check.LastResult is { } last ? LastResultItem.From(last) : null,
        };
    }
}

/// <summary>
/// The latest result of a check: the result that was executed last. Of results with the same time, the worst one counts
/// (fail, error, warn, pass).
/// </summary>
public sealed record LastResultItem
{
    /// <summary>pass, warn, fail or error.</summary>
    public required string Status { get; init; }

    public required DateTimeOffset ExecutedAt { get; init; }
    public required string ResultId { get; init; }
    public string? RunId { get; init; }

    /// <summary>The observed value when it is a finite number, otherwise null.</summary>
    public double? ObservedNumber { get; init; }

    internal static LastResultItem From(LastResult last) => new()
    {
        Status = last.Status,
        ExecutedAt = last.ExecutedAt,
        ResultId = last.ResultId,
        RunId = last.RunId,
        ObservedNumber = last.ObservedNumber,
    };
}

/// <summary>Selects definitions to list.</summary>
public sealed record CheckQuery : CountedListQuery
{
    internal override string List => "checks";

    /// <summary>Only checks of this pipeline. An empty value selects only standalone checks.</summary>
    [FromQuery(Name = "pipeline_id"), AllowsEmpty]
    public string? PipelineId { get; init; }

    /// <summary>Only checks of this dataset.</summary>
    public string? Dataset { get; init; }

    /// <summary>Only checks of this kind.</summary>
    public string? Kind { get; init; }

    /// <summary>Only checks of this severity: error or warn.</summary>
    public string? Severity { get; init; }

    /// <summary>
    /// Only checks whose latest result has this status: pass, warn, fail, error, or another tool's word for one of
    /// these statuses. <c>fail</c> lists the checks that fail now.
    /// </summary>
    public string? Status { get; init; }

    internal CheckFilter ToFilter() => new()
    {
        PipelineId = PipelineId,
        Dataset = Dataset,
        Kind = Kind,
        Severity = Severity,
        Status = Status is null ? null : CheckStatus.Words[Status],
    };
}

/// <summary>Selects one of the checks with the same id.</summary>
public sealed record CheckSelector
{
    /// <summary>
    /// The pipeline of the check; empty for a standalone check. May be left out when only one check has this id.
    /// </summary>
    [FromQuery(Name = "pipeline_id"), AllowsEmpty]
    public string? PipelineId { get; init; }
}
