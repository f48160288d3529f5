using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>Reads runs. <see cref="RunIngest"/> writes them.</summary>
public sealed class RunRepository(CatalogDatabase db)
{
    private const string Columns = """
        id, pipeline_id, reported_status as status, started_at, completed_at, records_processed, error_message, trigger, external_url, metadata,
        decided_at, check_gate, gate_check_id, attempt, created_at, updated_at
        """;

    private const string Started = RunSortTimes.Started;
    private const string Never = RunSortTimes.Never;
    private const string Ended = RunSortTimes.Ended;
    private const string OrUnended = "and (completed_at is not null or status in ('pending', 'running'))";

    // Sorting this number of runs takes a few milliseconds.
    private const int Few = 5000;

    /// <returns>The run with its stages, check counts and earlier attempts, or null when no run has this id.</returns>
    public Task<RunDetail?> Find(string organization, string id, CancellationToken ct) => db.Read(organization, async session =>
    {
        const string Sql = $"""
            -- Runs.Find
            select {Columns}
            from runs
            where organization_id = @organization and id = @id
            """;

        if (await session.One<FoldedRun>(Sql, new { organization, id }, ct) is not { } run)
        {
            return null;
        }

        var earlier = run.Attempt == 1 ? [] : await RunAttemptTable.Find(session, organization, id, ct);
        return (await WithDetail(session, organization, [run], ct))[0] with
        {
            Attempts = [.. earlier.Select(attempt => attempt.ToAttempt())],
        };
    }, ct);

    /// <summary>Reads one page in the filter's order, newest first.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="filter">Selects the runs and their order.</param>
    /// <param name="after">The position after which the page begins; null for the first page.</param>
    /// <param name="limit">The maximum number of runs.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <param name="openStagesOnly">
    /// Whether only the failed and running stages are read, and no check counts. This is for lists, because a run can
    /// have hundreds of stages.
    /// </param>
    public Task<Page<RunDetail>> List(string organization, RunFilter filter, Cursor? after, int limit, CancellationToken ct,
        bool openStagesOnly = false) => db.Read(organization, async session =>
    {
        var order = OrderOf(filter);
        // SQLite does not search an index for a comparison of pairs with an expression, so the expression is also
        // compared alone.
        var below = after is null ? "" : $"and {order} <= @At and ({order}, id) < (@At, @Id)";
        var sql = await AreFew(session, organization, filter, ct)
            ? $"""
            -- Runs.ListFew
            with matching as materialized (
                {Matching($"id as run_id, {order} as place", filter, below)}
            ), page as materialized (
                select *
                from matching
                order by place desc, run_id desc
                limit @Take
            )
            select {Columns}
            from page
            join runs on organization_id = @organization and id = page.run_id
            order by page.place desc, page.run_id desc
            """
            : $"""
            -- Runs.List
            select {Columns}
            from runs
            where organization_id = @organization
              {Conditions(filter, after)}
              {below}
            order by {order} desc, id desc
            limit @Take
            """;

        var runs = await session.Many<FoldedRun>(sql, Parameters(organization, filter, after, limit + 1), ct);
        var page = Page.Of(runs, limit, run => new Cursor(run.SortTime(filter.Order), run.Id));
        var details = openStagesOnly
            ? await WithOpenStages(session, organization, page.Items, ct) : await WithDetail(session, organization, page.Items, ct);
        return new Page<RunDetail>(details, page.Next);
    }, ct);

    /// <summary>Counts the runs that the filter selects.</summary>
    public async Task<RowCount> Count(string organization, RunFilter filter, CancellationToken ct)
    {
        var sql = $"""
            -- Runs.Count
            select count(*)
            from (
                {Matching("1", filter, "")}
                limit {RowCount.Take}
            ) as counted
            """;

        return RowCount.Of(await db.One<long>(organization, sql, Parameters(organization, filter, null, 0), ct));
    }

    // Whether few runs have the status and end of the filter. Few runs are read by status and then sorted, because
    // reading in the order of the list would visit all runs to find them.
    private async Task<bool> AreFew(Session session, string organization, RunFilter filter, CancellationToken ct)
    {
        if (filter.Statuses is null || filter.PipelineId is not null)
        {
            return false;
        }

        var byIndex = new RunFilter { Statuses = filter.Statuses, EndedSince = filter.EndedSince, EndedUntil = filter.EndedUntil };
        var sql = $"""
            -- Runs.AreFew
            select count(*)
            from (
                {Matching("1", byIndex, "")}
                limit {Few + 1}
            ) as matching
            """;

        return await session.One<long>(sql, Parameters(organization, byIndex, null, 0), ct) <= Few;
    }

    // The SQL that selects the runs of a filter. The end is compared without an expression, because the index by status
    // contains the column itself. Runs without an end are not in that range of the index, so a second part selects
    // them.
    private string Matching(string columns, RunFilter filter, string below)
    {
        string Part(string end) => $"""
            select {columns}
            from runs
            where organization_id = @organization
              {Conditions(filter with { EndedSince = null, EndedUntil = null }, null)}
              {end}
              {below}
            """;

        var ended = $"""
            {(filter.EndedSince is null ? "" : "and completed_at >= @EndedSince")}
            {(filter.EndedUntil is null ? "" : "and completed_at < @EndedUntil")}
            """;
        return filter is { EndedSince: not null, EndedUntil: null, IncludesUnended: true }
            ? $"{Part(ended)}\nunion all\n{Part("and completed_at is null and status in ('pending', 'running')")}"
            : Part(ended);
    }

    private static string OrderOf(RunFilter filter) =>
        filter.Order switch { RunOrder.Started => Started, RunOrder.Ended => Ended, _ => "created_at" };

    private string Conditions(RunFilter filter, Cursor? after)
    {
        // An upper bound is left out if the cursor is below it. With two upper bounds, SQLite might search the index by
        // the higher bound.
        bool CursorIsBelow(RunOrder order, DateTimeOffset? until) => filter.Order == order && after?.At < until;

        return $"""
            {(filter.PipelineId is null ? "" : $"and {db.Dialect.Selective("pipeline_id = @PipelineId")}")}
            {(filter.Statuses is null ? "" : "and " + db.Dialect.IsAnyOf("status", "@statuses"))}
            {(filter.Since is null ? "" : "and created_at >= @Since")}
            {(filter.Until is null || CursorIsBelow(RunOrder.Created, filter.Until) ? "" : "and created_at < @Until")}
            {(filter.StartedSince is null ? "" : $"and {Started} >= @StartedSince")}
            {(filter.StartedUntil is null || CursorIsBelow(RunOrder.Started, filter.StartedUntil) ? "" : $"and {Started} < @StartedUntil")}
            {(filter.StartedSince is null && filter.StartedUntil is null ? "" : "and started_at is not null")}
            {(filter.EndedSince is null ? "" : $"and {Ended} >= @EndedSince")}
            {(filter.EndedSince is null || CursorIsBelow(RunOrder.Ended, FoldedRun.Never) ? "" : filter.IncludesUnended ? OrUnended : $"and {Ended} < {Never}")}
            {(filter.EndedUntil is null || CursorIsBelow(RunOrder.Ended, filter.EndedUntil) ? "" : $"and {Ended} < @EndedUntil")}
            """;
    }

    private static object Parameters(string organization, RunFilter filter, Cursor? after, int take) => new
    {
        organization,
        filter.PipelineId,
        statuses = filter.Statuses?.ToArray(),
        filter.Since,
        filter.Until,
        filter.StartedSince,
        filter.StartedUntil,
        filter.EndedSince,
        filter.EndedUntil,
        after?.At,
        after?.Id,
        Take = take,
    };

    private async Task<List<RunDetail>> WithOpenStages(Session session, string organization, IReadOnlyList<FoldedRun> runs,
        CancellationToken ct)
    {
        var sql = $"""
            -- Runs.OpenStages
            select run_id, stage_name, status, started_at, completed_at, records_processed, error_message, decided_at
            from {db.Dialect.ByIndex("run_stages", "organization_id = @organization and status in ('failed', 'running')", "run_id", "@ids")}
            """;

        var stages = (await session.Many<FoldedStage>(sql, new { organization, ids = runs.Select(run => run.Id).ToArray() }, ct))
            .ToLookup(stage => stage.RunId, stage => stage.ToStage(), StringComparer.Ordinal);
        return [.. runs.Select(run => new RunDetail(run.ToRun(run.UpdatedAt), RunDetail.SortStages(stages[run.Id]), []))];
    }

    private async Task<List<RunDetail>> WithDetail(Session session, string organization, IReadOnlyList<FoldedRun> runs,
        CancellationToken ct)
    {
        if (runs.Count == 0)
        {
            return [];
        }

        var stagesSql = $"""
            -- Runs.Stages
            select run_id, stage_name, status, started_at, completed_at, records_processed, error_message, decided_at
            from {db.Dialect.ByIndex("run_stages", "organization_id = @organization", "run_id", "@ids")}
            """;
        var checksSql = $"""
            -- Runs.CheckCounts
            select run_id, status, count(*) as count
            from {db.Dialect.ByIndex("check_results", "organization_id = @organization", "run_id", "@ids")}
            group by run_id, status
            """;

        var ids = runs.Select(run => run.Id).ToArray();
        var stages = (await session.Many<FoldedStage>(stagesSql, new { organization, ids }, ct))
            .ToLookup(stage => stage.RunId, stage => stage.ToStage(), StringComparer.Ordinal);
        var checks = (await session.Many<CheckCount>(checksSql, new { organization, ids }, ct)).ToLookup(count => count.RunId);
        return [.. runs.Select(run => new RunDetail(run.ToRun(run.UpdatedAt), RunDetail.SortStages(stages[run.Id]), [.. checks[run.Id]]))];
    }
}
