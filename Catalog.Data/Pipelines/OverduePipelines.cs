using Catalog.Data.Database;
using Catalog.Data.Schedules;

namespace Catalog.Data.Pipelines;

/// <summary>Finds pipelines that did not start when their schedule says. Schedules of pipelines are in UTC.</summary>
public sealed class OverduePipelines(CatalogDatabase db)
{
    /// <summary>How much later or earlier than its scheduled time a run may start.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(5);

    /// <summary>The maximum number of scheduled pipelines that are examined, in the order of their ids.</summary>
    public const int MaxExamined = 10_000;

    private const int Chunk = 500;

    // The longest pause between two scheduled times that is recognized. A schedule of February 29 can pause for 8
    // years.
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(9 * 366);

    /// <summary>
    /// Lists each pipeline that has no run for its latest scheduled time of at least <see cref="Grace"/> ago. A run
    /// counts if it started at most <see cref="Grace"/> before that time, or later. A time before the registration does
    /// not count.
    /// </summary>
    /// <returns>The pipelines, ordered by the expected time, oldest first.</returns>
    public Task<OverdueList> Find(string organization, DateTimeOffset now, CancellationToken ct) => db.Read(organization, async session =>
    {
        // A subquery reads the latest start with one look-up in the index for each pipeline.
        const string Sql = $"""
            -- Pipelines.Scheduled
            with page as materialized (
                select id, owner, schedule, created_at
                from pipelines
                where organization_id = @organization and schedule is not null and deleted_at is null and id > @last
                order by id
                limit @Chunk
            )
            select page.id as pipeline_id, page.owner, page.schedule, page.created_at, (
                select {RunSortTimes.Started}
                from runs
                where runs.organization_id = @organization and runs.pipeline_id = page.id
                order by {RunSortTimes.Started} desc, runs.id desc
                limit 1) as last_run_at
            from page
            order by page.id
            """;

        var expected = new Dictionary<string, DateTimeOffset?>(StringComparer.Ordinal);
        List<OverduePipeline> overdue = [];
        var (examined, last) = (0, "");
        while (examined < MaxExamined)
        {
            var rows = await session.Many<ScheduledPipeline>(Sql, new { organization, last, Chunk }, ct);
            foreach (var pipeline in rows)
            {
                if (!expected.TryGetValue(pipeline.Schedule, out var due))
                {
                    due = Expected(pipeline.Schedule, now);
                    expected.Add(pipeline.Schedule, due);
                }

                if (due is { } missed && IsMissed(missed, pipeline.CreatedAt, pipeline.LastRunAt))
                {
                    overdue.Add(new(pipeline.PipelineId, pipeline.Owner, pipeline.Schedule, missed, pipeline.LastRunAt));
                }
            }

            examined += rows.Count;
            if (rows.Count < Chunk)
            {
                return new OverdueList(Sorted(overdue), false);
            }

            last = rows[^1].PipelineId;
        }

        return new OverdueList(Sorted(overdue), true);
    }, ct);

    /// <summary>
    /// The latest time of a schedule that is at least <see cref="Grace"/> ago; null when there is none.
    /// </summary>
    public static DateTimeOffset? Expected(string schedule, DateTimeOffset now) =>
        Cron.Parse(schedule)?.Previous(now - Grace, now - LongestPause, TimeZoneInfo.Utc);

    /// <summary>
    /// Whether the pipeline was already registered at the expected time, and its latest run started more than
    /// <see cref="Grace"/> before that time.
    /// </summary>
    public static bool IsMissed(DateTimeOffset expected, DateTimeOffset createdAt, DateTimeOffset? lastRunAt) =>
        expected >= createdAt && (lastRunAt is null || lastRunAt < expected - Grace);

    private static List<OverduePipeline> Sorted(List<OverduePipeline> overdue) =>
        [.. overdue.OrderBy(pipeline => pipeline.ExpectedAt).ThenBy(pipeline => pipeline.PipelineId, StringComparer.Ordinal)];

    private sealed record ScheduledPipeline
    {
        public required string PipelineId { get; init; }
        public string? Owner { get; init; }
        public required string Schedule { get; init; }
        public required DateTimeOffset CreatedAt { get; init; }
        public DateTimeOffset? LastRunAt { get; init; }
    }
}

/// <summary>The overdue pipelines of an organization.</summary>
/// <param name="Pipelines">The pipelines, ordered by the expected time, oldest first.</param>
/// <param name="Truncated">Whether the maximum number of pipelines was examined, so that there may be more.</param>
public sealed record OverdueList(IReadOnlyList<OverduePipeline> Pipelines, bool Truncated);

/// <summary>A pipeline that did not start when its schedule says.</summary>
/// <param name="PipelineId">The id of the pipeline.</param>
/// <param name="Owner">The owner of the pipeline; null when it has none.</param>
/// <param name="Schedule">The cron expression.</param>
/// <param name="ExpectedAt">The scheduled time for which no run started.</param>
/// <param name="LastRunAt">When the latest run started; null when the pipeline has no run.</param>
public sealed record OverduePipeline(
    string PipelineId, string? Owner, string Schedule, DateTimeOffset ExpectedAt, DateTimeOffset? LastRunAt);
