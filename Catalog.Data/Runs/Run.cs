namespace Catalog.Data.Runs;

/// <summary>A run as it stands, without its stages and check results.</summary>
public sealed record Run
{
    public required string Id { get; init; }
    public required string PipelineId { get; init; }

    /// <summary>What clients see, the gate of failed checks included.</summary>
    public required string Status { get; init; }

    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public long? RecordsProcessed { get; init; }
    public string? ErrorMessage { get; init; }
    public string? Trigger { get; init; }
    public string? ExternalUrl { get; init; }

    /// <summary>A JSON document as sent, or null.</summary>
    public string? Metadata { get; init; }

    public required bool CheckGate { get; init; }

    /// <summary>The first failed check of severity error, by id; null while none has failed.</summary>
    public string? GateCheckId { get; init; }

    /// <summary>When the first event, or the first failed check, was received.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>One stage of a run as it stands.</summary>
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

/// <summary>How many check results of a run have one status.</summary>
public sealed record CheckCount
{
    public required string RunId { get; init; }
    public required string Status { get; init; }
    public required long Count { get; init; }
}

/// <summary>A run with all that is shown beside it.</summary>
/// <param name="Run">The run.</param>
/// <param name="Stages">Its stages, in the order in which they started, those that have not started last.</param>
/// <param name="Checks">Its check results, counted by status; a status without results is absent.</param>
public sealed record RunDetail(Run Run, IReadOnlyList<RunStage> Stages, IReadOnlyList<CheckCount> Checks)
{
    internal static List<RunStage> InOrder(IEnumerable<RunStage> stages) =>
        [.. stages.OrderBy(stage => stage.StartedAt ?? DateTimeOffset.MaxValue).ThenBy(stage => stage.StageName, StringComparer.Ordinal)];
}

/// <summary>One event as it was received.</summary>
public sealed record ReceivedEvent
{
    /// <summary>The event's JSON, as sent.</summary>
    public required string Body { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>Its digest in lower-case hexadecimal.</summary>
    public string Id => Convert.ToHexStringLower(Digest);

    public required byte[] Digest { get; init; }
}

/// <summary>What a list of runs is ordered by, the newest first.</summary>
public enum RunOrder
{
    /// <summary>When they were first heard of.</summary>
    Created,

    /// <summary>When they started; those without a start stand at their arrival.</summary>
    Started,

    /// <summary>When they ended; those without an end come first.</summary>
    Ended,
}

/// <summary>Which runs to list. Null does not filter; each <c>Since</c> is inclusive, each <c>Until</c> is not.</summary>
public sealed record RunFilter
{
    public RunOrder Order { get; init; }

    public string? PipelineId { get; init; }

    /// <summary>Stored status words, one of which a run has.</summary>
    public IReadOnlyList<string>? Statuses { get; init; }

    /// <summary>Bounds of arrival.</summary>
    public DateTimeOffset? Since { get; init; }

    public DateTimeOffset? Until { get; init; }

    /// <summary>Bounds of the start; a run without one is not listed.</summary>
    public DateTimeOffset? StartedSince { get; init; }

    public DateTimeOffset? StartedUntil { get; init; }

    /// <summary>Bounds of the end. A run without one is not listed, unless it is pending or running and <see cref="Statuses"/> asks for such: it will end after the lower bound.</summary>
    public DateTimeOffset? EndedSince { get; init; }

    public DateTimeOffset? EndedUntil { get; init; }

    internal bool AsksForUnended => Statuses?.Any(status => status is RunStatus.Pending or RunStatus.Running) == true;
}
