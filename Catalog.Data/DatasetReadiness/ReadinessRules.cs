using Catalog.Data.Checks;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Catalog.Data.Schedules;

namespace Catalog.Data.DatasetReadiness;

/// <summary>
/// Decides from what is known whether a dataset is ready. A wrong "ready" is worse than any other mistake, so missing
/// information gives "unknown".
/// </summary>
public static class ReadinessRules
{
    /// <summary>
    /// The maximum age of a passed check result that makes a dataset ready, when no pipeline writes the dataset.
    /// </summary>
    public static readonly TimeSpan ChecksSpeakFor = TimeSpan.FromDays(1);

    /// <summary>The readiness that follows from reasons.</summary>
    /// <param name="reasons">The reasons of all datasets.</param>
    /// <param name="truncated">Whether upstream datasets are missing.</param>
    public static string Status(IReadOnlyCollection<ReadinessReason> reasons, bool truncated) =>
        reasons.Any(reason => reason.Effect == ReadinessStatus.NotReady) ? ReadinessStatus.NotReady
        : truncated || reasons.Any(reason => reason.Effect == ReadinessStatus.Unknown) ? ReadinessStatus.Unknown
        : ReadinessStatus.Ready;

    /// <summary>Judges one dataset, and returns the reasons.</summary>
    /// <param name="facts">What is known about the dataset.</param>
    /// <param name="asOf">The time for which the data must be fresh; null for the current time.</param>
    /// <param name="now">The current time.</param>
    public static List<ReadinessReason> Judge(ReadinessFacts facts, DateTimeOffset? asOf, DateTimeOffset now)
    {
        var newest = facts.Writers.SelectMany(writer => Written(writer).Select(write => (Writer: writer, Write: write)))
            .OrderByDescending(one => one.Write.At).ThenByDescending(one => one.Write.RunId, StringComparer.Ordinal).FirstOrDefault();
        // The failure of a pipeline that no longer writes the dataset matters only if no other run has written the
        // dataset since then.
        var writers = facts.Writers.Where(writer => writer.IsCurrent || writer == newest.Writer).ToList();
        List<ReadinessReason> reasons = [.. writers.SelectMany(writer => JudgeWriter(facts, writer, asOf ?? now))];
        if (newest.Write is { Status: RunStatus.Completed } current)
        {
            reasons.Add(Of(facts, ReadinessCode.Written, ReadinessStatus.Ready, "The run that wrote the current version completed.") with
            {
                PipelineId = newest.Writer.PipelineId,
                RunId = current.RunId,
                At = current.At,
            });
            if (asOf > (current.StartedAt ?? current.At) && facts.Depth == 0 && writers.TrueForAll(writer => writer.Schedule is null))
            {
                reasons.Add(Of(facts, ReadinessCode.OlderThanAsked, ReadinessStatus.NotReady,
                    "The run that wrote the current version started before the time of as_of.") with
                { RunId = current.RunId, At = current.StartedAt ?? current.At });
            }
        }

        reasons.AddRange(facts.Checks.Select(check => JudgeCheck(facts, check, newest.Write)).OfType<ReadinessReason>());
        if (!facts.AreChecksComplete)
        {
            reasons.Add(Of(facts, ReadinessCode.ChecksUnread, ReadinessStatus.Unknown,
                "Some check results could not be read: there are too many, or the name of the dataset is too long."));
        }

        if (writers.Count == 0)
        {
            reasons.Add(JudgeSource(facts, now));
        }

        return reasons;
    }

    private static IEnumerable<ReadinessReason> JudgeWriter(ReadinessFacts facts, WriterFacts writer, DateTimeOffset asOf)
    {
        var writes = Written(writer).OrderByDescending(write => write.At).ThenByDescending(write => write.RunId, StringComparer.Ordinal)
            .ToList();
        ReadinessReason Reason(string code, string effect, string detail, WriteFacts? write = null) => Of(facts, code, effect, detail) with
        {
            PipelineId = writer.PipelineId.Length == 0 ? null : writer.PipelineId,
            RunId = write?.RunId,
            At = write?.At,
        };

        if (writes.Count == 0)
        {
            yield return Reason(ReadinessCode.NoRun, ReadinessStatus.Unknown, "No run of the pipeline that writes the dataset is known.");
        }
        else if (JudgeLatest(writes[0]) is var (code, effect, detail))
        {
            yield return Reason(code, effect, detail, writes[0]);
        }

        if (writes.Skip(1).FirstOrDefault(IsOpen) is { } open)
        {
            yield return Reason(ReadinessCode.OlderRunOpen, ReadinessStatus.Unknown,
                "An earlier run has not ended and may still write to the dataset. If its process was killed, post an event with its "
                    + "end.", open);
        }

        if (writer.Schedule is { } schedule && writer.IsCurrent)
        {
            var good = writes.Where(write => write.Status == RunStatus.Completed).Select(write => write.StartedAt ?? write.At).ToList();
            if (!Cron.IsValid(schedule))
            {
                yield return Reason(ReadinessCode.ScheduleUnreadable, ReadinessStatus.Unknown,
                    "The schedule of the pipeline is not a valid cron expression. Correct it.");
            }
            else if (OverduePipelines.Expected(schedule, asOf) is { } due
                && OverduePipelines.IsMissed(due, writer.RegisteredAt, good.Count == 0 ? null : good.Max()))
            {
                yield return Reason(ReadinessCode.Late, ReadinessStatus.NotReady,
                    "The last scheduled run is missing: no run has completed since the last time of the schedule.") with
                { At = due };
            }
        }
    }

    private static (string Code, string Effect, string Detail)? JudgeLatest(WriteFacts write) => write.Status switch
    {
        RunStatus.Completed => null,
        RunStatus.Failed => (ReadinessCode.WriteFailed, ReadinessStatus.NotReady, "The latest run that writes the dataset failed."),
        RunStatus.Cancelled =>
            (ReadinessCode.WriteCancelled, ReadinessStatus.NotReady, "The latest run that writes the dataset was cancelled."),
        _ when IsOpen(write) => (ReadinessCode.BeingWritten, ReadinessStatus.NotReady, "A run that writes the dataset has not ended."),
        _ => (ReadinessCode.RunUnknown, ReadinessStatus.Unknown, "The state of the run that wrote the dataset last is not known."),
    };

    private static ReadinessReason? JudgeCheck(ReadinessFacts facts, CheckFacts check, WriteFacts? current)
    {
        var isError = check.Severity == CheckSeverity.Error;
        (string Code, string Effect, string Detail)? found = check.Status switch
        {
            CheckStatus.Fail when isError => (ReadinessCode.CheckFailed, ReadinessStatus.NotReady, "A check of severity error fails."),
            CheckStatus.Pass or CheckStatus.Warn
                when isError && current is { Status: RunStatus.Completed } && !IsOfVersion(check, current) =>
                (ReadinessCode.CheckOutdated, ReadinessStatus.Unknown, "The latest result of a check is older than the current version."),
            CheckStatus.Pass => null,
            CheckStatus.Fail or CheckStatus.Warn => (ReadinessCode.CheckWarns, ReadinessStatus.Ready, "A check warns."),
            _ when isError => (ReadinessCode.CheckError, ReadinessStatus.Unknown, "A check could not be run."),
            _ => (ReadinessCode.CheckError, ReadinessStatus.Ready,
                "A check of severity warn could not be run; it does not make the dataset unready."),
        };

        return found is var (code, effect, detail)
            ? Of(facts, code, effect, detail) with
            {
                PipelineId = check.PipelineId.Length == 0 ? null : check.PipelineId,
                CheckId = check.CheckId,
                RunId = check.RunId,
                At = check.ExecutedAt,
            }
            : null;
    }

    // Whether a result is about the current version. A result from before the end of the run can be about the old data.
    // So it counts only if it names this run and is not older than the start of the run. If the start is unknown, it
    // does not count, because it can belong to an earlier attempt.
    private static bool IsOfVersion(CheckFacts check, WriteFacts current) => check.ExecutedAt >= current.At
        || (check.RunId == current.RunId && check.ExecutedAt >= current.StartedAt);

    private static ReadinessReason JudgeSource(ReadinessFacts facts, DateTimeOffset now) =>
        facts.Checks.Any(check => check is { Status: CheckStatus.Pass, Severity: CheckSeverity.Error }
            && check.ExecutedAt >= now - ChecksSpeakFor)
            ? Of(facts, ReadinessCode.JudgedByChecks, ReadinessStatus.Ready,
                "No pipeline writes the dataset; a check of severity error passed in the last 24 hours.")
            : Of(facts, ReadinessCode.NoWriter, ReadinessStatus.Unknown,
                "No pipeline that writes the dataset is known, and no check of severity error passed in the last 24 hours.");

    private static bool IsOpen(WriteFacts write) => write.Status is RunStatus.Pending or RunStatus.Running;

    // A skipped run writes nothing.
    private static IEnumerable<WriteFacts> Written(WriterFacts writer) => writer.Writes.Where(write => write.Status != RunStatus.Skipped);

    private static ReadinessReason Of(ReadinessFacts facts, string code, string effect, string detail) =>
        new() { Code = code, Effect = effect, Dataset = facts.Dataset, Depth = facts.Depth, Detail = detail };
}
