namespace Catalog.Data.Executions;

/// <summary>The stored status words of executions.</summary>
public static class ExecutionStatus
{
    /// <summary>No replica has begun to execute the checks.</summary>
    public const string Queued = "queued";

    /// <summary>A replica has begun to execute the checks. If it stops, another replica continues.</summary>
    public const string Running = "running";

    /// <summary>Every check has an outcome. Checks can have failed.</summary>
    public const string Completed = "completed";

    /// <summary>The service gave the execution up, because it took too long or was interrupted too often.</summary>
    public const string Failed = "failed";

    /// <summary>A client cancelled the execution.</summary>
    public const string Cancelled = "cancelled";

    public static IReadOnlyList<string> All { get; } = [Queued, Running, Completed, Failed, Cancelled];
}

/// <summary>One execution of checks.</summary>
public sealed record Execution
{
    public required string Id { get; init; }

    /// <summary>Null when the checks are standalone.</summary>
    public string? PipelineId { get; init; }

    public string? RunId { get; init; }

    /// <summary>A word of <see cref="ExecutionStatus"/>.</summary>
    public required string Status { get; init; }

    /// <summary>The time at which the schedule was due; null when a client asked for the execution.</summary>
    public DateTimeOffset? ScheduledFor { get; init; }

    public string? ErrorMessage { get; init; }

    /// <summary>When a client first asked to cancel the execution; null when no client asked.</summary>
    public DateTimeOffset? CancelRequestedAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The number of checks.</summary>
    public long Total { get; init; }

    public long Pass { get; init; }
    public long Warn { get; init; }
    public long Fail { get; init; }
    public long Error { get; init; }

    /// <summary>Whether the execution has ended.</summary>
    public bool IsFinished => Status is not (ExecutionStatus.Queued or ExecutionStatus.Running);
}

/// <summary>A check of an execution.</summary>
public sealed record ExecutionCheck
{
    /// <summary>The position of the check in the execution, from 0.</summary>
    public required long Place { get; init; }

    /// <summary>Empty for a standalone check.</summary>
    public required string PipelineId { get; init; }

    public required string CheckId { get; init; }

    /// <summary>A word of <see cref="Checks.CheckSeverity"/>.</summary>
    public required string Severity { get; init; }

    /// <summary>A word of <see cref="Checks.CheckStatus"/>; null until the check has an outcome.</summary>
    public string? Status { get; init; }

    public string? Message { get; init; }

    /// <summary>Null when no result was stored.</summary>
    public string? ResultId { get; init; }

    /// <summary>The connection in the check's definition; null when the check was deleted.</summary>
    public string? ConnectionId { get; init; }

    /// <summary>The table that was read; null when it is not known.</summary>
    public string? TableName { get; init; }

    public long? FailedRows { get; init; }
    public long? TotalRows { get; init; }
    public double? DurationSeconds { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
}

/// <summary>An execution to store.</summary>
public sealed record NewExecution
{
    public required string Id { get; init; }

    public string? PipelineId { get; init; }
    public string? RunId { get; init; }
    public DateTimeOffset? ScheduledFor { get; init; }
    public string? RequestedBy { get; init; }
    public byte[]? RequestHash { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The checks to execute, at least one.</summary>
    public required IReadOnlyList<CheckToExecute> Checks { get; init; }
}

/// <summary>A check of a <see cref="NewExecution"/>.</summary>
public sealed record CheckToExecute
{
    /// <summary>Empty for a standalone check.</summary>
    public required string PipelineId { get; init; }

    public required string CheckId { get; init; }

    /// <summary>A word of <see cref="Checks.CheckSeverity"/>.</summary>
    public required string Severity { get; init; }
}

/// <summary>The outcome of storing an execution.</summary>
public enum ExecutionOutcome
{
    /// <summary>The execution is stored.</summary>
    Created,

    /// <summary>The same request was stored before.</summary>
    Repeated,

    /// <summary>The idempotency key was used before with another request; nothing is stored.</summary>
    KeyReused,

    /// <summary>Too many executions of the organization wait; nothing is stored.</summary>
    QueueFull,

    /// <summary>The run belongs to another pipeline; nothing is stored.</summary>
    RunIdTaken,
}

/// <summary>Selects executions to list. A null field does not filter.</summary>
public sealed record ExecutionFilter
{
    public string? Status { get; init; }
    public string? PipelineId { get; init; }
    public string? CheckId { get; init; }
}
