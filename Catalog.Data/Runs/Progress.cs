using System.Text.Json;

namespace Catalog.Data.Runs;

/// <summary>
/// The state of a run or stage, folded from its events. Folding does not depend on order and may repeat: each field keeps the
/// time of the event that decided it, and an event changes a field only when it is later (equal times: null, then the greater value).
/// </summary>
internal class Progress
{
    private const string EndGaveError = "end_gave_error";
    private const string TryGaveError = "try_gave_error";
    private string _json = "{}";
    private Dictionary<string, long>? _decidedAt;

    public string? Status { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? CompletedAt { get; set; }

    public long? RecordsProcessed { get; set; }

    /// <summary>The latest error that was told, whatever became of the run since.</summary>
    public string? ErrorMessage { get; set; }

    /// <summary>
    /// For each decided field the UTC ticks of the event that decided it, as a JSON object. A value from an event without a time has no entry,
    /// a null from one has -1. The release before reads it too, so every entry is a number.
    /// </summary>
    public string DecidedAt
    {
        get => _decidedAt is null ? _json : JsonSerializer.Serialize(_decidedAt);
        set => (_json, _decidedAt) = (value, null);
    }

    /// <summary>
    /// What clients see. What ended well has an error only when an event that says so gave it, or one that says no status and is not earlier:
    /// any other is that of another attempt, whenever it was. It is kept, because an end that has yet to arrive may make it count.
    /// </summary>
    public string? VisibleError => ErrorMessage is not null && EndsWell(Status) && !Decisions.ContainsKey(EndGaveError)
        && (Decisions.ContainsKey(TryGaveError) || DecisionOf("status") < 0 || DecisionOf("error_message") < DecisionOf("status"))
            ? null
            : ErrorMessage;

    // Most rows are only shown, and need none of it.
    private Dictionary<string, long> Decisions => _decidedAt ??= JsonSerializer.Deserialize<Dictionary<string, long>>(_json)!;

    public void Apply(Report report)
    {
        if (report.Status is { } status)
        {
            ApplyStatus(status, report.CompletedAt);
        }

        StartedAt = report.StartedAt < StartedAt || StartedAt is null ? report.StartedAt ?? StartedAt : StartedAt;
        CompletedAt = report.CompletedAt > CompletedAt || CompletedAt is null ? report.CompletedAt ?? CompletedAt : CompletedAt;
        RecordsProcessed = Later(KeptFields.RecordsProcessed, "records_processed", RecordsProcessed, report.RecordsProcessed, report, Comparer<long?>.Default);
        ApplyError(report);
    }

    protected T Later<T>(KeptFields field, string name, T known, T said, Report report, IComparer<T> order)
    {
        if (said is null && !report.TakesBack.HasFlag(field))
        {
            return known;
        }

        var at = Ticks(report.At);
        if (known is not null || Decisions.ContainsKey(name))
        {
            var later = at.CompareTo(DecisionOf(name));
            if (later < 0 || (later == 0 && (known is null || (said is not null && order.Compare(said, known) <= 0))))
            {
                return known;
            }
        }

        Decide(name, at, isNull: said is null);
        return said;
    }

    private void ApplyError(Report report)
    {
        var before = (ErrorMessage, DecisionOf("error_message"));
        ErrorMessage = Later(KeptFields.ErrorMessage, "error_message", ErrorMessage, report.ErrorMessage, report, StringComparer.Ordinal);
        var after = (ErrorMessage, DecisionOf("error_message"));
        if (after != before)
        {
            Decisions.Remove(EndGaveError);
            Decisions.Remove(TryGaveError);
        }

        if (report is { ErrorMessage: not null, Status: not null } && after == (report.ErrorMessage, Ticks(report.At)))
        {
            Decisions[EndsWell(report.Status) ? EndGaveError : TryGaveError] = 1;
        }
    }

    private void ApplyStatus(string status, DateTimeOffset? completedAt)
    {
        var at = RunStatus.Rank(status) == 2 ? Ticks(completedAt) : -1;
        if (Status is null
            || (RunStatus.Rank(status), at, RunStatus.TieBreak(status)).CompareTo((RunStatus.Rank(Status), DecisionOf("status"), RunStatus.TieBreak(Status))) > 0)
        {
            Status = status;
            Decide("status", at, isNull: false);
        }
    }

    private static bool EndsWell(string? status) => status is RunStatus.Completed or RunStatus.Skipped;

    private static long Ticks(DateTimeOffset? at) => at?.UtcTicks ?? -1;

    private long DecisionOf(string field) => Decisions.GetValueOrDefault(field, -1);

    private void Decide(string field, long ticks, bool isNull)
    {
        if (ticks < 0 && !isNull)
        {
            Decisions.Remove(field);
        }
        else
        {
            Decisions[field] = ticks;
        }
    }
}

/// <summary>A run's row while events are folded into it.</summary>
internal sealed class RunProgress : Progress
{
    public required string Id { get; init; }

    public required string PipelineId { get; init; }

    public string? Trigger { get; set; }

    public string? ExternalUrl { get; set; }

    public string? Metadata { get; set; }

    public bool CheckGate { get; set; } = true;

    public string? GateCheckId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>What clients see: failed while the gate holds, otherwise what the events say.</summary>
    public string VisibleStatus => CheckGate && GateCheckId is not null ? RunStatus.Failed : Status ?? RunStatus.Pending;

    /// <summary>Where a run without an end stands among ends.</summary>
    public static readonly DateTimeOffset Never = Clock.Truncate(DateTimeOffset.MaxValue);

    /// <summary>Where the run stands in an order. One without a start stands at its arrival, one without an end after every end.</summary>
    public DateTimeOffset In(RunOrder order) => order switch
    {
        RunOrder.Started => StartedAt ?? CreatedAt,
        RunOrder.Ended => CompletedAt ?? Never,
        _ => CreatedAt,
    };

    public void Apply(RunEvent @event)
    {
        base.Apply(@event);
        Trigger = Later(KeptFields.Trigger, "trigger", Trigger, @event.Trigger, @event, StringComparer.Ordinal);
        ExternalUrl = Later(KeptFields.ExternalUrl, "external_url", ExternalUrl, @event.ExternalUrl, @event, StringComparer.Ordinal);
        Metadata = Later(KeptFields.Metadata, "metadata", Metadata, @event.Metadata, @event, StringComparer.Ordinal);
        CheckGate = CheckGate && @event.CheckGate is not false;
    }

    public Run ToRun(DateTimeOffset updatedAt) => new()
    {
        Id = Id,
        PipelineId = PipelineId,
        Status = VisibleStatus,
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
}

/// <summary>A stage's row while events are folded into it.</summary>
internal sealed class StageProgress : Progress
{
    public required string RunId { get; init; }

    public required string StageName { get; init; }

    public RunStage ToStage() => new()
    {
        RunId = RunId,
        StageName = StageName,
        Status = Status ?? RunStatus.Pending,
        StartedAt = StartedAt,
        CompletedAt = CompletedAt,
        RecordsProcessed = RecordsProcessed,
        ErrorMessage = VisibleError,
    };
}
