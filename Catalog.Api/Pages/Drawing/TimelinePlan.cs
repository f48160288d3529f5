namespace Catalog.Api.Pages.Drawing;

/// <summary>A stage of a run.</summary>
/// <param name="Name">The name of the stage, unique in the run.</param>
/// <param name="Status">The status of the stage; null when it is not known.</param>
/// <param name="StartedAt">When the stage started; null when it has not started.</param>
/// <param name="EndedAt">When the stage ended; null while it runs, and when it has not started.</param>
/// <param name="Records">The number of records that the stage processed; null when unknown.</param>
/// <param name="Href">The target of the name's link; null for a link to the stage's own row.</param>
public sealed record TimelineStage(
    string Name, string? Status, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, long? Records = null, string? Href = null);

/// <summary>A run with its stages at one moment.</summary>
/// <param name="Stages">The stages in any order.</param>
/// <param name="StartedAt">When the run started; null when unknown.</param>
/// <param name="EndedAt">When the run ended; null while it runs.</param>
/// <param name="Now">The current time of the drawing.</param>
/// <param name="Zone">The zone of all times.</param>
public sealed record TimelineRun(
    IReadOnlyList<TimelineStage> Stages, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, DateTimeOffset Now, TimeZoneInfo Zone);

/// <summary>The rows, the bars and the axis of a timeline.</summary>
public sealed class TimelinePlan
{
    private TimelinePlan(TimeAxis axis, IReadOnlyList<Row> rows, string? folded, double? now, CriticalPath? path)
    {
        Axis = axis;
        Rows = rows;
        Folded = folded;
        Now = now;
        Path = path;
    }

    /// <summary>The time axis.</summary>
    public TimeAxis Axis { get; }

    /// <summary>The rows that are drawn.</summary>
    public IReadOnlyList<Row> Rows { get; }

    /// <summary>The stages that are not drawn, such as "700 more completed stages"; null when all are drawn.</summary>
    public string? Folded { get; }

    /// <summary>The position of the line for the current time, 0 to 1; null when the run has ended.</summary>
    public double? Now { get; }

    /// <summary>The chain of stages that decides the end; null when there is none.</summary>
    public CriticalPath? Path { get; }

    /// <summary>
    /// Plans the timeline. If the stages fit into the limit, they are sorted by start. Otherwise failed and running
    /// stages come first, then the others by start up to the limit.
    /// </summary>
    public static TimelinePlan Of(TimelineRun run, int limit)
    {
        var stages = run.Stages.OrderBy(stage => stage.StartedAt ?? DateTimeOffset.MaxValue)
            .ThenBy(stage => stage.Name, StringComparer.Ordinal).ToList();
        if (stages.Count > limit)
        {
            stages = [.. stages.OrderBy(stage => Urgency(stage.Status))];
        }

        var axis = AxisOf(run);
        var ends = run.Stages.Where(stage => stage.EndedAt is not null && !HasImpossibleEnd(stage))
            .Select(stage => stage.EndedAt!.Value).Order().ToArray();
        var path = CriticalPath.Of(run);
        var critical = path?.Stages.ToHashSet() ?? [];
        var rows = stages.Take(limit)
            .Select(stage => RowOf(stage, run, axis, ends) with { IsCritical = critical.Contains(stage) }).ToList();
        return new TimelinePlan(axis, rows, FoldedText(stages[rows.Count..]), run.EndedAt is null ? axis.Share(run.Now) : null, path);
    }

    private static int Urgency(string? status) => StatusLook.Of(status).IsFailure ? 0 : status == "running" ? 1 : 2;

    private static TimeAxis AxisOf(TimelineRun run)
    {
        var times = run.Stages.SelectMany(stage => new[] { stage.StartedAt, stage.EndedAt }).Append(run.StartedAt)
            .OfType<DateTimeOffset>().ToList();
        var from = times.Count > 0 ? times.Min() : run.EndedAt ?? run.Now;
        var last = times.Append(run.EndedAt ?? run.Now).Max();
        return TimeAxis.Of(from, run.EndedAt is null ? TimeAxis.End(from, last - from) : last, run.Zone);
    }

    private static Row RowOf(TimelineStage stage, TimelineRun run, TimeAxis axis, DateTimeOffset[] ends)
    {
        // A stage without an end cannot run longer than its run.
        var until = run.EndedAt ?? run.Now;
        var start = stage.StartedAt;
        var end = start is null ? null : HasImpossibleEnd(stage) ? start : stage.EndedAt ?? (until < start ? start : until);
        var waiting = start is null && run.EndedAt is null && stage.Status is "pending" or "queued";
        var queuedTo = start ?? (waiting ? run.Now : null);
        var queuedFrom = queuedTo is { } to ? QueuedFrom(to, run.StartedAt, ends) : null;
        return new Row
        {
            Stage = stage,
            Name = DisplayText.Clean(stage.Name),
            Look = StatusLook.Of(stage.Status),
            Queued = queuedFrom < queuedTo ? new Bar(axis.Share(queuedFrom!.Value), axis.Share(queuedTo!.Value)) : null,
            Busy = start is { } from ? new Bar(axis.Share(from), axis.Share(end!.Value)) : null,
            IsOpen = start is not null && stage.EndedAt is null && run.EndedAt is null,
            Duration = start is null ? null : HasImpossibleEnd(stage) ? "not known" : DisplayText.Duration(end!.Value - start.Value),
            Title = TitleOf(stage, axis, end, queuedFrom < queuedTo ? queuedTo - queuedFrom : null),
        };
    }

    // A stage can seem to end before its start, because the clocks of clients can differ.
    private static bool HasImpossibleEnd(TimelineStage stage) => stage.EndedAt < stage.StartedAt;

    // The time at which a stage began to wait: the last end of a stage before the start, or the start of the run if
    // that is later.
    private static DateTimeOffset? QueuedFrom(DateTimeOffset start, DateTimeOffset? runStart, DateTimeOffset[] ends)
    {
        var found = Array.BinarySearch(ends, start);
        var before = found >= 0 ? found : ~found - 1;
        return before < 0 ? runStart : runStart > ends[before] ? runStart : ends[before];
    }

    private static string TitleOf(TimelineStage stage, TimeAxis axis, DateTimeOffset? end, TimeSpan? queued)
    {
        var name = DisplayText.Shorten(stage.Name, 80);
        var times = stage.StartedAt is not { } start ? "not started"
            : HasImpossibleEnd(stage) ? $"since {axis.Time(start)}; the reported end is before the start, so the client's clock is wrong"
            : stage.EndedAt is { } ended ? $"{axis.Time(start)} to {axis.Time(ended)}, {DisplayText.Duration(ended - start)}"
            : $"since {axis.Time(start)}, {DisplayText.Duration(end!.Value - start)}";
        return $"{name}: {times}" + (queued is { } waited ? $"; queued for {DisplayText.Duration(waited)}" : "");
    }

    private static string? FoldedText(List<TimelineStage> rest)
    {
        if (rest.Count == 0)
        {
            return null;
        }

        var groups = rest.Select(stage => StatusLook.Of(stage.Status))
            .GroupBy(look => look.Class is "status-unknown" or "status-none" ? "other" : look.Word)
            .OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).ToList();
        return groups.Count == 1
            ? $"{DisplayText.Count(rest.Count)} more {groups[0].Key} stage{(rest.Count == 1 ? "" : "s")}"
            : $"{DisplayText.Of(rest.Count, "more stage")}: "
                + string.Join(", ", groups.Select(group => $"{DisplayText.Count(group.Count())} {group.Key}"));
    }

    /// <summary>A part of a row on the time axis.</summary>
    /// <param name="Left">The position where the part begins, 0 to 1.</param>
    /// <param name="Right">The position where the part ends, 0 to 1.</param>
    public sealed record Bar(double Left, double Right);

    /// <summary>One row of the timeline.</summary>
    public sealed record Row
    {
        public required TimelineStage Stage { get; init; }
        public required string Name { get; init; }
        public required StatusLook Look { get; init; }

        /// <summary>The time before the start; null when the stage did not wait.</summary>
        public Bar? Queued { get; init; }

        /// <summary>The time from the start to the end; null when the stage has not started.</summary>
        public Bar? Busy { get; init; }

        /// <summary>Whether the stage still runs.</summary>
        public bool IsOpen { get; init; }

        /// <summary>Whether the stage is on the critical path.</summary>
        public bool IsCritical { get; init; }

        public string? Duration { get; init; }
        public required string Title { get; init; }
    }
}
