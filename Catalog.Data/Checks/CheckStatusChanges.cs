using Catalog.Data.Database;

namespace Catalog.Data.Checks;

/// <summary>Finds changes of status in the last results of checks.</summary>
public sealed class CheckStatusChanges(CatalogDatabase db)
{
    /// <summary>The maximum number of checks that one call examines.</summary>
    public const int MaxExamined = 1000;

    /// <summary>The number of newest results that <see cref="Streak"/> reads.</summary>
    public const int MaxStreak = 100;

    /// <summary>
    /// Lists checks whose status changed often, in the order of pipeline and check. One call examines at most
    /// <see cref="MaxExamined"/> checks, so a page can have few or no items although more pages follow.
    /// </summary>
    /// <param name="organization">The organization.</param>
    /// <param name="pipelineId">Only checks of this pipeline; empty for standalone checks, null for all.</param>
    /// <param name="window">The number of last results of each check.</param>
    /// <param name="minChanges">The minimum number of changes in these results for a check to be listed.</param>
    /// <param name="after">The end of the previous page; null for the first page.</param>
    /// <param name="limit">The maximum number of items.</param>
    /// <param name="ct">Cancels the operation.</param>
    public Task<Page<FlappingCheck>> Flapping(string organization, string? pipelineId, int window, int minChanges, Cursor? after, int limit,
        CancellationToken ct) => db.Read(organization, async session =>
    {
        var (pipeline, check) = Cursor.SplitPair(after?.Id ?? "");
        // If the query names the pipeline, SQLite does not use the index for a comparison of both columns. So only the
        // check is compared then.
        var beyond = pipeline == pipelineId ? "and check_id > @check" : "and (pipeline_id, check_id) > (@pipeline, @check)";
        var range = $"""
            from check_states
            where organization_id = @organization
              {(pipelineId is null ? "" : "and pipeline_id = @pipelineId")}
              {(after is null ? "" : beyond)}
            order by pipeline_id, check_id
            """;
        var end = $"""
            -- CheckStatusChanges.End
            select pipeline_id, check_id
            {range}
            limit 2 offset {MaxExamined - 1}
            """;
        var sql = $"""
            -- CheckStatusChanges.Flapping
            with asked as materialized (
                select pipeline_id, check_id
                {range}
                limit {MaxExamined}
            )
            select asked.pipeline_id, asked.check_id, check_results.id, check_results.status, check_results.executed_at
            from asked
            {db.Dialect.JoinFirst(
                "check_results", "organization_id = @organization and pipeline_id = asked.pipeline_id and check_id = asked.check_id",
                "executed_at desc, id desc", "@window")}
            order by asked.pipeline_id, asked.check_id
            """;

        var parameters = new { organization, pipelineId, pipeline, check, window };
        var last = await session.Many<CheckKey>(end, parameters, ct);
        var flapping = (await session.Many<StatusOfCheck>(sql, parameters, ct))
            .GroupBy(row => (row.PipelineId, row.CheckId))
            .Select(results => FlappingCheck.Of([.. results.OrderByDescending(row => row.ExecutedAt)
                .ThenByDescending(row => row.Id, StringComparer.Ordinal)]))
            .Where(found => found.Changes >= minChanges).ToList();
        var page = flapping.Count > limit ? flapping[..limit] : flapping;
        return new Page<FlappingCheck>(page, flapping.Count > limit
            ? new Cursor(default, Cursor.Pair(page[^1].PipelineId, page[^1].CheckId))
            : last is [var examined, _] ? new Cursor(default, Cursor.Pair(examined.PipelineId, examined.CheckId)) : null);
    }, ct);

    /// <summary>
    /// Counts the changes of status in the newest <see cref="MaxStreak"/> results of a check, and the failures since
    /// its last result with another status. Only the pipeline, the check and the times of the filter are used.
    /// </summary>
    public async Task<CheckStreak> Streak(string organization, CheckResultFilter filter, CancellationToken ct)
    {
        var sql = $"""
            -- CheckStatusChanges.Streak
            select id, pipeline_id, check_id, status, executed_at
            from check_results
            where organization_id = @organization and pipeline_id = @PipelineId and check_id = @CheckId
              {(filter.Since is null ? "" : "and executed_at >= @Since")}
              {(filter.Until is null ? "" : "and executed_at < @Until")}
            order by executed_at desc, id desc
            limit @MaxStreak
            """;

        var newest = await db.Many<StatusOfCheck>(
            organization, sql, new { organization, filter.PipelineId, filter.CheckId, filter.Since, filter.Until, MaxStreak }, ct);
        var failing = newest.TakeWhile(row => row.Status == CheckStatus.Fail).ToList();
        return new(newest.Count, Changes(newest), failing.Count, failing.Count == 0 ? null : failing[^1].ExecutedAt);
    }

    internal static int Changes(IReadOnlyList<StatusOfCheck> results) =>
        results.Zip(results.Skip(1), (later, earlier) => later.Status != earlier.Status).Count(changed => changed);

    private sealed record CheckKey
    {
        public required string PipelineId { get; init; }
        public required string CheckId { get; init; }
    }
}

/// <summary>The fields of a result that are needed to find changes of status.</summary>
internal sealed record StatusOfCheck
{
    public required string PipelineId { get; init; }
    public required string CheckId { get; init; }
    public required string Id { get; init; }
    public required string Status { get; init; }
    public required DateTimeOffset ExecutedAt { get; init; }
}

/// <summary>A check whose status changed often.</summary>
public sealed record FlappingCheck
{
    /// <summary>Empty for a standalone check.</summary>
    public required string PipelineId { get; init; }

    public required string CheckId { get; init; }

    /// <summary>The number of results whose status differs from that of the previous result.</summary>
    public required int Changes { get; init; }

    /// <summary>The statuses of the examined results, latest first.</summary>
    public required IReadOnlyList<string> Statuses { get; init; }

    /// <summary>When the latest result was executed.</summary>
    public required DateTimeOffset ExecutedAt { get; init; }

    internal static FlappingCheck Of(List<StatusOfCheck> latestFirst) => new()
    {
        PipelineId = latestFirst[0].PipelineId,
        CheckId = latestFirst[0].CheckId,
        Changes = CheckStatusChanges.Changes(latestFirst),
        Statuses = [.. latestFirst.Select(result => result.Status)],
        ExecutedAt = latestFirst[0].ExecutedAt,
    };
}

/// <summary>Facts about the newest results of a check.</summary>
/// <param name="Results">The number of examined results.</param>
/// <param name="Changes">The number of examined results whose status differs from that of the previous result.</param>
/// <param name="FailingResults">
/// The number of failures since the last result with another status; 0 when the latest result is not a failure.
/// </param>
/// <param name="FailingSince">
/// When the first of these failures was executed; null when there is no such failure.
/// </param>
public sealed record CheckStreak(int Results, int Changes, int FailingResults, DateTimeOffset? FailingSince);
