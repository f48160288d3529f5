using Catalog.Data.Checks;
using Catalog.Data.Database;
using Catalog.Data.Runs;

namespace Catalog.Migrations.Replay;

/// <summary>
/// Folds runs again from their events, and the states of checks from their results, after a replay replaced some of them.
/// </summary>
internal sealed class FoldAgain(Dialect dialect, Session session, CrossOrganizationSession batches, string organization)
{
    private static readonly Rows<CheckOfRun> Checks = new(
        new Column<CheckOfRun, string>("pipeline_id", check => check.PipelineId),
        new Column<CheckOfRun, string>("check_id", check => check.CheckId),
        new Column<CheckOfRun, string?>("run_id", check => check.RunId));

    private List<string> _runs = [];
    private List<CheckOfRun> _checks = [];

    /// <summary>Finds the runs and checks to fold again, before rows are replaced.</summary>
    /// <param name="events">A query of the keys (run_id, digest) of run events that will be replaced.</param>
    /// <param name="results">A query of the ids of results that will be replaced.</param>
    /// <param name="runs">A query of the ids of runs that must be folded again.</param>
    /// <param name="shadow">The schema of the shadow.</param>
    /// <param name="parameters">The parameters of all queries.</param>
    /// <param name="ct">Cancels the operation.</param>
    public async Task Find(string events, string results, string runs, string shadow, object parameters, CancellationToken ct)
    {
        var ofChecks = $"""
            -- FoldAgain.Checks
            with changed as materialized ({results})
            select pipeline_id, check_id, run_id from check_results
            where organization_id = @organization and id in (select id from changed)
            union
            select pipeline_id, check_id, run_id from {shadow}.check_results
            where organization_id = @organization and id in (select id from changed)
            """;
        // Retention may have removed events of an older run.
        var ofRuns = $"""
            -- FoldAgain.Runs
            with results as materialized ({results})
            select run_id
            from (select run_id from ({events}) as changed
                  union
                  select id from ({runs}) as changed
                  union
                  select run_id from check_results where organization_id = @organization and id in (select id from results)
                  union
                  select run_id from {shadow}.check_results where organization_id = @organization and id in (select id from results)
                 ) as changed
            where run_id is not null and not exists (
                select 1 from runs where runs.organization_id = @organization and runs.id = changed.run_id and runs.created_at < @removed)
            order by run_id
            """;

        _checks = await session.Many<CheckOfRun>(ofChecks, parameters, ct);
        _runs = await session.Many<string>(ofRuns, parameters, ct);
    }

    /// <summary>Folds.</summary>
    /// <returns>The number of runs.</returns>
    public async Task<int> Run(CancellationToken ct)
    {
        foreach (var sql in new[] { DeleteStates, InsertStates, DeleteRunStates, InsertRunStates })
        {
            await session.Run<CheckOfRun, NoResult>(sql, Checks, _checks, ct);
        }

        foreach (var run in _runs)
        {
            await Fold(run, ct);
        }

        return _runs.Count;
    }

    private async Task Fold(string run, CancellationToken ct)
    {
        const string Events = $"""
            -- FoldAgain.Events
            select e.digest, e.body, e.report, e.received_at, coalesce(replayed.pipeline_id, runs.pipeline_id) as pipeline_id
            from run_events as e
            left join runs on runs.organization_id = e.organization_id and runs.id = e.run_id
            left join {ReplayShadow.Schema}.runs as replayed on replayed.organization_id = e.organization_id and replayed.id = e.run_id
            where e.organization_id = @organization and e.run_id = @run
            order by e.received_at, e.digest
            """;
        var events = await session.Many<StoredRunEvent>(Events, new { organization, run }, ct);
        foreach (var table in new[] { "run_attempts", "run_stages", "run_events" })
        {
            await session.Execute(
                $"delete from {table} where organization_id = @organization and run_id = @run", new { organization, run }, ct);
        }

        await session.Execute("delete from runs where organization_id = @organization and id = @run", new { organization, run }, ct);
        foreach (var stored in events)
        {
            var @event = RunEventReport.Read(run, stored.Digest, stored.Report ?? stored.Body) with
            {
                PipelineId = stored.PipelineId,
                Body = stored.Body,
                BodyIsReport = stored.Report is null,
            };
            await RunEventBatch.Record(batches, [new(dialect, organization, [@event], stored.ReceivedAt)], ct);
        }

        await session.Execute(CreateByGate, new { organization, run }, ct);
        await session.Execute(CloseGate, new { organization, run }, ct);
    }

    // A failed check creates its run when no event did.
    private const string CreateByGate = """
        -- FoldAgain.CreateByGate
        insert into runs (organization_id, id, pipeline_id, status, gate_check_id, created_at, updated_at)
        select organization_id, run_id, min(pipeline_id), 'failed', min(check_id), min(executed_at), min(executed_at)
        from run_check_states
        where organization_id = @organization and run_id = @run and status = 'fail' and severity = 'error'
        group by organization_id, run_id
        on conflict (organization_id, id) do nothing
        """;

    private const string CloseGate = """
        -- FoldAgain.CloseGate
        update runs
        set status = case when check_gate then 'failed' else status end,
            gate_check_id = (
                select min(states.check_id)
                from run_check_states as states
                where states.organization_id = @organization and states.run_id = @run and states.pipeline_id = runs.pipeline_id
                  and states.status = 'fail' and states.severity = 'error')
        where organization_id = @organization and id = @run and exists (
            select 1
            from run_check_states as states
            where states.organization_id = @organization and states.run_id = @run and states.pipeline_id = runs.pipeline_id
              and states.status = 'fail' and states.severity = 'error')
        """;

    private const string DeleteStates = """
        -- FoldAgain.DeleteStates
        delete from check_states
        where organization_id = @organization and (pipeline_id, check_id) in (select pipeline_id, check_id from rows)
        """;

    private const string InsertStates = $"""
        -- FoldAgain.InsertStates
        insert into check_states (organization_id, pipeline_id, check_id, result_id, run_id, status, severity, rank, dataset,
            observed_number, executed_at)
        select @organization, pipeline_id, check_id, id, run_id, status, severity, rank, dataset, observed_number, executed_at
        from (
            select results.*, {CheckStates.Rank} as rank, row_number() over (partition by results.pipeline_id, results.check_id
                order by results.executed_at desc, {CheckStates.Rank} desc, results.id desc) as place
            from (select distinct pipeline_id, check_id from rows) as changed
            join check_results as results on results.organization_id = @organization and results.pipeline_id = changed.pipeline_id
                and results.check_id = changed.check_id) as placed
        where place = 1
        on conflict (organization_id, pipeline_id, check_id) do nothing
        """;

    private const string DeleteRunStates = """
        -- FoldAgain.DeleteRunStates
        delete from run_check_states
        where organization_id = @organization and (run_id, pipeline_id, check_id) in (select run_id, pipeline_id, check_id from rows)
        """;

    private const string InsertRunStates = $"""
        -- FoldAgain.InsertRunStates
        insert into run_check_states (organization_id, run_id, pipeline_id, check_id, result_id, status, severity, rank, executed_at)
        select @organization, run_id, pipeline_id, check_id, id, status, severity, rank, executed_at
        from (
            select results.*, {CheckStates.Rank} as rank, row_number() over (
                partition by results.run_id, results.pipeline_id, results.check_id
                order by results.executed_at desc, {CheckStates.Rank} desc, results.id desc) as place
            from (select distinct run_id, pipeline_id, check_id from rows) as changed
            join check_results as results on results.organization_id = @organization and results.run_id = changed.run_id
                and results.pipeline_id = changed.pipeline_id and results.check_id = changed.check_id) as placed
        where place = 1
        on conflict (organization_id, run_id, pipeline_id, check_id) do nothing
        """;

    private sealed record CheckOfRun
    {
        public required string PipelineId { get; init; }
        public required string CheckId { get; init; }
        public string? RunId { get; init; }
    }

    private sealed record StoredRunEvent
    {
        public required byte[] Digest { get; init; }
        public required string Body { get; init; }
        public string? Report { get; init; }
        public required DateTimeOffset ReceivedAt { get; init; }
        public string? PipelineId { get; init; }
    }
}
