using Catalog.Api.Pages.Drawing;
using Catalog.Data.Pipelines;

namespace Catalog.Api.Pages.Pipelines;

/// <summary>The last runs of a pipeline as bars and numbers.</summary>
internal static class RunBars
{
    /// <summary>The runs for a sparkline, oldest first.</summary>
    /// <param name="runs">The runs, latest start first.</param>
    /// <param name="areLinks">Whether each bar has a link to its run.</param>
    public static IReadOnlyList<SparklineRun> Of(IEnumerable<RecentRun> runs, bool areLinks) =>
        [.. runs.Reverse().Select(run => new SparklineRun(
            run.Status, Duration(run),
            Duration(run) is { } time ? $"{run.Id}, {run.Status}, {DisplayText.Duration(time)}" : $"{run.Id}, {run.Status}",
            areLinks ? Links.Run(run.Id) : null))];

    /// <summary>The duration of a run; null until start and end are known.</summary>
    public static TimeSpan? Duration(RecentRun run) => run.DurationSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>The median duration of the completed runs; null when no duration is known.</summary>
    public static TimeSpan? Median(IEnumerable<RecentRun> runs)
    {
        var known = runs.Where(run => run.Status == "completed").Select(Duration).OfType<TimeSpan>().Order().ToList();
        return known.Count == 0 ? null : known[(known.Count - 1) / 2];
    }
}
