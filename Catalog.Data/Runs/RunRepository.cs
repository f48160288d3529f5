using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>Reads runs. <see cref="RunIngest"/> writes them.</summary>
public sealed class RunRepository(CatalogDatabase db)
{
    private const string Columns = """
        id, pipeline_id, reported_status as status, started_at, completed_at, records_processed, error_message, trigger, external_url, metadata,
        decided_at, check_gate, gate_check_id, created_at, updated_at
        """;

    /// <returns>The run with its stages and check counts, or null when there is none of that id.</returns>
    public Task<RunDetail?> Find(string organization, string id, CancellationToken ct) => db.Read(organization, async session =>
    {
        const string Sql = $"""
            -- Runs.Find
            select {Columns}
            from runs
            where organization_id = @organization and id = @id
            """;

        return await session.One<RunProgress>(Sql, new { organization, id }, ct) is { } run
            ? (await WithDetail(session, organization, [run], ct))[0]
            : null;
    }, ct);

    /// <summary>One page, the newest received first.</summary>
    public Task<Page<RunDetail>> List(string organization, RunFilter filter, Cursor? after, int limit, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            var sql = $"""
                -- Runs.List
                select {Columns}
                from runs
                where organization_id = @organization
                  {(filter.PipelineId is null ? "" : "and pipeline_id = @PipelineId")}
                  {(filter.Status is null ? "" : "and status = @Status")}
                  {(filter.Since is null ? "" : "and created_at >= @Since")}
                  {(filter.Until is null ? "" : "and created_at < @Until")}
                  {(after is null ? "" : "and (created_at, id) < (@At, @Id)")}
                order by created_at desc, id desc
                limit @Take
                """;

            var runs = await session.Many<RunProgress>(sql, new
            {
                organization,
                filter.PipelineId,
                filter.Status,
                filter.Since,
                filter.Until,
                after?.At,
                after?.Id,
                Take = limit + 1,
            }, ct);
            var page = Page.Of(runs, limit, run => new Cursor(run.CreatedAt, run.Id));
            return new Page<RunDetail>(await WithDetail(session, organization, page.Items, ct), page.Next);
        }, ct);

    /// <summary>One page of a run's events, the newest received first.</summary>
    /// <returns>The page, or null when there is no such run.</returns>
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

            // A cursor that someone made by hand may hold no digest; it then begins after all that have its time.
            var digest = after is { } cursor && cursor.Id.Length == 64 && cursor.Id.All(char.IsAsciiHexDigit) ? Convert.FromHexString(cursor.Id) : [];
            var events = await session.Many<ReceivedEvent>(sql, new { organization, id, after?.At, digest, Take = limit + 1 }, ct);
            return Page.Of(events, limit, @event => new Cursor(@event.ReceivedAt, @event.Id));
        }, ct);

    private async Task<List<RunDetail>> WithDetail(Session session, string organization, IReadOnlyList<RunProgress> runs, CancellationToken ct)
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
        var stages = (await session.Many<StageProgress>(stagesSql, new { organization, ids }, ct))
            .ToLookup(stage => stage.RunId, stage => stage.ToStage(), StringComparer.Ordinal);
        var checks = (await session.Many<CheckCount>(checksSql, new { organization, ids }, ct)).ToLookup(count => count.RunId);
        return [.. runs.Select(run => new RunDetail(run.ToRun(run.UpdatedAt), RunDetail.InOrder(stages[run.Id]), [.. checks[run.Id]]))];
    }
}
