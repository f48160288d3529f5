using Catalog.Data.Database;

namespace Catalog.Data.Pipelines;

/// <summary>Measures how long the runs of a pipeline and their stages take.</summary>
public sealed class PipelineDurations(CatalogDatabase db)
{
    /// <summary>The maximum number of measured runs: the ended runs that started last.</summary>
    public const int MaxRuns = 100;

    // How many of the last started runs are read. The number is larger than MaxRuns, because some of them have no end.
    private const int MaxStarted = 200;

    /// <summary>When at least this many stages have been read, the stages of further runs are left out.</summary>
    public const int MaxStages = 20_000;

    private const int RunsOfOneRead = 20;

    /// <returns>The durations, or null when the pipeline does not exist or is deleted.</returns>
    public Task<DurationSummary?> Measure(string organization, string pipelineId, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            const string Exists = """
                -- PipelineDurations.Exists
                select 1
                from pipelines
                where organization_id = @organization and id = @pipelineId and deleted_at is null
                """;
            const string Started = $"""
                -- PipelineDurations.Started
                select id, status, started_at, completed_at
                from runs
                where organization_id = @organization and pipeline_id = @pipelineId
                order by {RunSortTimes.Started} desc, id desc
                limit @MaxStarted
                """;

            var parameters = new { organization, pipelineId, MaxStarted };
            if (await session.One<int?>(Exists, parameters, ct) is null)
            {
                return null;
            }

            var started = await session.Many<TimedRun>(Started, parameters, ct);
            List<TimedRun> ended = [.. started.Where(run => run.CompletedAt is not null).Take(MaxRuns)];
            var latest = started.FirstOrDefault();
            var endedIds = ended.Select(run => run.Id).ToHashSet(StringComparer.Ordinal);
            var stages = await Stages(session, organization, ended, latest, ct);
            return new DurationSummary(
                DurationStatistics.Of(ended.Select(run => run.Seconds)), latest,
                [.. stages.GroupBy(stage => stage.StageName, StringComparer.Ordinal)
                    .Select(stage => new StageDurations(
                        stage.Key, DurationStatistics.Of(stage.Where(one => endedIds.Contains(one.RunId)).Select(one => one.Seconds)),
                        stage.FirstOrDefault(one => one.RunId == latest?.Id)?.Seconds))
                    .OrderByDescending(stage => stage.Statistics.Median).ThenBy(stage => stage.StageName, StringComparer.Ordinal)]);
        }, ct);

    private async Task<List<TimedStage>> Stages(Session session, string organization, List<TimedRun> ended, TimedRun? latest,
        CancellationToken ct)
    {
        var sql = $"""
            -- PipelineDurations.Stages
            select run_id, stage_name, started_at, completed_at
            from {db.Dialect.ByIndex("run_stages", "organization_id = @organization", "run_id", "@ids")}
            """;

        var runs = ended.Select(run => run.Id);
        List<TimedStage> stages = [];
        foreach (var ids in (latest is null ? runs : runs.Prepend(latest.Id)).Distinct(StringComparer.Ordinal).Chunk(RunsOfOneRead))
        {
            stages.AddRange(await session.Many<TimedStage>(sql, new { organization, ids }, ct));
            if (stages.Count >= MaxStages)
            {
                break;
            }
        }

        return stages;
    }

    private sealed record TimedStage
    {
        public required string RunId { get; init; }
        public required string StageName { get; init; }
        public DateTimeOffset? StartedAt { get; init; }
        public DateTimeOffset? CompletedAt { get; init; }
        public double? Seconds => CompletedAt >= StartedAt ? (CompletedAt.Value - StartedAt.Value).TotalSeconds : null;
    }
}

/// <summary>The durations of the last started runs of a pipeline that have ended.</summary>
/// <param name="Runs">The durations of the runs.</param>
/// <param name="Latest">The run that started last, even if it has not ended; null when there is no run.</param>
/// <param name="Stages">The durations of each stage, the longest median first.</param>
public sealed record DurationSummary(DurationStatistics Runs, TimedRun? Latest, IReadOnlyList<StageDurations> Stages);

/// <summary>The durations of one stage.</summary>
/// <param name="StageName">The name of the stage.</param>
/// <param name="Statistics">The durations in the measured runs.</param>
/// <param name="LatestSeconds">
/// The duration in the run that started last, in seconds; null when it is not known.
/// </param>
public sealed record StageDurations(string StageName, DurationStatistics Statistics, double? LatestSeconds);

/// <summary>A run with its times.</summary>
public sealed record TimedRun
{
    public required string Id { get; init; }
    public required string Status { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>The duration; null when the start or the end is not known, or the end is before the start.</summary>
    public double? Seconds => CompletedAt >= StartedAt ? (CompletedAt.Value - StartedAt.Value).TotalSeconds : null;
}

/// <summary>The median and the 95th percentile of durations, in seconds.</summary>
/// <param name="Count">The number of known durations.</param>
/// <param name="Median">Half of the durations are at most this; null when no duration is known.</param>
/// <param name="P95">95 % of the durations are at most this; null when no duration is known.</param>
public sealed record DurationStatistics(int Count, double? Median, double? P95)
{
    internal static DurationStatistics Of(IEnumerable<double?> seconds)
    {
        double[] known = [.. seconds.OfType<double>().Order()];
        return known.Length == 0 ? new(0, null, null) : new(
            known.Length, (known[(known.Length - 1) / 2] + known[known.Length / 2]) / 2, known[(int)Math.Ceiling(known.Length * 0.95) - 1]);
    }
}
