using System.Text.Json;

namespace Catalog.Data.Runs;

/// <summary>
/// The state of a run or stage, folded from its events. The result does not depend on the order of events or on
/// repeats: each field keeps the time of the event that decided it. An event changes a field only when it is later; at
/// equal times null wins, then the greater value.
/// </summary>
internal class FoldedState
{
    private const string EndGaveError = "end_gave_error";
    private const string TryGaveError = "try_gave_error";
    private string _json = "{}";
    private Dictionary<string, long>? _decidedAt;

    public string? Status { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? CompletedAt { get; set; }

    public long? RecordsProcessed { get; set; }

    /// <summary>The latest reported error, also when the run ended well afterwards.</summary>
    public string? ErrorMessage { get; set; }

    /// <summary>
    /// A JSON object with the UTC ticks of the deciding event for each decided field. A value from an event without a
    /// time has no entry, a null from such an event has -1. Every entry is a number, because the previous release reads
    /// this too.
    /// </summary>
    public string DecidedAt
    {
        get => _decidedAt is null ? _json : JsonSerializer.Serialize(_decidedAt);
        set => (_json, _decidedAt) = (value, null);
    }

    /// <summary>
    /// The error that clients see. While the run has a good end, an error is shown only if (1) an event with a good end
    /// reported it, or (2) an event without a status reported it at or after the end. Any other error belongs to another
    /// attempt. It stays stored, because a later end may make it visible.
    /// </summary>
    public string? VisibleError => ErrorMessage is not null && EndsWell(Status) && !Decisions.ContainsKey(EndGaveError)
        && (Decisions.ContainsKey(TryGaveError) || DecisionOf("status") < 0 || DecisionOf("error_message") < DecisionOf("status"))
            ? null
            : ErrorMessage;

    // Parsed on demand: most rows are only shown.
    private Dictionary<string, long> Decisions => _decidedAt ??= JsonSerializer.Deserialize<Dictionary<string, long>>(_json)!;

    public void Apply(Report report)
    {
        if (report.Status is { } status)
        {
            ApplyStatus(status, report.CompletedAt);
        }

        StartedAt = report.StartedAt < StartedAt || StartedAt is null ? report.StartedAt ?? StartedAt : StartedAt;
        CompletedAt = report.CompletedAt > CompletedAt || CompletedAt is null ? report.CompletedAt ?? CompletedAt : CompletedAt;
        RecordsProcessed = Latest(ClearableFields.RecordsProcessed, "records_processed", RecordsProcessed, report.RecordsProcessed, report,
            Comparer<long?>.Default);
        ApplyError(report);
    }

    protected T Latest<T>(ClearableFields field, string name, T current, T reported, Report report, IComparer<T> order)
    {
        if (reported is null && !report.Clears.HasFlag(field))
        {
            return current;
        }

        var at = Ticks(report.At);
        if (current is not null || Decisions.ContainsKey(name))
        {
            var comparison = at.CompareTo(DecisionOf(name));
            if (comparison < 0 || (comparison == 0 && (current is null || (reported is not null && order.Compare(reported, current) <= 0))))
            {
                return current;
            }
        }

        Decide(name, at, isNull: reported is null);
        return reported;
    }

    private void ApplyError(Report report)
    {
        var before = (ErrorMessage, DecisionOf("error_message"));
        ErrorMessage = Latest(ClearableFields.ErrorMessage, "error_message", ErrorMessage, report.ErrorMessage, report,
            StringComparer.Ordinal);
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
            || (RunStatus.Rank(status), at, RunStatus.TieBreak(status))
                .CompareTo((RunStatus.Rank(Status), DecisionOf("status"), RunStatus.TieBreak(Status))) > 0)
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

/// <summary>A row of <c>runs</c> into which events are folded.</summary>
internal sealed class FoldedRun : FoldedState
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

    /// <summary>The status that clients see: failed when the gate is closed, otherwise the reported status.</summary>
    public string VisibleStatus => CheckGate && GateCheckId is not null ? RunStatus.Failed : Status ?? RunStatus.Pending;

    /// <summary>The sort time of a run without an end.</summary>
    public static readonly DateTimeOffset Never = Clock.Truncate(DateTimeOffset.MaxValue);

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

    public void Apply(RunEvent @event)
    {
        base.Apply(@event);
        Trigger = Latest(ClearableFields.Trigger, "trigger", Trigger, @event.Trigger, @event, StringComparer.Ordinal);
        ExternalUrl = Latest(ClearableFields.ExternalUrl, "external_url", ExternalUrl, @event.ExternalUrl, @event, StringComparer.Ordinal);
        Metadata = Latest(ClearableFields.Metadata, "metadata", Metadata, @event.Metadata, @event, StringComparer.Ordinal);
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

/// <summary>A row of <c>run_stages</c> into which events are folded.</summary>
internal sealed class FoldedStage : FoldedState
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
