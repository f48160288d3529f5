using System.Text;
using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Runs;

namespace Catalog.Api.Runs;

/// <summary>
/// What an event may say of a run. What is left out says nothing and changes nothing. Of records_processed, error_message, trigger, external_url
/// and metadata the latest event counts, by its completed_at or else its started_at; one without either is earlier than all others. There a null
/// is said too: it takes the field back, and at the same time it counts more than a value.
/// </summary>
public record PatchRun
{
    /// <summary>The run's id. In a post it is the client's choice, so that a retry is safe, and made here when left out; in a patch it is the path's.</summary>
    public string? Id { get; init; }

    /// <summary>The pipeline, which must be registered. A patch may leave it out.</summary>
    public string? PipelineId { get; init; }

    /// <summary>pending, running, completed, failed, cancelled or skipped; other tools' words for these are understood too, in any letter case.</summary>
    public string? Status { get; init; }

    /// <summary>When the run started, RFC 3339; without an offset it is UTC. The earliest of all events counts.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the run ended. The latest of all events counts.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Rows or items that went through, 0 or more.</summary>
    public long? RecordsProcessed { get; init; }

    /// <summary>Why it failed, at most 64 KiB.</summary>
    public string? ErrorMessage { get; init; }

    /// <summary>What started it, such as schedule, manual or backfill.</summary>
    public string? Trigger { get; init; }

    /// <summary>Where the run can be looked at in its own tool, http or https.</summary>
    public string? ExternalUrl { get; init; }

    /// <summary>An object of the client's own, given back as sent.</summary>
    public RawJson? Metadata { get; init; }

    /// <summary>False: failed checks of severity error do not mark this run failed.</summary>
    public bool? CheckGate { get; init; }

    /// <summary>What the event says of the run's stages.</summary>
    public IReadOnlyList<PostedStage?>? Stages { get; init; }

    /// <param name="runId">The run's id.</param>
    /// <param name="root">The event as sent, parsed.</param>
    /// <param name="json">The event as sent.</param>
    internal RunEvent ToEvent(string runId, JsonElement root, ReadOnlyMemory<byte> json) => new()
    {
        RunId = runId,
        PipelineId = PipelineId,
        Status = Status is null ? null : RunStatus.Words[Status],
        StartedAt = StartedAt,
        CompletedAt = CompletedAt,
        RecordsProcessed = RecordsProcessed,
        ErrorMessage = ErrorMessage,
        Trigger = Trigger,
        ExternalUrl = ExternalUrl,
        Metadata = RawJson.Stored(Metadata),
        TakesBack = TakenBack.In(root),
        CheckGate = CheckGate,
        Stages = [.. (Stages ?? []).OfType<PostedStage>().Select((stage, i) => stage.ToReport(stage.StageName!, root.GetProperty("stages")[i]))],
        Digest = CanonicalJson.Hash(root),
        Body = Encoding.UTF8.GetString(json.Span),
    };
}

/// <summary>An event of a run. The same id again is the next event of that run, in any order.</summary>
public sealed record PostRun : PatchRun;

/// <summary>What an event says of one stage. As in a run, the latest event counts, and a null takes records_processed or error_message back.</summary>
public record PutStage
{
    /// <summary>As of a run.</summary>
    public string? Status { get; init; }

    /// <summary>When the stage started.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the stage ended.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Rows or items that went through, 0 or more.</summary>
    public long? RecordsProcessed { get; init; }

    /// <summary>Why it failed, at most 64 KiB.</summary>
    public string? ErrorMessage { get; init; }

    internal StageReport ToReport(string name, JsonElement json) => new()
    {
        StageName = name,
        Status = RunStatus.Words[Status!],
        StartedAt = StartedAt,
        CompletedAt = CompletedAt,
        RecordsProcessed = RecordsProcessed,
        ErrorMessage = ErrorMessage,
        TakesBack = TakenBack.In(json),
    };
}

/// <summary>What an event of a run says of one of its stages.</summary>
public sealed record PostedStage : PutStage
{
    /// <summary>The stage's name, one of its kind in the run.</summary>
    public string? StageName { get; init; }
}

/// <summary>A run as it stands.</summary>
public sealed record RunItem
{
    public required string Id { get; init; }
    public required string PipelineId { get; init; }

    /// <summary>pending, running, completed, failed, cancelled or skipped.</summary>
    public required string Status { get; init; }

    /// <summary>When the Catalog first heard of it.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>From start to end in seconds; null until both are known, and where the end lies before the start.</summary>
    public double? DurationSeconds { get; init; }

    public long? RecordsProcessed { get; init; }

    /// <summary>Why it failed; names the check when a failed check is the reason. A run that ended well does not show the error of an earlier attempt.</summary>
    public string? ErrorMessage { get; init; }

    public string? Trigger { get; init; }
    public string? ExternalUrl { get; init; }
    public RawJson? Metadata { get; init; }

    /// <summary>Whether failed checks of severity error mark this run failed.</summary>
    public required bool CheckGate { get; init; }

    /// <summary>In the order in which they started, those that have not started last.</summary>
    public required IReadOnlyList<StageItem> Stages { get; init; }

    public required CheckSummary Checks { get; init; }

    /// <summary>What was taken and is odd, in words: an end before its start, of the run or of a stage. Clocks of two machines may say so.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    internal static RunItem From(RunDetail detail)
    {
        var run = detail.Run;
        return new()
        {
            Id = run.Id,
            PipelineId = run.PipelineId,
            Status = run.Status,
            CreatedAt = run.CreatedAt,
            StartedAt = run.StartedAt,
            CompletedAt = run.CompletedAt,
            DurationSeconds = Duration.Seconds(run.StartedAt, run.CompletedAt),
            RecordsProcessed = run.RecordsProcessed,
            ErrorMessage = Reason(run),
            Trigger = run.Trigger,
            ExternalUrl = run.ExternalUrl,
            Metadata = RawJson.From(run.Metadata),
            CheckGate = run.CheckGate,
            Stages = [.. detail.Stages.Select(StageItem.From)],
            Checks = CheckSummary.From(detail.Checks),
            Warnings =
            [
                .. Duration.Warning("The run", run.StartedAt, run.CompletedAt),
                .. detail.Stages.SelectMany(stage => Duration.Warning($"Stage '{stage.StageName}'", stage.StartedAt, stage.CompletedAt)),
            ],
        };
    }

    private static string? Reason(Run run) => run is { CheckGate: true, GateCheckId: { } check }
        ? $"Check '{check}' failed." + (run.ErrorMessage is null ? "" : " " + run.ErrorMessage)
        : run.ErrorMessage;
}

/// <summary>A stage as it stands.</summary>
public sealed record StageItem
{
    public required string StageName { get; init; }

    /// <summary>As of a run.</summary>
    public required string Status { get; init; }

    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>From start to end in seconds; null until both are known, and where the end lies before the start.</summary>
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

/// <summary>How many check results of the run have each status.</summary>
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

/// <summary>One event of a run.</summary>
public sealed record RunEventItem
{
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>The event as it was received.</summary>
    public required RawJson Event { get; init; }

    internal static RunEventItem From(ReceivedEvent row) => new() { ReceivedAt = row.ReceivedAt, Event = new(row.Body) };
}

internal static class Duration
{
    // Null says that it is not known; zero would hide that two clocks disagree.
    public static double? Seconds(DateTimeOffset? start, DateTimeOffset? end) => end >= start ? (end.Value - start.Value).TotalSeconds : null;

    public static IEnumerable<string> Warning(string what, DateTimeOffset? start, DateTimeOffset? end) =>
        end < start ? [$"{what} has its completed_at before its started_at, so its duration is not known."] : [];
}
