using Catalog.Api.Http;
using Catalog.Data.Checks;
using Catalog.Data.Runs;
using FluentValidation;

namespace Catalog.Api.Overview;

/// <summary>Selects the period of an overview.</summary>
public sealed record OverviewQuery
{
    /// <summary>
    /// The start of the period. If it is more than 31 days ago, 31 days ago is used. The default is 24 hours ago.
    /// </summary>
    public Instant? Since { get; init; }
}

internal sealed class OverviewQueryValidator : AbstractValidator<OverviewQuery>;

/// <summary>What needs attention now.</summary>
public sealed record OverviewItem
{
    /// <summary>The time of this answer.</summary>
    public required DateTimeOffset AsOf { get; init; }

    /// <summary>The start of the period: <c>since</c> of the request, or 31 days ago if that is later.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Failed runs that ended in the period.</summary>
    public required CountItem RunsFailed { get; init; }

    /// <summary>Runs that are running now, whenever they started.</summary>
    public required CountItem RunsRunning { get; init; }

    /// <summary>Runs by the hour of their end, oldest first; hours in which no run ended are left out.</summary>
    public required IReadOnlyList<RunHourItem> RunsByHour { get; init; }

    /// <summary>
    /// Whether more runs ended than are counted. Of each status, the last 50,000 runs are counted; if there are more,
    /// the numbers of the oldest hours are too low.
    /// </summary>
    public required bool RunsByHourTruncated { get; init; }

    /// <summary>Checks by the status of their latest result.</summary>
    public required CheckStateCountItem Checks { get; init; }

    /// <summary>
    /// Pipelines that did not start at the time of their schedule. See the list of overdue pipelines.
    /// </summary>
    public required CountItem PipelinesOverdue { get; init; }

    /// <summary>The pass rate of the results in the period.</summary>
    public required PassRateItem PassRate { get; init; }

    /// <summary>The pass rate of the results in the same period one week earlier.</summary>
    public required PassRateItem PassRateWeekBefore { get; init; }
}

/// <summary>The runs that ended in one hour.</summary>
public sealed record RunHourItem
{
    /// <summary>The start of the hour, UTC.</summary>
    public required DateTimeOffset Hour { get; init; }

    /// <summary>The number of completed, failed, cancelled and skipped runs.</summary>
    public required long Total { get; init; }

    public required long Failed { get; init; }

    internal static RunHourItem From(RunHour hour) => new() { Hour = hour.Start, Total = hour.Total, Failed = hour.Failed };
}

/// <summary>Checks by the status of their latest result.</summary>
public sealed record CheckStateCountItem
{
    public required CountItem Fail { get; init; }
    public required CountItem Error { get; init; }
    public required CountItem Warn { get; init; }
    public required CountItem Pass { get; init; }

    internal static CheckStateCountItem From(CheckStateCounts counts) => new()
    {
        Fail = CountItem.From(counts.Fail),
        Error = CountItem.From(counts.Error),
        Warn = CountItem.From(counts.Warn),
        Pass = CountItem.From(counts.Pass),
    };
}

/// <summary>The share of passes among results.</summary>
public sealed record PassRateItem
{
    /// <summary>
    /// The share of passed results among passed, warned and failed results, 0 to 1; null when there are none of these.
    /// </summary>
    public double? Rate { get; init; }

    /// <summary>
    /// The number of counted results: the newest of the period, at most 2,000. It includes results with an error.
    /// </summary>
    public required long Counted { get; init; }

    internal static PassRateItem From(CheckStatusCounts counts) =>
        new() { Rate = counts.PassRate, Counted = counts.Pass + counts.Warn + counts.Fail + counts.Error };
}
