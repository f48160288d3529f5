using System.Text.Json;

namespace Catalog.Data.Runs;

/// <summary>
/// The state of a run or stage, folded from its events. Folding does not depend on order and may repeat: each field keeps the
/// time of the event that decided it, and an event changes a field only when it is later (equal times: the greater value).
/// </summary>
internal class Progress
{
    private Dictionary<string, long> _decidedAt = [];

    public string? Status { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? CompletedAt { get; set; }

    public long? RecordsProcessed { get; set; }

    public string? ErrorMessage { get; set; }

    /// <summary>For each decided field the UTC ticks of the event that decided it, as a JSON object.</summary>
    public string DecidedAt
    {
        get => JsonSerializer.Serialize(_decidedAt);
        set => _decidedAt = JsonSerializer.Deserialize<Dictionary<string, long>>(value)!;
    }

    public void Apply(Report report)
    {
        if (report.Status is { } status)
        {
            ApplyStatus(status, report.CompletedAt);
        }

        StartedAt = report.StartedAt < StartedAt || StartedAt is null ? report.StartedAt ?? StartedAt : StartedAt;
        CompletedAt = report.CompletedAt > CompletedAt || CompletedAt is null ? report.CompletedAt ?? CompletedAt : CompletedAt;
        RecordsProcessed = Later("records_processed", RecordsProcessed, report.RecordsProcessed, report.At, Comparer<long?>.Default);
        ErrorMessage = Later("error_message", ErrorMessage, report.ErrorMessage, report.At, StringComparer.Ordinal);
    }

    protected T Later<T>(string field, T known, T said, DateTimeOffset? at, IComparer<T> order)
    {
        if (said is null)
        {
            return known;
        }

        var ticks = at?.UtcTicks ?? -1;
        var decided = _decidedAt.GetValueOrDefault(field, -1);
        if (known is not null && (ticks < decided || (ticks == decided && order.Compare(said, known) <= 0)))
        {
            return known;
        }

        Decide(field, ticks);
        return said;
    }

    private void ApplyStatus(string status, DateTimeOffset? completedAt)
    {
        var ticks = RunStatus.Rank(status) == 2 ? completedAt?.UtcTicks ?? -1 : -1;
        var decided = _decidedAt.GetValueOrDefault("status", -1);
        if (Status is null
            || (RunStatus.Rank(status), ticks, RunStatus.TieBreak(status)).CompareTo((RunStatus.Rank(Status), decided, RunStatus.TieBreak(Status))) > 0)
        {
            Status = status;
            Decide("status", ticks);
        }
    }

    private void Decide(string field, long ticks)
    {
        if (ticks < 0)
        {
            _decidedAt.Remove(field);
        }
        else
        {
            _decidedAt[field] = ticks;
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

    /// <summary>What clients see: failed while the gate holds, otherwise what the events say.</summary>
    public string VisibleStatus => CheckGate && GateCheckId is not null ? RunStatus.Failed : Status ?? RunStatus.Pending;

    public void Apply(RunEvent @event)
    {
        base.Apply(@event);
        Trigger = Later("trigger", Trigger, @event.Trigger, @event.At, StringComparer.Ordinal);
        ExternalUrl = Later("external_url", ExternalUrl, @event.ExternalUrl, @event.At, StringComparer.Ordinal);
        Metadata = Later("metadata", Metadata, @event.Metadata, @event.At, StringComparer.Ordinal);
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
        ErrorMessage = ErrorMessage,
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
        ErrorMessage = ErrorMessage,
    };
}
