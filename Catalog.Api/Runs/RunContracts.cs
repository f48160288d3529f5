using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Runs;

namespace Catalog.Api.Runs;

/// <summary>
/// An event of a run. A field that is left out changes nothing. For records_processed, error_message, trigger,
/// external_url and metadata, the latest event counts. The time of an event is its completed_at, or else its
/// started_at; for an event without any time it is the time of its receipt. An explicit null clears such a field. If
/// two events have the same time, null replaces a value. A new attempt of the run begins with a higher attempt, or with
/// a start that is more than 60 s after the run's latest end.
/// </summary>
public record PatchRun
{
    /// <summary>
    /// The run's id. In a POST the client can choose it, so that a retry is safe; without an id the service generates
    /// one. In a PATCH it must be the same as the id in the path, or be left out.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>The pipeline. It must be registered. A PATCH may leave it out.</summary>
    public string? PipelineId { get; init; }

    /// <summary>
    /// pending, running, completed, failed, cancelled or skipped; other tools' words for these are accepted too, in any
    /// letter case.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>
    /// The number of the attempt that the event belongs to, from 1 to 1000. Without it the started_at of the event
    /// decides, or else its completed_at, or else its receipt.
    /// </summary>
    public long? Attempt { get; init; }

    /// <summary>
    /// When the attempt started, RFC 3339. A time without an offset is in UTC. If events of the attempt have different
    /// starts, the earliest counts. All times in events must be at most 24 hours ahead of the service's clock.
    /// </summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the attempt ended. If events of the attempt have different ends, the latest counts.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>The number of processed rows or items, 0 or more.</summary>
    public long? RecordsProcessed { get; init; }

    /// <summary>The reason of a failure, at most 64 KiB.</summary>
    public string? ErrorMessage { get; init; }

    /// <summary>What started the run, such as schedule, manual or backfill.</summary>
    public string? Trigger { get; init; }

    /// <summary>The http or https address of the run in its own tool.</summary>
    public string? ExternalUrl { get; init; }

    /// <summary>An object with the client's own data, returned as sent.</summary>
    public RawJson? Metadata { get; init; }

    /// <summary>False means that failed checks of severity error do not mark this run failed.</summary>
    public bool? CheckGate { get; init; }

    /// <summary>Reports on stages of the run.</summary>
    public IReadOnlyList<PostedStage?>? Stages { get; init; }

    /// <param name="runId">The run's id.</param>
    /// <param name="root">The event as sent, parsed.</param>
    /// <param name="json">The event as sent.</param>
    internal RunEvent ToEvent(string runId, JsonElement root, ReadOnlyMemory<byte> json) => new()
    {
        RunId = runId,
        PipelineId = PipelineId,
        Status = Status is null ? null : RunStatus.Words[Status],
        Attempt = (int?)Attempt,
        StartedAt = StartedAt,
        CompletedAt = CompletedAt,
        RecordsProcessed = RecordsProcessed,
        ErrorMessage = ErrorMessage,
        Trigger = Trigger,
        ExternalUrl = ExternalUrl,
        Metadata = RawJson.Stored(Metadata),
        Clears = NullFields.In(root),
        CheckGate = CheckGate,
        Stages = [.. (Stages ?? []).OfType<PostedStage>()
            .Select((stage, i) => stage.ToReport(stage.StageName!, root.GetProperty("stages")[i]))],
        Digest = CanonicalJson.Hash(root),
        Body = Encoding.UTF8.GetString(json.Span),
        BodyIsReport = true,
    };
}

/// <summary>
/// An event of a run. An event with the id of an existing run updates that run. Events can arrive in any order.
/// </summary>
public sealed record PostRun : PatchRun;

/// <summary>
/// A report on one stage. As for a run, the latest event counts, and an explicit null clears records_processed or
/// error_message.
/// </summary>
public record PutStage
{
    /// <summary>The status of the stage, in the same words as for a run.</summary>
    public string? Status { get; init; }

    /// <summary>When the stage started.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the stage ended.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>The number of processed rows or items, 0 or more.</summary>
    public long? RecordsProcessed { get; init; }

    /// <summary>The reason of a failure, at most 64 KiB.</summary>
    public string? ErrorMessage { get; init; }

    internal StageReport ToReport(string name, JsonElement json) => new()
    {
        StageName = name,
        Status = RunStatus.Words[Status!],
        StartedAt = StartedAt,
        CompletedAt = CompletedAt,
        RecordsProcessed = RecordsProcessed,
        ErrorMessage = ErrorMessage,
        Clears = NullFields.In(json),
    };
}

/// <summary>A report on one stage, as part of a run event.</summary>
public sealed record PostedStage : PutStage
{
    /// <summary>The stage's name, unique in the run.</summary>
    public string? StageName { get; init; }
}

/// <summary>The current state of a run, which is the state of its latest attempt.</summary>
public sealed record RunItem
{
    public required string Id { get; init; }
    public required string PipelineId { get; init; }

    /// <summary>pending, running, completed, failed, cancelled or skipped.</summary>
    public required string Status { get; init; }

    /// <summary>The number of the latest attempt, from 1.</summary>
    public required long Attempt { get; init; }

    /// <summary>When the first event or failed check of the run was received.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>
    /// The time from start to end in seconds; null until both are known, or when the end is before the start.
    /// </summary>
    public double? DurationSeconds { get; init; }

    public long? RecordsProcessed { get; init; }

    /// <summary>
    /// The reason of a failure. If a failed check is the reason, the text names the check. A run that ended well does
    /// not show the error of an earlier attempt.
    /// </summary>
    public string? ErrorMessage { get; init; }

    public string? Trigger { get; init; }
    public string? ExternalUrl { get; init; }
    public RawJson? Metadata { get; init; }

    /// <summary>Whether failed checks of severity error mark this run failed.</summary>
    public required bool CheckGate { get; init; }

    /// <summary>The stages in the order of their start; stages without a start come last.</summary>
    public required IReadOnlyList<StageItem> Stages { get; init; }

    public required CheckSummary Checks { get; init; }

    /// <summary>
    /// The earlier attempts, oldest first, at most the last 100. Left out in a list of runs.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<RunAttemptItem>? Attempts { get; init; }

    /// <summary>
    /// Texts about values that are accepted but do not fit together: the end of the run or of a stage is before its
    /// start. This can happen because the clocks of two machines differ.
    /// </summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    internal static RunItem From(RunDetail detail)
    {
        var run = detail.Run;
        return new()
        {
            Id = run.Id,
            PipelineId = run.PipelineId,
            Status = run.Status,
            Attempt = run.Attempt,
            CreatedAt = run.CreatedAt,
            StartedAt = run.StartedAt,
            CompletedAt = run.CompletedAt,
            DurationSeconds = Duration.Seconds(run.StartedAt, run.CompletedAt),
            RecordsProcessed = run.RecordsProcessed,
            ErrorMessage = ErrorOf(run),
            Trigger = run.Trigger,
            ExternalUrl = run.ExternalUrl,
            Metadata = RawJson.From(run.Metadata),
            CheckGate = run.CheckGate,
            Stages = [.. detail.Stages.Select(StageItem.From)],
            Checks = CheckSummary.From(detail.Checks),
            Attempts = detail.Attempts?.Select(RunAttemptItem.From).ToList(),
            Warnings =
            [
                .. Duration.Warning("The run", run.StartedAt, run.CompletedAt),
                .. detail.Stages.SelectMany(stage => Duration.Warning($"Stage '{stage.StageName}'", stage.StartedAt, stage.CompletedAt)),
            ],
        };
    }

    private static string? ErrorOf(Run run) => run is { CheckGate: true, GateCheckId: { } check }
        ? $"Check '{check}' failed." + (run.ErrorMessage is null ? "" : " " + run.ErrorMessage)
        : run.ErrorMessage;
}

/// <summary>The current state of a stage.</summary>
public sealed record StageItem
{
    public required string StageName { get; init; }

    /// <summary>The status of the stage, in the same words as for a run.</summary>
    public required string Status { get; init; }

    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>
    /// The time from start to end in seconds; null until both are known, or when the end is before the start.
    /// </summary>
    public double? DurationSeconds { get; init; }

    public long? RecordsProcessed { get; init; }
    public string? ErrorMessage { get; init; }

    internal static StageItem From(RunStage stage) => new()
    {
        StageName = stage.StageName,
        Status = stage.Status,
        StartedAt = stage.StartedAt,
        CompletedAt = stage.CompletedAt,
        DurationSeconds = Duration.Seconds(stage.StartedAt, stage.CompletedAt),
        RecordsProcessed = stage.RecordsProcessed,
        ErrorMessage = stage.ErrorMessage,
    };
}

/// <summary>The number of the run's check results with each status.</summary>
public sealed record CheckSummary
{
    public required long Pass { get; init; }
    public required long Warn { get; init; }
    public required long Fail { get; init; }
    public required long Error { get; init; }

    internal static CheckSummary From(IReadOnlyList<CheckCount> counts)
    {
        long Of(string status) => counts.FirstOrDefault(count => count.Status == status)?.Count ?? 0;
        return new() { Pass = Of("pass"), Warn = Of("warn"), Fail = Of("fail"), Error = Of("error") };
    }
}

/// <summary>A stored event of a run.</summary>
public sealed record RunEventItem
{
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>The event as it was received.</summary>
    public required RawJson Event { get; init; }

    internal static RunEventItem From(ReceivedEvent row) => new() { ReceivedAt = row.ReceivedAt, Event = new(row.Body) };
}

internal static class Duration
{
    // If the end is before the start, the result is null. Zero would hide that two clocks differ.
    public static double? Seconds(DateTimeOffset? start, DateTimeOffset? end) => end >= start
        ? (end.Value - start.Value).TotalSeconds : null;

    public static IEnumerable<string> Warning(string what, DateTimeOffset? start, DateTimeOffset? end) =>
        end < start ? [$"{what} has its completed_at before its started_at, so its duration is not known."] : [];
}
