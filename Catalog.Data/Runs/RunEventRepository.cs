using Catalog.Data.Database;
using Catalog.Data.Pipelines;

namespace Catalog.Data.Runs;

/// <summary>Takes in the events of runs and keeps each run's state folded from them.</summary>
public sealed class RunEventRepository(CatalogDatabase db, TimeProvider time)
{
    private const string RunColumns = """
        id, pipeline_id, reported_status as status, started_at, completed_at, records_processed, error_message, trigger, external_url,
        metadata, decided_at, check_gate, gate_check_id
        """;

    /// <summary>Stores events, of one run or of many, and brings the runs' rows up to date, all in one transaction.</summary>
    /// <returns>For each event, in the order given, what became of it.</returns>
    public Task<RunOutcome[]> Record(string organization, IReadOnlyList<RunEvent> events, CancellationToken ct) =>
        db.Write(organization, async session =>
        {
            var now = time.Now();
            var known = await KnownPipelines.Among(session, db.Dialect, organization, events.Select(@event => @event.PipelineId).OfType<string>(), ct);
            // The rows are locked, in the order of their ids, before any event is read: two writers of one run take turns.
            var runs = (await Lock(session, events, known, now, ct)).ToDictionary(run => run.Id, StringComparer.Ordinal);
            var repeats = await Repeats(session, organization, events, ct);
            var outcomes = new RunOutcome[events.Count];
            List<RunEvent> accepted = [];
            for (var i = 0; i < outcomes.Length; i++)
            {
                outcomes[i] = Judge(events[i], known, repeats, runs);
                if (outcomes[i] is RunOutcome.Created or RunOutcome.Updated)
                {
                    runs[events[i].RunId].Apply(events[i]);
                    accepted.Add(events[i]);
                }
            }

            await Insert(session, accepted, now, ct);
            await Update(session, [.. accepted.Select(@event => @event.RunId).Distinct(StringComparer.Ordinal).Select(id => runs[id])], now, ct);
            await Stages(session, organization, accepted, ct);
            return outcomes;
        }, ct);

    private static RunOutcome Judge(
        RunEvent @event, HashSet<string> known, HashSet<string> repeats, Dictionary<string, RunProgress> runs)
    {
        if (!@event.RunMustExist && !known.Contains(@event.PipelineId!))
        {
            return RunOutcome.PipelineUnknown;
        }

        if (!runs.TryGetValue(@event.RunId, out var run))
        {
            return RunOutcome.RunUnknown;
        }

        return @event.PipelineId is not null && @event.PipelineId != run.PipelineId ? RunOutcome.RunIdTaken
            : run.Status is null ? RunOutcome.Created
            : @event.FirstOrRepeat && !repeats.Contains(Convert.ToHexString(@event.Digest)) ? RunOutcome.KeyReused
            : RunOutcome.Updated;
    }

    // The digests, in hexadecimal, of events that came with an idempotency key and are there already.
    private async Task<HashSet<string>> Repeats(Session session, string organization, IReadOnlyList<RunEvent> events, CancellationToken ct)
    {
        var sql = $"""
            -- RunEvents.Repeats
            select digest
            from run_events
            where organization_id = @organization and {db.Dialect.IsAnyOf("run_id", "@runs")} and {db.Dialect.IsAnyOf("digest", "@digests")}
            """;

        var keyed = events.Where(@event => @event.FirstOrRepeat).ToList();
        var (runs, digests) = (keyed.Select(@event => @event.RunId).ToArray(), keyed.Select(@event => @event.Digest).ToArray());
        return keyed.Count == 0 ? []
            : [.. (await session.Many<byte[]>(sql, new { organization, runs, digests }, ct)).Select(Convert.ToHexString)];
    }

    private async Task<List<RunProgress>> Lock(
        Session session, IReadOnlyList<RunEvent> events, HashSet<string> known, DateTimeOffset now, CancellationToken ct)
    {
        var insert = $"""
            -- RunEvents.LockOrCreate
            insert into runs (organization_id, id, pipeline_id, status, created_at, updated_at)
            select @organization, rows.id, rows.pipeline_id, 'pending', rows.created_at, rows.created_at
            from {db.Dialect.From(NewRuns)}
            where true
            order by rows.id
            on conflict (organization_id, id) do update set updated_at = runs.updated_at
            returning {RunColumns}
            """;
        var update = $"""
            -- RunEvents.Lock
            update runs
            set updated_at = runs.updated_at
            from {db.Dialect.From(NewRuns)}
            where runs.organization_id = @organization and runs.id = rows.id
            returning {RunColumns.Replace("id, pipeline_id,", "runs.id, runs.pipeline_id,", StringComparison.Ordinal)}
            """;

        var first = events.GroupBy(@event => @event.RunId, StringComparer.Ordinal)
            .Select(group => new NewRun(group.Key, group.Where(@event => !@event.RunMustExist).Select(@event => @event.PipelineId).FirstOrDefault(id => known.Contains(id!)), now))
            .OrderBy(run => run.Id, StringComparer.Ordinal)
            .ToList();
        var runs = await session.Run<NewRun, RunProgress>(insert, NewRuns, [.. first.Where(run => run.PipelineId is not null)], ct);
        runs.AddRange(await session.Run<NewRun, RunProgress>(update, NewRuns, [.. first.Where(run => run.PipelineId is null)], ct));
        return runs;
    }

    private Task Insert(Session session, List<RunEvent> events, DateTimeOffset now, CancellationToken ct)
    {
        var rows = new Rows<RunEvent>(
            new Column<RunEvent, string>("run_id", @event => @event.RunId),
            new Column<RunEvent, byte[]>("digest", @event => @event.Digest),
            new Column<RunEvent, string>("body", @event => @event.Body),
            new Column<RunEvent, DateTimeOffset>("received_at", _ => now));
        var sql = $"""
            -- RunEvents.Insert
            insert into run_events (organization_id, run_id, digest, body, received_at)
            select @organization, rows.run_id, rows.digest, rows.body, rows.received_at
            from {db.Dialect.From(rows)}
            where true
            on conflict (organization_id, run_id, digest) do nothing
            """;

        return session.Run<RunEvent, int>(sql, rows, events, ct);
    }

    private Task Update(Session session, List<RunProgress> runs, DateTimeOffset now, CancellationToken ct)
    {
        var rows = new Rows<RunProgress>(
            new Column<RunProgress, string>("id", run => run.Id),
            new Column<RunProgress, string>("status", run => run.VisibleStatus),
            new Column<RunProgress, string?>("reported_status", run => run.Status),
            new Column<RunProgress, DateTimeOffset?>("started_at", run => run.StartedAt),
            new Column<RunProgress, DateTimeOffset?>("completed_at", run => run.CompletedAt),
            new Column<RunProgress, long?>("records_processed", run => run.RecordsProcessed),
            new Column<RunProgress, string?>("error_message", run => run.ErrorMessage),
            new Column<RunProgress, string?>("trigger", run => run.Trigger),
            new Column<RunProgress, string?>("external_url", run => run.ExternalUrl),
            new Column<RunProgress, string?>("metadata", run => run.Metadata),
            new Column<RunProgress, string>("decided_at", run => run.DecidedAt),
            new Column<RunProgress, bool>("check_gate", run => run.CheckGate),
            new Column<RunProgress, DateTimeOffset>("updated_at", _ => now));
        var sql = $"""
            -- RunEvents.Update
            update runs
            set status = rows.status, reported_status = rows.reported_status, started_at = rows.started_at, completed_at = rows.completed_at,
                records_processed = rows.records_processed, error_message = rows.error_message, trigger = rows.trigger,
                external_url = rows.external_url, metadata = rows.metadata, decided_at = rows.decided_at, check_gate = rows.check_gate,
                updated_at = rows.updated_at
            from {db.Dialect.From(rows)}
            where runs.organization_id = @organization and runs.id = rows.id
            """;

        return session.Run<RunProgress, int>(sql, rows, runs, ct);
    }

    private async Task Stages(Session session, string organization, List<RunEvent> events, CancellationToken ct)
    {
        var reports = events.SelectMany(@event => @event.Stages.Select(stage => (@event.RunId, Stage: stage))).ToList();
        if (reports.Count == 0)
        {
            return;
        }

        var select = $"""
            -- RunEvents.Stages
            select run_id, stage_name, status, started_at, completed_at, records_processed, error_message, decided_at
            from run_stages
            where organization_id = @organization and {db.Dialect.IsAnyOf("run_id", "@runs")} and {db.Dialect.IsAnyOf("stage_name", "@names")}
            """;
        var runs = reports.Select(report => report.RunId).Distinct(StringComparer.Ordinal).ToArray();
        var names = reports.Select(report => report.Stage.StageName).Distinct(StringComparer.Ordinal).ToArray();
        var stages = (await session.Many<StageProgress>(select, new { organization, runs, names }, ct))
            .ToDictionary(stage => (stage.RunId, stage.StageName));
        foreach (var (runId, report) in reports)
        {
            if (!stages.TryGetValue((runId, report.StageName), out var stage))
            {
                stages.Add((runId, report.StageName), stage = new() { RunId = runId, StageName = report.StageName });
            }

            stage.Apply(report);
        }

        await UpsertStages(session, [.. stages.Values.OrderBy(stage => stage.RunId, StringComparer.Ordinal).ThenBy(stage => stage.StageName, StringComparer.Ordinal)], ct);
    }

    private Task UpsertStages(Session session, List<StageProgress> stages, CancellationToken ct)
    {
        var rows = new Rows<StageProgress>(
            new Column<StageProgress, string>("run_id", stage => stage.RunId),
            new Column<StageProgress, string>("stage_name", stage => stage.StageName),
            new Column<StageProgress, string>("status", stage => stage.Status ?? RunStatus.Pending),
            new Column<StageProgress, DateTimeOffset?>("started_at", stage => stage.StartedAt),
            new Column<StageProgress, DateTimeOffset?>("completed_at", stage => stage.CompletedAt),
            new Column<StageProgress, long?>("records_processed", stage => stage.RecordsProcessed),
            new Column<StageProgress, string?>("error_message", stage => stage.ErrorMessage),
            new Column<StageProgress, string>("decided_at", stage => stage.DecidedAt));
        var sql = $"""
            -- RunEvents.UpsertStages
            insert into run_stages (organization_id, run_id, stage_name, status, started_at, completed_at, records_processed, error_message, decided_at)
            select @organization, rows.run_id, rows.stage_name, rows.status, rows.started_at, rows.completed_at, rows.records_processed,
                   rows.error_message, rows.decided_at
            from {db.Dialect.From(rows)}
            where true
            on conflict (organization_id, run_id, stage_name) do update
            set status = excluded.status, started_at = excluded.started_at, completed_at = excluded.completed_at,
                records_processed = excluded.records_processed, error_message = excluded.error_message, decided_at = excluded.decided_at
            """;

        return session.Run<StageProgress, int>(sql, rows, stages, ct);
    }

    private static readonly Rows<NewRun> NewRuns = new(
        new Column<NewRun, string>("id", run => run.Id),
        new Column<NewRun, string?>("pipeline_id", run => run.PipelineId),
        new Column<NewRun, DateTimeOffset>("created_at", run => run.CreatedAt));

    private sealed record NewRun(string Id, string? PipelineId, DateTimeOffset CreatedAt);
}
