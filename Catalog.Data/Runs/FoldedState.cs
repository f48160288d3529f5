using System.Text.Json;

namespace Catalog.Data.Runs;

/// <summary>
/// The state of a run or stage, folded from its events. The result does not depend on the order of events or on
/// repeats. The start is the earliest reported start, and the end is the latest reported end. The other fields keep the
/// time of the event that decided them, and only a later event changes them; at equal times null wins, then the greater
/// value. For a status, <see cref="RunStatus.Rank"/> is compared first.
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

    /// <summary>The latest reported error, even if the run ended well afterwards.</summary>
    public string? ErrorMessage { get; set; }

    /// <summary>
    /// A JSON object. For each decided field it contains the UTC ticks of the event that decided the field. Earlier
    /// releases stored no entry for a value from an event without a time, and -1 for a null from an event without a
    /// time. Every entry must be a number, because the previous release reads this object too.
    /// </summary>
    public string DecidedAt
    {
        get => _decidedAt is null ? _json : JsonSerializer.Serialize(_decidedAt);
        set => (_json, _decidedAt) = (value, null);
    }

    /// <summary>
    /// The error that clients see. While the run has a good end, an error is shown only if (1) an event with a good end
    /// reported it, or (2) an event without a status reported it at or after the end. Any other error belongs to
    /// another attempt. It stays stored, because a later end may make it visible.
    /// </summary>
    public string? VisibleError => ErrorMessage is not null && EndsWell(Status) && !Decisions.ContainsKey(EndGaveError)
        && (Decisions.ContainsKey(TryGaveError) || DecisionOf("status") < 0 || DecisionOf("error_message") < DecisionOf("status"))
            ? null
            : ErrorMessage;

    // The JSON is parsed only when it is needed, because most rows are only shown.
    protected Dictionary<string, long> Decisions => _decidedAt ??= JsonSerializer.Deserialize<Dictionary<string, long>>(_json)!;

    /// <param name="report">The report.</param>
    /// <param name="time">The time of the event, which is used if the report has no time of its own.</param>
    public void Apply(Report report, DateTimeOffset time)
    {
        var at = (report.At ?? time).UtcTicks;
        if (report.Status is { } status)
        {
            ApplyStatus(status, at);
        }

        StartedAt = report.StartedAt < StartedAt || StartedAt is null ? report.StartedAt ?? StartedAt : StartedAt;
        CompletedAt = report.CompletedAt > CompletedAt || CompletedAt is null ? report.CompletedAt ?? CompletedAt : CompletedAt;
        RecordsProcessed = Latest(ClearableFields.RecordsProcessed, "records_processed", RecordsProcessed, report.RecordsProcessed, report,
            at, Comparer<long?>.Default);
        ApplyError(report, at);
    }

    protected T Latest<T>(ClearableFields field, string name, T current, T reported, Report report, long at, IComparer<T> order)
    {
        if (reported is null && !report.Clears.HasFlag(field))
        {
            return current;
        }

        if (current is not null || Decisions.ContainsKey(name))
        {
            var comparison = at.CompareTo(DecisionOf(name));
            if (comparison < 0 || (comparison == 0 && (current is null || (reported is not null && order.Compare(reported, current) <= 0))))
            {
                return current;
            }
        }

        Decisions[name] = at;
        return reported;
    }

    private void ApplyError(Report report, long at)
    {
        var before = (ErrorMessage, DecisionOf("error_message"));
        ErrorMessage = Latest(ClearableFields.ErrorMessage, "error_message", ErrorMessage, report.ErrorMessage, report, at,
            StringComparer.Ordinal);
        var after = (ErrorMessage, DecisionOf("error_message"));
        if (after != before)
        {
            Decisions.Remove(EndGaveError);
            Decisions.Remove(TryGaveError);
        }

        if (report is { ErrorMessage: not null, Status: not null } && after == (report.ErrorMessage, at))
        {
            Decisions[EndsWell(report.Status) ? EndGaveError : TryGaveError] = 1;
        }
    }

    private void ApplyStatus(string status, long time)
    {
        var at = RunStatus.Rank(status) == 2 ? time : -1;
        if (Status is null
            || (RunStatus.Rank(status), at, RunStatus.TieBreak(status))
                .CompareTo((RunStatus.Rank(Status), DecisionOf("status"), RunStatus.TieBreak(Status))) > 0)
        {
            Status = status;
            if (at >= 0)
            {
                Decisions["status"] = at;
            }
        }
    }

    private static bool EndsWell(string? status) => status is RunStatus.Completed or RunStatus.Skipped;

    private long DecisionOf(string field) => Decisions.GetValueOrDefault(field, -1);
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
