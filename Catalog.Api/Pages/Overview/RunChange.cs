using Catalog.Api.Runs;

namespace Catalog.Api.Pages.Overview;

/// <summary>A start or an end of a run.</summary>
/// <param name="Run">The run as it is now.</param>
/// <param name="At">
/// When the run started or ended. For a run that has not started, this is the time of its first event.
/// </param>
/// <param name="IsEnd">Whether this is the end.</param>
public sealed record RunChange(RunItem Run, DateTimeOffset At, bool IsEnd)
{
    /// <summary>What happened, as a status for which <see cref="Drawing.StatusLook"/> has a look.</summary>
    public string Status => IsEnd ? Run.Status : Run.StartedAt is null ? "pending" : "running";

    /// <summary>The word for people.</summary>
    public string Text => IsEnd ? Run.Status : Run.StartedAt is null ? "announced" : "started";

    /// <summary>The newest starts and ends.</summary>
    /// <param name="started">The runs that started last, latest first.</param>
    /// <param name="ended">The runs that ended last, latest first.</param>
    /// <param name="since">Earlier changes are left out.</param>
    /// <param name="count">The maximum number of changes. Each list must be read with at least this limit.</param>
    public static IReadOnlyList<RunChange> Newest(
        IEnumerable<RunItem> started, IEnumerable<RunItem> ended, DateTimeOffset since, int count) =>
    [
        .. started.Select(run => new RunChange(run, run.StartedAt ?? run.CreatedAt, false))
            .Concat(ended.Select(run => new RunChange(run, run.CompletedAt!.Value, true)))
            .Where(change => change.At >= since)
            .OrderByDescending(change => change.At).ThenByDescending(change => change.IsEnd)
            .ThenByDescending(change => change.Run.Id, StringComparer.Ordinal).Take(count),
    ];
}
