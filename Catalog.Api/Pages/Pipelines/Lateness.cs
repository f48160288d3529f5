using Catalog.Api.Pipelines;
using Catalog.Data.Pipelines;

namespace Catalog.Api.Pages.Pipelines;

/// <summary>Whether a pipeline did not start when its schedule says.</summary>
internal static class Lateness
{
    /// <returns>The time of the schedule that has no run; null when the pipeline is not late.</returns>
    public static DateTimeOffset? Since(PipelineItem pipeline, DateTimeOffset now) =>
        pipeline is { Schedule: { } cron, DeletedAt: null }
        && OverduePipelines.Expected(cron, now) is { } expected
        && OverduePipelines.IsMissed(expected, pipeline.CreatedAt, pipeline.LatestRun?.StartedAt ?? pipeline.LatestRun?.CreatedAt)
            ? expected : null;
}
