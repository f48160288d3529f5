using System.Text.Json.Serialization;
using Catalog.Api.Http;
using Catalog.Data.Executions;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Executions;

/// <summary>A request to execute a check.</summary>
public record PostCheckExecution
{
    /// <summary>
    /// The id of the run that the results belong to. The run need not be known yet. A failure of a check with severity
    /// error marks the run failed. Leave this field out for a standalone check, which has no runs.
    /// </summary>
    public string? RunId { get; init; }
}

/// <summary>A request to execute checks of a pipeline.</summary>
public sealed record PostPipelineExecution : PostCheckExecution
{
    /// <summary>
    /// The ids of the checks to execute, 1 to 500. The default is all checks of the pipeline that have a connection_id.
    /// </summary>
    public IReadOnlyList<string?>? Checks { get; init; }
}

/// <summary>An execution of checks.</summary>
public record ExecutionItem
{
    public required string Id { get; init; }

    /// <summary>Null when the checks are standalone.</summary>
    public string? PipelineId { get; init; }

    public string? RunId { get; init; }

    /// <summary>
    /// queued, running, completed (every check has an outcome, whatever the outcome is), failed (the execution was
    /// given up; see error_message) or cancelled.
    /// </summary>
    public required string Status { get; init; }

    /// <summary>
    /// The time of the schedule for which the execution was queued; null when a client requested the execution.
    /// </summary>
    public DateTimeOffset? ScheduledFor { get; init; }

    /// <summary>Why the execution was given up; otherwise null.</summary>
    public string? ErrorMessage { get; init; }

    /// <summary>
    /// When a client asked to cancel the execution; null when no client asked. The execution can still complete before
    /// it stops.
    /// </summary>
    public DateTimeOffset? CancelRequestedAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The number of checks.</summary>
    public required long Total { get; init; }

    /// <summary>The number of checks that have an outcome.</summary>
    public required long Executed { get; init; }

    /// <summary>The number of outcomes with each status.</summary>
    public required OutcomeCounts Outcomes { get; init; }

    internal static ExecutionItem From(Execution execution) => Fill(new ExecutionItem
    {
        Id = execution.Id,
        Status = execution.Status,
        CreatedAt = execution.CreatedAt,
        Total = execution.Total,
        Executed = 0,
        Outcomes = OutcomeCounts.Of(execution),
    }, execution);

    /// <summary>Sets the fields that every form of an execution has.</summary>
    private protected static T Fill<T>(T item, Execution execution) where T : ExecutionItem => item with
    {
        PipelineId = execution.PipelineId,
        RunId = execution.RunId,
        ScheduledFor = execution.ScheduledFor,
        ErrorMessage = execution.ErrorMessage,
        CancelRequestedAt = execution.CancelRequestedAt,
        StartedAt = execution.StartedAt,
        FinishedAt = execution.FinishedAt,
        Executed = execution.Pass + execution.Warn + execution.Fail + execution.Error,
    };
}

/// <summary>The number of outcomes with each status.</summary>
public sealed record OutcomeCounts
{
    public required long Pass { get; init; }
    public required long Warn { get; init; }
    public required long Fail { get; init; }

    /// <summary>The number of checks that could not be evaluated.</summary>
    public required long Error { get; init; }

    internal static OutcomeCounts Of(Execution execution) =>
        new() { Pass = execution.Pass, Warn = execution.Warn, Fail = execution.Fail, Error = execution.Error };
}

/// <summary>An execution with its progress and the outcome of each check.</summary>
public sealed record ExecutionDetail : ExecutionItem
{
    /// <summary>
    /// The number of rows that the executed checks judged. A table that several checks read counts once.
    /// </summary>
    [JsonPropertyOrder(1)]
    public required long Rows { get; init; }

    /// <summary>Rows per second since the start; null before the first rows.</summary>
    [JsonPropertyOrder(1)]
    public double? RowsPerSecond { get; init; }

    /// <summary>The progress by connection and table, ordered by the name of the table.</summary>
    [JsonPropertyOrder(1)]
    public required IReadOnlyList<TableProgress> Tables { get; init; }

    /// <summary>The checks in the order of their ids.</summary>
    [JsonPropertyOrder(1)]
    public required IReadOnlyList<ExecutedCheck> Checks { get; init; }

    internal static ExecutionDetail From(Execution execution, IReadOnlyList<ExecutionCheck> checks, DateTimeOffset now)
    {
        List<TableProgress> tables = [.. checks.Where(check => check.TableName is not null)
            .GroupBy(check => (check.ConnectionId, Table: check.TableName!))
            .OrderBy(table => table.Key.Table, StringComparer.Ordinal).ThenBy(table => table.Key.ConnectionId, StringComparer.Ordinal)
            .Select(TableProgress.Of)];
        var rows = tables.Sum(table => table.Rows);
        var seconds = execution.StartedAt is { } started ? ((execution.FinishedAt ?? now) - started).TotalSeconds : 0;
        return Fill(new ExecutionDetail
        {
            Id = execution.Id,
            Status = execution.Status,
            CreatedAt = execution.CreatedAt,
            Total = execution.Total,
            Executed = 0,
            Outcomes = OutcomeCounts.Of(execution),
            Rows = rows,
            RowsPerSecond = rows > 0 && seconds > 0 ? Math.Round(rows / seconds, 1) : null,
            Tables = tables,
            Checks = [.. checks.Select(ExecutedCheck.From)],
        }, execution);
    }
}

/// <summary>The progress of the checks of one table.</summary>
public sealed record TableProgress
{
    /// <summary>The connection of the checks; null when the checks were deleted.</summary>
    public string? ConnectionId { get; init; }

    /// <summary>The table's name, as the checks give it.</summary>
    public required string Table { get; init; }

    /// <summary>The number of executed checks that read the table.</summary>
    public required long Executed { get; init; }

    /// <summary>The number of rows of the table that were judged; 0 when the checks count no rows.</summary>
    public required long Rows { get; init; }

    /// <summary>Rows per second, from the check of the table that took longest; null when it is not known.</summary>
    public double? RowsPerSecond { get; init; }

    // Checks of one table share a scan, so the rows and the time of the scan count once.
    internal static TableProgress Of(IGrouping<(string? ConnectionId, string Table), ExecutionCheck> table)
    {
        var (rows, seconds) = (table.Max(check => check.TotalRows) ?? 0, table.Max(check => check.DurationSeconds) ?? 0);
        return new()
        {
            ConnectionId = table.Key.ConnectionId,
            Table = table.Key.Table,
            Executed = table.Count(),
            Rows = rows,
            RowsPerSecond = rows > 0 && seconds > 0 ? Math.Round(rows / seconds, 1) : null,
        };
    }
}

/// <summary>A check of an execution.</summary>
public sealed record ExecutedCheck
{
    public required string CheckId { get; init; }

    /// <summary>Null for a standalone check.</summary>
    public string? PipelineId { get; init; }

    /// <summary>error or warn.</summary>
    public required string Severity { get; init; }

    /// <summary>pass, warn, fail or error; null until the check has an outcome.</summary>
    public string? Status { get; init; }

    public string? Message { get; init; }

    /// <summary>The id of the stored check result; null when there is none.</summary>
    public string? ResultId { get; init; }

    /// <summary>The connection in the check's definition; null when the check was deleted.</summary>
    public string? ConnectionId { get; init; }

    /// <summary>The table that the check read; null when it is not known.</summary>
    public string? Table { get; init; }

    public long? FailedRows { get; init; }
    public long? TotalRows { get; init; }
    public double? DurationSeconds { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    internal static ExecutedCheck From(ExecutionCheck check) => new()
    {
        CheckId = check.CheckId,
        PipelineId = check.PipelineId.Length == 0 ? null : check.PipelineId,
        Severity = check.Severity,
        Status = check.Status,
        Message = check.Message,
        ResultId = check.ResultId,
        ConnectionId = check.ConnectionId,
        Table = check.TableName,
        FailedRows = check.FailedRows,
        TotalRows = check.TotalRows,
        DurationSeconds = check.DurationSeconds,
        FinishedAt = check.FinishedAt,
    };
}

/// <summary>Selects executions to list.</summary>
public sealed record ExecutionQuery : CountedListQuery
{
    internal override string List => "executions";

    /// <summary>Only executions with this status: queued, running, completed, failed or cancelled.</summary>
    public string? Status { get; init; }

    /// <summary>Only executions of this pipeline.</summary>
    [FromQuery(Name = "pipeline_id")]
    public string? PipelineId { get; init; }

    /// <summary>Only executions that contain this check.</summary>
    [FromQuery(Name = "check_id")]
    public string? CheckId { get; init; }

    internal ExecutionFilter ToFilter() => new() { Status = Status, PipelineId = PipelineId, CheckId = CheckId };
}

internal sealed class ExecutionQueryValidator : ListQueryValidator<ExecutionQuery>
{
    public ExecutionQueryValidator()
    {
        RuleFor(query => query.Status).OneOf(ExecutionStatus.All);
        RuleFor(query => query.PipelineId).Text(Validation.MaxKey);
        RuleFor(query => query.CheckId).Text(Validation.MaxKey);
    }
}

internal sealed class PostCheckExecutionValidator : AbstractValidator<PostCheckExecution>
{
    public PostCheckExecutionValidator() => RuleFor(execution => execution.RunId).OptionalKey();
}

internal sealed class PostPipelineExecutionValidator : AbstractValidator<PostPipelineExecution>
{
    public PostPipelineExecutionValidator()
    {
        RuleFor(execution => execution.RunId).OptionalKey();
        RuleFor(execution => execution.Checks).SetValidator(new NotEmptyRule<PostPipelineExecution, string?>(
            "must name a check. Leave it out to execute all checks of the pipeline that have a connection_id."));
        RuleForEach(execution => execution.Checks).Key();
    }
}
