using Catalog.Data.Checks;
using Catalog.Data.Database;
using Catalog.Data.Runs;

namespace Catalog.Migrations.Replay;

/// <summary>
/// After a replay replaced rows, folds the changed runs again from their events, and the changed states of checks from
/// their results.
/// </summary>
internal sealed class ReplayRefold(Dialect dialect, Session session, CrossOrganizationSession batches, string organization)
{
    private List<string> _runs = [];
    private List<CheckStateFold.CheckKey> _checks = [];

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
            -- ReplayRefold.Checks
            with changed as materialized ({results})
            select pipeline_id, check_id from check_results
            where organization_id = @organization and id in (select id from changed)
            union
            select pipeline_id, check_id from {shadow}.check_results
            where organization_id = @organization and id in (select id from changed)
            """;
        // Runs from before the time up to which retention removed events are left out. Some of their events can be
        // missing, so folding the rest would give a wrong state.
        var ofRuns = $"""
            -- ReplayRefold.Runs
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

        _checks = (await session.Many<Check>(ofChecks, parameters, ct))
            .ConvertAll(check => new CheckStateFold.CheckKey(check.PipelineId, check.CheckId));
        _runs = await session.Many<string>(ofRuns, parameters, ct);
    }

    /// <summary>Folds again the states of checks and the runs that <see cref="Find"/> found.</summary>
    /// <returns>The number of runs.</returns>
    public async Task<int> Run(CancellationToken ct)
    {
        await session.Send(CheckStateFold.FoldAgain(organization, _checks), ct);
        foreach (var run in _runs)
        {
            await Fold(run, ct);
        }

        return _runs.Count;
    }

    private async Task Fold(string run, CancellationToken ct)
    {
        const string Events = $"""
            -- ReplayRefold.Events
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
            var @event = RunEventJson.Read(run, stored.Digest, stored.Report ?? stored.Body) with
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

    // If no event created the run, a failed check creates it. If failures of several pipelines name the run, the
    // pipeline with the smallest id is used.
    private string CreateByGate => $"""
        -- ReplayRefold.CreateByGate
        insert into runs (organization_id, id, pipeline_id, status, gate_check_id, created_at, updated_at)
        select @organization, @run, failed.pipeline_id, 'failed', failed.check_id, failed.at, failed.at
        from (
            select owners.pipeline_id, {CheckStateFold.FirstFailure(dialect, "@run", "owners.pipeline_id")} as check_id, owners.at
            from (
                select pipeline_id, min(executed_at) as at
                from check_results
                where organization_id = @organization and run_id = @run and status = 'fail' and severity = 'error'
                group by pipeline_id) as owners) as failed
        where failed.check_id is not null
        order by failed.pipeline_id
        limit 1
        on conflict (organization_id, id) do nothing
        """;

    private string CloseGate => $"""
        -- ReplayRefold.CloseGate
        update runs
        set status = case when runs.check_gate then 'failed' else runs.status end, gate_check_id = gates.check_id
        from (
            select runs.id, {CheckStateFold.FirstFailure(dialect, "runs.id", "runs.pipeline_id")} as check_id
            from runs
            where runs.organization_id = @organization and runs.id = @run
        ) as gates
        where runs.organization_id = @organization and runs.id = gates.id and gates.check_id is not null
        """;

    private sealed record Check
    {
        public required string PipelineId { get; init; }
        public required string CheckId { get; init; }
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
