using Catalog.Data.Runs;

namespace Catalog.Api.Runs;

/// <summary>An earlier attempt of a run.</summary>
public sealed record RunAttemptItem
{
    /// <summary>The number of the attempt, from 1. Clients can choose numbers, so there can be gaps.</summary>
    public required long Attempt { get; init; }

    /// <summary>
    /// The reported status, in the same words as for a run. Failed checks change the status of the run only.
    /// </summary>
    public required string Status { get; init; }

    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>
    /// The time from start to end in seconds; null until both are known, or when the end is before the start.
    /// </summary>
    public double? DurationSeconds { get; init; }

    public long? RecordsProcessed { get; init; }
    public string? ErrorMessage { get; init; }

    internal static RunAttemptItem From(RunAttempt attempt) => new()
    {
        Attempt = attempt.Attempt,
        Status = attempt.Status,
        StartedAt = attempt.StartedAt,
        CompletedAt = attempt.CompletedAt,
        DurationSeconds = Duration.Seconds(attempt.StartedAt, attempt.CompletedAt),
        RecordsProcessed = attempt.RecordsProcessed,
        ErrorMessage = attempt.ErrorMessage,
    };
}
