namespace Catalog.Data.DatasetReadiness;

/// <summary>Whether a dataset is ready for its consumers.</summary>
/// <param name="Dataset">
/// The shown id of the dataset. When the request names an alias, it is the id of the dataset behind the alias.
/// </param>
/// <param name="Status">A word of <see cref="ReadinessStatus"/>.</param>
/// <param name="Reasons">Sorted by effect (not_ready, unknown, ready), then by distance, nearest first.</param>
/// <param name="Datasets">The number of datasets that were judged.</param>
/// <param name="Truncated">
/// Whether upstream datasets are missing, because the upstream graph is larger than the limit of one answer.
/// </param>
public sealed record Readiness(string Dataset, string Status, IReadOnlyList<ReadinessReason> Reasons, int Datasets, bool Truncated);

/// <summary>The words for the readiness of a dataset, and for the effect of a reason.</summary>
public static class ReadinessStatus
{
    public const string Ready = "ready";
    public const string NotReady = "not_ready";

    /// <summary>Too little is known about the dataset to call it ready.</summary>
    public const string Unknown = "unknown";
}

/// <summary>One reason for the readiness of a dataset: a fact, or the lack of a fact.</summary>
public sealed record ReadinessReason
{
    /// <summary>A word of <see cref="ReadinessCode"/>.</summary>
    public required string Code { get; init; }

    /// <summary>
    /// The status that this reason causes: a word of <see cref="ReadinessStatus"/>. A reason with the effect ready
    /// prevents nothing.
    /// </summary>
    public required string Effect { get; init; }

    /// <summary>The shown id of the dataset.</summary>
    public required string Dataset { get; init; }

    /// <summary>The number of hops upstream of the dataset that was asked for.</summary>
    public required int Depth { get; init; }

    public string? PipelineId { get; init; }
    public string? RunId { get; init; }
    public string? CheckId { get; init; }

    /// <summary>The time of the write, of the result or of the schedule.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>The reason in words.</summary>
    public required string Detail { get; init; }
}

/// <summary>The codes of reasons.</summary>
public static class ReadinessCode
{
    public const string Written = "written";
    public const string BeingWritten = "being_written";
    public const string WriteFailed = "write_failed";
    public const string WriteCancelled = "write_cancelled";
    public const string OlderRunOpen = "older_run_open";
    public const string RunUnknown = "run_unknown";
    public const string NoRun = "no_run";
    public const string NoWriter = "no_writer";
    public const string JudgedByChecks = "judged_by_checks";
    public const string Late = "late";
    public const string OlderThanAsked = "older_than_asked";
    public const string ScheduleUnreadable = "schedule_unreadable";
    public const string CheckFailed = "check_failed";
    public const string CheckWarns = "check_warns";
    public const string CheckError = "check_error";
    public const string CheckOutdated = "check_outdated";
    public const string ChecksUnread = "checks_unread";
}
