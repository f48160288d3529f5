using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>Reads runs. <see cref="RunIngest"/> writes them.</summary>
public sealed class RunRepository(CatalogDatabase db)
{
    private const string Columns = """
        id, pipeline_id, reported_status as status, started_at, completed_at, records_processed, error_message, trigger, external_url, metadata,
        decided_at, check_gate, gate_check_id, created_at, updated_at
        """;

    // The indexes contain the expressions Started and Ended exactly as written here. A run without an end is sorted at
    // the last possible instant. SQLite uses no index for a pair that contains an expression, so a cursor also compares
    // its first part alone.
    private const string Started = "coalesce(started_at, created_at)";
    private const string Never = "'9999-12-31T23:59:59.999999Z'";
    private const string Ended = $"coalesce(completed_at, {Never})";
    private const string OrUnended = "and (completed_at is not null or status in ('pending', 'running'))";

    /// <returns>The run with its stages and check counts, or null when no run has this id.</returns>
    public Task<RunDetail?> Find(string organization, string id, CancellationToken ct) => db.Read(organization, async session =>
    {
        const string Sql = $"""
            -- Runs.Find
            select {Columns}
            from runs
            where organization_id = @organization and id = @id
            """;

        return await session.One<FoldedRun>(Sql, new { organization, id }, ct) is { } run
            ? (await WithDetail(session, organization, [run], ct))[0]
            : null;
    }, ct);

    /// <summary>Reads one page in the filter's order, newest first.</summary>
    public Task<Page<RunDetail>> List(string organization, RunFilter filter, Cursor? after, int limit, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            // Leaves out an upper bound when the cursor is below it: of two upper bounds SQLite may search by the
            // higher one.
            bool CursorIsBelow(RunOrder order, DateTimeOffset? until) => filter.Order == order && after?.At < until;

            var order = filter.Order switch { RunOrder.Started => Started, RunOrder.Ended => Ended, _ => "created_at" };
            var sql = $"""
                -- Runs.List
                select {Columns}
                from runs
                where organization_id = @organization
                  {(filter.PipelineId is null ? "" : "and pipeline_id = @PipelineId")}
                  {(filter.Statuses is null ? "" : "and " + db.Dialect.IsAnyOf("status", "@statuses"))}
                  {(filter.Since is null ? "" : "and created_at >= @Since")}
                  {(filter.Until is null || CursorIsBelow(RunOrder.Created, filter.Until) ? "" : "and created_at < @Until")}
                  {(filter.StartedSince is null ? "" : $"and {Started} >= @StartedSince")}
                  {(filter.StartedUntil is null || CursorIsBelow(RunOrder.Started, filter.StartedUntil) ? "" : $"and {Started} < @StartedUntil")}
                  {(filter.StartedSince is null && filter.StartedUntil is null ? "" : "and started_at is not null")}
                  {(filter.EndedSince is null ? "" : $"and {Ended} >= @EndedSince")}
                  {(filter.EndedSince is null || CursorIsBelow(RunOrder.Ended, FoldedRun.Never) ? "" : filter.IncludesUnended ? OrUnended : $"and {Ended} < {Never}")}
                  {(filter.EndedUntil is null || CursorIsBelow(RunOrder.Ended, filter.EndedUntil) ? "" : $"and {Ended} < @EndedUntil")}
                  {(after is null ? "" : $"and {order} <= @At and ({order}, id) < (@At, @Id)")}
                order by {order} desc, id desc
                limit @Take
                """;

            var runs = await session.Many<FoldedRun>(sql, new
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
                Take = limit + 1,
            }, ct);
            var page = Page.Of(runs, limit, run => new Cursor(run.SortTime(filter.Order), run.Id));
            return new Page<RunDetail>(await WithDetail(session, organization, page.Items, ct), page.Next);
        }, ct);

    /// <summary>Reads one page of a run's events, latest received first.</summary>
    /// <returns>The page, or null when the run does not exist.</returns>
    public Task<Page<ReceivedEvent>?> Events(string organization, string id, Cursor? after, int limit, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            const string Exists = """
                -- Runs.Exists
                select 1
                from runs
                where organization_id = @organization and id = @id
                """;
            var sql = $"""
                -- Runs.Events
                select body, received_at, digest
                from run_events
                where organization_id = @organization and run_id = @id
                  {(after is null ? "" : "and (received_at, digest) < (@At, @digest)")}
                order by received_at desc, digest desc
                limit @Take
                """;

            if (await session.One<int?>(Exists, new { organization, id }, ct) is null)
            {
                return null;
            }

            // A forged cursor may contain no digest; the page then begins after all events with its time.
            var digest = after is { } cursor && cursor.Id.Length == 64 && cursor.Id.All(char.IsAsciiHexDigit)
                ? Convert.FromHexString(cursor.Id) : [];
            var events = await session.Many<ReceivedEvent>(sql, new { organization, id, after?.At, digest, Take = limit + 1 }, ct);
            return Page.Of(events, limit, @event => new Cursor(@event.ReceivedAt, @event.Id));
        }, ct);

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
