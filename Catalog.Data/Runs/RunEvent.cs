namespace Catalog.Data.Runs;

/// <summary>The words for the state of a run or a stage, as they are stored.</summary>
public static class RunStatus
{
    public const string Pending = "pending";
    public const string Running = "running";
    public const string Completed = "completed";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";
    public const string Skipped = "skipped";

    /// <summary>
    /// Every word that clients may write, in any letter case, with the one that is stored for it: our own, and those of Airflow, dbt, Prefect and
    /// Dagster. What will go on by itself has not ended, whatever happened to its last try, and what waits after it began is running.
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

    /// <summary>Pending before running before any end: a late event of a lower rank changes nothing.</summary>
    internal static int Rank(string status) => status switch { Pending => 0, Running => 1, _ => 2 };

    /// <summary>Which of two ends with the same completion time counts.</summary>
    internal static int TieBreak(string status) => status switch { Failed => 4, Cancelled => 3, Completed => 2, Skipped => 1, _ => 0 };
}

/// <summary>The fields that the latest event to say something of them decides. Start, end, status and the gate have rules of their own.</summary>
[Flags]
public enum KeptFields
{
    None = 0,
    RecordsProcessed = 1,
    ErrorMessage = 2,
    Trigger = 4,
    ExternalUrl = 8,
    Metadata = 16,
}

/// <summary>What one event says of a run or of a stage. Null says nothing, but for what it takes back.</summary>
public abstract record Report
{
    /// <summary>A stored status word, see <see cref="RunStatus"/>.</summary>
    public string? Status { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? CompletedAt { get; init; }

    public long? RecordsProcessed { get; init; }

    public string? ErrorMessage { get; init; }

    /// <summary>The fields of which the event says that there is nothing, as of its time.</summary>
    public KeptFields TakesBack { get; init; }

    /// <summary>When the event says that things stood so; null when it names no time, which counts as before every time.</summary>
    internal DateTimeOffset? At => CompletedAt ?? StartedAt;
}

/// <summary>What an event says of one stage.</summary>
public sealed record StageReport : Report
{
    public required string StageName { get; init; }
}

/// <summary>One event of a run, as a client posted it.</summary>
public sealed record RunEvent : Report
{
    public required string RunId { get; init; }

    /// <summary>The run's pipeline; may be null for an event of a run that must exist.</summary>
    public string? PipelineId { get; init; }

    /// <summary>The event makes no run: it is for one that is known.</summary>
    public bool RunMustExist { get; init; }

    public string? Trigger { get; init; }

    public string? ExternalUrl { get; init; }

    /// <summary>A JSON document, as sent.</summary>
    public string? Metadata { get; init; }

    /// <summary>False switches the gate of failed checks off for the run, whatever other events say.</summary>
    public bool? CheckGate { get; init; }

    public IReadOnlyList<StageReport> Stages { get; init; } = [];

    /// <summary>SHA-256 of the canonical event: the same again is nothing.</summary>
    public required byte[] Digest { get; init; }

    /// <summary>The event as received.</summary>
    public required string Body { get; init; }

    /// <summary>The run's id comes from an idempotency key: the event must be the run's first, or one that it has had.</summary>
    public bool FirstOrRepeat { get; init; }
}

/// <summary>What became of an event.</summary>
public enum RunOutcome
{
    /// <summary>It was the first of its run.</summary>
    Created,

    /// <summary>Its run was known.</summary>
    Updated,

    /// <summary>No such pipeline; nothing was stored.</summary>
    PipelineUnknown,

    /// <summary>No such run, and the event names no pipeline to make one for; nothing was stored.</summary>
    RunUnknown,

    /// <summary>The run id belongs to another pipeline; nothing was stored.</summary>
    RunIdTaken,

    /// <summary>The run's id comes from an idempotency key that came with another event before; nothing was stored.</summary>
    KeyReused,
}

/// <summary>What became of an event.</summary>
/// <param name="Outcome">In a word.</param>
/// <param name="Run">The run after it, and after the events that were stored with it; null when nothing was stored.</param>
public sealed record RunReceipt(RunOutcome Outcome, RunDetail? Run);
