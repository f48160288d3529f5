using Catalog.Api.Pipelines;
using Catalog.Data.Pipelines;

namespace Catalog.Api.Pages.Pipelines;

/// <summary>Finds out whether a pipeline did not start at the time of its schedule.</summary>
internal static class Lateness
{
    /// <returns>The scheduled time at which no run started; null when the pipeline is not late.</returns>
    public static DateTimeOffset? Since(PipelineItem pipeline, DateTimeOffset now) =>
        pipeline is { Schedule: { } cron, DeletedAt: null }
        && OverduePipelines.Expected(cron, now) is { } expected
        && OverduePipelines.IsMissed(expected, pipeline.CreatedAt, pipeline.LatestRun?.StartedAt ?? pipeline.LatestRun?.CreatedAt)
            ? expected : null;
}
