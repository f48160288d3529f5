namespace Catalog.Data.Runs;

/// <summary>
/// A row of <c>runs</c>, or one attempt of a run, into which events are folded. The row contains the latest attempt.
/// </summary>
internal sealed class FoldedRun : FoldedState
{
    /// <summary>
    /// A start begins a new attempt if it is later than the latest end of the attempt by more than this. A smaller
    /// difference counts as clock skew.
    /// </summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    /// <summary>The sort time of a run without an end.</summary>
    public static readonly DateTimeOffset Never = Clock.Truncate(DateTimeOffset.MaxValue);

    public required string Id { get; init; }

    public required string PipelineId { get; init; }

    public string? Trigger { get; set; }

    public string? ExternalUrl { get; set; }

    public string? Metadata { get; set; }

    public bool CheckGate { get; set; } = true;

    public string? GateCheckId { get; init; }

    /// <summary>The number of the attempt, from 1.</summary>
    public long Attempt { get; set; } = 1;

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The status that clients see: failed when the gate is closed, otherwise the reported status.</summary>
    public string VisibleStatus => CheckGate && GateCheckId is not null ? RunStatus.Failed : Status ?? RunStatus.Pending;

    /// <summary>
    /// When this attempt begins. Events before this time belong to earlier attempts, unless they name this attempt.
    /// Null when there is no earlier attempt.
    /// </summary>
    public DateTimeOffset? Begin
    {
        get => TimeOf("attempt_begin");
        set => SetTime("attempt_begin", value);
    }

    /// <summary>
    /// When the first event of the run was received; null without events. If the oldest stored event was received later
    /// than this, some events were removed. Earlier releases did not store this time. For their runs the arrival of the
    /// run is used, which is never later.
    /// </summary>
    public DateTimeOffset? FirstReceived
    {
        get => TimeOf("first_event") ?? (Status is null ? null : CreatedAt);
        set => SetTime("first_event", value);
    }

    /// <summary>The latest end, but not before the start.</summary>
    public DateTimeOffset? End => CompletedAt < StartedAt ? StartedAt : CompletedAt;

    // Earlier releases did not store these two times. Their runs then count as one attempt until the events are folded
    // again.
    private DateTimeOffset? LatestStart => TimeOf("latest_start") ?? StartedAt;

    private DateTimeOffset? EarliestEnd => TimeOf("earliest_end") ?? End;

    /// <summary>
    /// The time that the run is sorted by. Without a start it is the arrival; without an end it is later than every
    /// end.
    /// </summary>
    public DateTimeOffset SortTime(RunOrder order) => order switch
    {
        RunOrder.Started => StartedAt ?? CreatedAt,
        RunOrder.Ended => CompletedAt ?? Never,
        _ => CreatedAt,
    };

    /// <summary>
    /// Whether events can be folded into this row without reading the other events of the run. This is possible if they
    /// begin no attempt, belong to no earlier attempt, and do not move other events to another attempt.
    /// </summary>
    public bool TakesAll(IEnumerable<ReceivedRunEvent> received)
    {
        var (start, end) = (LatestStart, EarliestEnd);
        foreach (var one in received)
        {
            if ((one.Attempt ?? Attempt) != Attempt
                || (Begin is { } begin && (one.Place < begin || (one.Place == begin && one.StartedAt is null))))
            {
                return false;
            }

            (start, end) = (Later(start, one.StartedAt), Earlier(end, one.End));
        }

        return !(start - end > Skew);
    }

    public void Apply(ReceivedRunEvent received)
    {
        var @event = received.Event;
        var (start, end) = (LatestStart, EarliestEnd);
        SetTime("latest_start", Later(start, received.StartedAt));
        SetTime("earliest_end", Earlier(end, received.End));
        FirstReceived = Earlier(FirstReceived, received.ReceivedAt);
        Apply(@event, received.At);
        Metadata = Latest(ClearableFields.Metadata, "metadata", Metadata, @event.Metadata, @event, received.At.UtcTicks,
            StringComparer.Ordinal);
        ApplyShared(received);
    }

    /// <summary>Folds the fields that all attempts share.</summary>
    public void ApplyShared(ReceivedRunEvent received)
    {
        var (@event, at) = (received.Event, received.At.UtcTicks);
        Trigger = Latest(ClearableFields.Trigger, "trigger", Trigger, @event.Trigger, @event, at, StringComparer.Ordinal);
        ExternalUrl = Latest(ClearableFields.ExternalUrl, "external_url", ExternalUrl, @event.ExternalUrl, @event, at,
            StringComparer.Ordinal);
        CheckGate = CheckGate && @event.CheckGate is not false;
    }

    /// <summary>Takes the fields that all attempts share from another attempt.</summary>
    public void TakeShared(FoldedRun other)
    {
        (Trigger, ExternalUrl, CheckGate) = (other.Trigger, other.ExternalUrl, other.CheckGate);
        foreach (var name in (string[])["trigger", "external_url"])
        {
            if (other.Decisions.TryGetValue(name, out var at))
            {
                Decisions[name] = at;
            }
            else
            {
                Decisions.Remove(name);
            }
        }
    }

    /// <summary>Another attempt of this run, without events.</summary>
    /// <param name="attempt">The number of the attempt.</param>
    public FoldedRun Empty(long attempt) => new()
    {
        Id = Id,
        PipelineId = PipelineId,
        GateCheckId = GateCheckId,
        CreatedAt = CreatedAt,
        UpdatedAt = UpdatedAt,
        Attempt = attempt,
    };

    public Run ToRun(DateTimeOffset updatedAt) => new()
    {
        Id = Id,
        PipelineId = PipelineId,
        Status = VisibleStatus,
        Attempt = Attempt,
        StartedAt = StartedAt,
        CompletedAt = CompletedAt,
        RecordsProcessed = RecordsProcessed,
        ErrorMessage = VisibleError,
        Trigger = Trigger,
        ExternalUrl = ExternalUrl,
        Metadata = Metadata,
        CheckGate = CheckGate,
        GateCheckId = GateCheckId,
        CreatedAt = CreatedAt,
        UpdatedAt = updatedAt,
    };

    public RunAttempt ToAttempt() => new()
    {
        Attempt = Attempt,
        Status = Status ?? RunStatus.Pending,
        StartedAt = StartedAt,
        CompletedAt = CompletedAt,
        RecordsProcessed = RecordsProcessed,
        ErrorMessage = VisibleError,
    };

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => other < one || one is null ? other ?? one : one;

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) => other > one || one is null ? other ?? one : one;

    private DateTimeOffset? TimeOf(string name) =>
        Decisions.TryGetValue(name, out var ticks) ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    private void SetTime(string name, DateTimeOffset? time)
    {
        if (time is { } set)
        {
            Decisions[name] = set.UtcTicks;
        }
    }
}
