using Catalog.Data.Pipelines;

namespace Catalog.Api.Pipelines;

/// <summary>How long the runs of a pipeline and their stages take.</summary>
public sealed record PipelineDurationItem
{
    /// <summary>
    /// The durations of runs. Of the 200 runs that started last, these are the last 100 that have ended, with any
    /// status.
    /// </summary>
    public required DurationItem Runs { get; init; }

    /// <summary>The run that started last; null when there is none.</summary>
    public LatestDuration? LatestRun { get; init; }

    /// <summary>The durations of the stages of these runs, the longest median first.</summary>
    public required IReadOnlyList<StageDurationItem> Stages { get; init; }

    internal static PipelineDurationItem From(DurationSummary summary) => new()
    {
        Runs = DurationItem.From(summary.Runs),
        LatestRun = summary.Latest is not { } latest ? null : new()
        {
            Id = latest.Id,
            Status = latest.Status,
            StartedAt = latest.StartedAt,
            DurationSeconds = latest.Seconds,
            ToMedian = Ratio(latest.Seconds, summary.Runs.Median),
        },
        Stages = [.. summary.Stages.Select(stage => new StageDurationItem
        {
            StageName = stage.StageName,
            Count = stage.Statistics.Count,
            MedianSeconds = stage.Statistics.Median,
            P95Seconds = stage.Statistics.P95,
            LatestSeconds = stage.LatestSeconds,
            LatestToMedian = Ratio(stage.LatestSeconds, stage.Statistics.Median),
        })],
    };

    private static double? Ratio(double? seconds, double? median) => median > 0 ? seconds / median : null;
}

/// <summary>The median and the 95th percentile of durations.</summary>
public sealed record DurationItem
{
    /// <summary>The number of known durations.</summary>
    public required int Count { get; init; }

    /// <summary>Half of the durations are at most this; null when none is known.</summary>
    public double? MedianSeconds { get; init; }

    /// <summary>95 % of the durations are at most this; null when none is known.</summary>
    public double? P95Seconds { get; init; }

    internal static DurationItem From(DurationStatistics statistics) =>
        new() { Count = statistics.Count, MedianSeconds = statistics.Median, P95Seconds = statistics.P95 };
}

/// <summary>The run that started last.</summary>
public sealed record LatestDuration
{
    public required string Id { get; init; }
    public required string Status { get; init; }
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>The duration in seconds; null while the run has not ended, or when its times are not known.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>The duration divided by the median; null when one of them is not known or the median is 0.</summary>
    public double? ToMedian { get; init; }
}

/// <summary>The durations of one stage.</summary>
public sealed record StageDurationItem
{
    public required string StageName { get; init; }

    /// <summary>The number of known durations.</summary>
    public required int Count { get; init; }

    /// <summary>The median in seconds; null when no duration is known.</summary>
    public double? MedianSeconds { get; init; }

    /// <summary>The 95th percentile in seconds; null when no duration is known.</summary>
    public double? P95Seconds { get; init; }

    /// <summary>The duration in the run that started last, in seconds; null when it is not known.</summary>
    public double? LatestSeconds { get; init; }

    /// <summary>
    /// The latest duration divided by the median; null when one of them is not known or the median is 0.
    /// </summary>
    public double? LatestToMedian { get; init; }
}
