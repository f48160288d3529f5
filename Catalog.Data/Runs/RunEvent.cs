namespace Catalog.Data.Runs;

/// <summary>The stored status words of runs and stages.</summary>
public static class RunStatus
{
    public const string Pending = "pending";
    public const string Running = "running";
    public const string Completed = "completed";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";
    public const string Skipped = "skipped";

    /// <summary>
    /// Maps each word that clients can send, in any letter case, to the stored word. The words are our own and those of
    /// Airflow, dbt, Prefect and Dagster. A run that the tool will retry has not ended, and a run that waits after its
    /// start is running.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Words { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        [Pending] = Pending,
        ["queued"] = Pending,
        ["scheduled"] = Pending,
        ["not_started"] = Pending,
        ["starting"] = Pending,
        ["managed"] = Pending,
        ["late"] = Pending,
        ["no_status"] = Pending,
        [Running] = Running,
        ["started"] = Running,
        ["up_for_retry"] = Running,
        ["up_for_reschedule"] = Running,
        ["deferred"] = Running,
        ["restarting"] = Running,
        ["retrying"] = Running,
        ["awaiting_retry"] = Running,
        ["awaitingretry"] = Running,
        ["sensing"] = Running,
        ["paused"] = Running,
        ["suspended"] = Running,
        ["cancelling"] = Running,
        ["canceling"] = Running,
        [Completed] = Completed,
        ["success"] = Completed,
        ["succeeded"] = Completed,
        ["successful"] = Completed,
        ["passed"] = Completed,
        ["pass"] = Completed,
        ["warn"] = Completed,
        ["warned"] = Completed,
        ["cached"] = Completed,
        [Failed] = Failed,
        ["failure"] = Failed,
        ["fail"] = Failed,
        ["error"] = Failed,
        ["errored"] = Failed,
        ["runtime error"] = Failed,
        ["partial success"] = Failed,
        ["upstream_failed"] = Failed,
        ["crashed"] = Failed,
        ["timed_out"] = Failed,
        ["timedout"] = Failed,
        [Cancelled] = Cancelled,
        ["canceled"] = Cancelled,
        ["aborted"] = Cancelled,
        ["killed"] = Cancelled,
        ["shutdown"] = Cancelled,
        [Skipped] = Skipped,
        ["removed"] = Skipped,
        ["no-op"] = Skipped,
    };

    /// <summary>
    /// Pending is 0, running is 1, every end is 2. An event with a lower rank does not change the status, even if it is
    /// later.
    /// </summary>
    internal static int Rank(string status) => status switch { Pending => 0, Running => 1, _ => 2 };

    /// <summary>Of two ends at the same time, the end with the higher value wins.</summary>
    internal static int TieBreak(string status) => status switch { Failed => 4, Cancelled => 3, Completed => 2, Skipped => 1, _ => 0 };
}

/// <summary>
/// The fields that an event can clear with an explicit null. The latest event decides each of these fields. Start, end,
/// status and gate follow other rules.
/// </summary>
[Flags]
public enum ClearableFields
{
    None = 0,
    RecordsProcessed = 1,
    ErrorMessage = 2,
    Trigger = 4,
    ExternalUrl = 8,
    Metadata = 16,
}

/// <summary>
/// The report of one event about a run or a stage. A null field reports nothing, unless it is in <see cref="Clears"/>.
/// </summary>
public abstract record Report
{
    /// <summary>A word of <see cref="RunStatus"/>.</summary>
    public string? Status { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? CompletedAt { get; init; }

    public long? RecordsProcessed { get; init; }

    public string? ErrorMessage { get; init; }

    /// <summary>The fields that the event clears.</summary>
    public ClearableFields Clears { get; init; }

    /// <summary>The report's own time: its end, otherwise its start; null when it has neither.</summary>
    internal DateTimeOffset? At => CompletedAt ?? StartedAt;
}

/// <summary>The report of an event about one stage.</summary>
public sealed record StageReport : Report
{
    public required string StageName { get; init; }
}

/// <summary>One event of a run.</summary>
public sealed record RunEvent : Report
{
    /// <summary>The highest number of an attempt that an event may name.</summary>
    public const int MaxAttempt = 1000;

    public required string RunId { get; init; }

    /// <summary>The run's pipeline. Null only when <see cref="RunMustExist"/>.</summary>
    public string? PipelineId { get; init; }

    /// <summary>Whether the event is rejected if the run does not exist, instead of creating the run.</summary>
    public bool RunMustExist { get; init; }

    public string? Trigger { get; init; }

    public string? ExternalUrl { get; init; }

    /// <summary>A JSON document, as sent.</summary>
    public string? Metadata { get; init; }

    /// <summary>
    /// False switches the gate of failed checks off for the run. No event can switch it on again.
    /// </summary>
    public bool? CheckGate { get; init; }

    /// <summary>
    /// The number of the attempt that the event belongs to, from 1 to <see cref="MaxAttempt"/>. Null when the time of
    /// the event decides.
    /// </summary>
    public int? Attempt { get; init; }

    public IReadOnlyList<StageReport> Stages { get; init; } = [];

    /// <summary>SHA-256 of the canonical JSON. A repeated event changes nothing.</summary>
    public required byte[] Digest { get; init; }

    /// <summary>The JSON as received.</summary>
    public required string Body { get; init; }

    /// <summary>
    /// Whether <see cref="Body"/> is a run event of this API, from which the report can be read again. Otherwise the
    /// report is stored beside the body.
    /// </summary>
    public bool BodyIsReport { get; init; }

    /// <summary>
    /// Whether the run's id is derived from an idempotency key. If it is, the event must be the first event of the run
    /// or repeat a stored event.
    /// </summary>
    public bool IdIsDerived { get; init; }
}

/// <summary>The outcome of storing an event.</summary>
public enum RunOutcome
{
    /// <summary>The event is stored and is the first event of its run.</summary>
    Created,

    /// <summary>The event is stored or was stored before; its run was known.</summary>
    Updated,

    /// <summary>The pipeline is not registered; nothing is stored.</summary>
    PipelineUnknown,

    /// <summary>The run does not exist and the event does not create it; nothing is stored.</summary>
    RunUnknown,

    /// <summary>The run belongs to another pipeline; nothing is stored.</summary>
    RunIdTaken,

    /// <summary>The idempotency key was used before with another event; nothing is stored.</summary>
    KeyReused,
}

/// <summary>The outcome of storing an event, with its run.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Run">The run after all events of the batch; null when the event was not stored.</param>
public sealed record RunReceipt(RunOutcome Outcome, RunDetail? Run);
