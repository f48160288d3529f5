namespace Catalog.Data.Runs;

/// <summary>The current state of a run, without its stages and check results.</summary>
public sealed record Run
{
    public required string Id { get; init; }
    public required string PipelineId { get; init; }

    /// <summary>The status that clients see; failed when the gate is closed.</summary>
    public required string Status { get; init; }

    /// <summary>The number of the latest attempt, from 1. The other fields show the state of this attempt.</summary>
    public required long Attempt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public long? RecordsProcessed { get; init; }
    public string? ErrorMessage { get; init; }
    public string? Trigger { get; init; }
    public string? ExternalUrl { get; init; }

    /// <summary>A JSON document as sent, or null.</summary>
    public string? Metadata { get; init; }

    public required bool CheckGate { get; init; }

    /// <summary>The lowest id of a failed check with severity error; null when no such check has failed.</summary>
    public string? GateCheckId { get; init; }

    /// <summary>
    /// When the first event or the first failed check of the run was received, whichever was earlier.
    /// </summary>
    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>The current state of one stage of a run.</summary>
public sealed record RunStage
{
    public required string RunId { get; init; }
    public required string StageName { get; init; }
    public required string Status { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public long? RecordsProcessed { get; init; }
    public string? ErrorMessage { get; init; }
}

/// <summary>An earlier attempt of a run.</summary>
public sealed record RunAttempt
{
    /// <summary>The number of the attempt, from 1.</summary>
    public required long Attempt { get; init; }

    /// <summary>The status that the events report. The gate of checks affects only the latest attempt.</summary>
    public required string Status { get; init; }

    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public long? RecordsProcessed { get; init; }
    public string? ErrorMessage { get; init; }
}

/// <summary>The number of a run's check results with one status.</summary>
public sealed record CheckCount
{
    public required string RunId { get; init; }
    public required string Status { get; init; }
    public required long Count { get; init; }
}

/// <summary>A run with its stages and check counts.</summary>
/// <param name="Run">The run.</param>
/// <param name="Stages">Its stages by start; stages without a start come last.</param>
/// <param name="Checks">Its check results counted by status. A status without results has no entry.</param>
public sealed record RunDetail(Run Run, IReadOnlyList<RunStage> Stages, IReadOnlyList<CheckCount> Checks)
{
    /// <summary>The earlier attempts, oldest first; null in a list of runs, which does not read them.</summary>
    public IReadOnlyList<RunAttempt>? Attempts { get; init; }

    internal static List<RunStage> SortStages(IEnumerable<RunStage> stages) =>
        [.. stages.OrderBy(stage => stage.StartedAt ?? DateTimeOffset.MaxValue).ThenBy(stage => stage.StageName, StringComparer.Ordinal)];
}

/// <summary>A stored event of a run.</summary>
public sealed record ReceivedEvent
{
    /// <summary>The event's JSON, as sent.</summary>
    public required string Body { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>The digest in lower-case hexadecimal.</summary>
    public string Id => Convert.ToHexStringLower(Digest);

    public required byte[] Digest { get; init; }
}

/// <summary>The sort order of a list of runs, newest first.</summary>
public enum RunOrder
{
    /// <summary>By arrival.</summary>
    Created,

    /// <summary>By start; a run without a start is sorted by its arrival.</summary>
    Started,

    /// <summary>By end; runs without an end come first.</summary>
    Ended,
}

/// <summary>
/// Selects runs to list. A null field does not filter. Each <c>Since</c> is inclusive, each <c>Until</c> is exclusive.
/// </summary>
public sealed record RunFilter
{
    public RunOrder Order { get; init; }

    public string? PipelineId { get; init; }

    /// <summary>Stored status words. A run matches when it has one of these statuses.</summary>
    public IReadOnlyList<string>? Statuses { get; init; }

    /// <summary>Lower bound of the arrival.</summary>
    public DateTimeOffset? Since { get; init; }

    public DateTimeOffset? Until { get; init; }

    /// <summary>Lower bound of the start. A run without a start does not match.</summary>
    public DateTimeOffset? StartedSince { get; init; }

    public DateTimeOffset? StartedUntil { get; init; }

    /// <summary>
    /// Lower bound of the end. A pending or running run matches if <see cref="Statuses"/> contains its status, because
    /// it will end after the bound. Other runs without an end do not match.
    /// </summary>
    public DateTimeOffset? EndedSince { get; init; }

    public DateTimeOffset? EndedUntil { get; init; }

    internal bool IncludesUnended => Statuses?.Any(status => status is RunStatus.Pending or RunStatus.Running) == true;
}
