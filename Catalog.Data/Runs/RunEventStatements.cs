using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>The statements that take in events of one organization's runs.</summary>
internal sealed class RunEventStatements(Dialect dialect, string organization, DateTimeOffset now)
{
    private const string RunColumns = """
        runs.id, runs.pipeline_id, runs.reported_status as status, runs.started_at, runs.completed_at, runs.records_processed, runs.error_message,
        runs.trigger, runs.external_url, runs.metadata, runs.decided_at, runs.check_gate, runs.gate_check_id, runs.created_at
        """;

    private static readonly Rows<NewRun> NewRuns = new(
        new Column<NewRun, string>("id", run => run.Id),
        new Column<NewRun, string?>("pipeline_id", run => run.PipelineId),
        new Column<NewRun, DateTimeOffset?>("started_at", run => run.StartedAt),
        new Column<NewRun, DateTimeOffset?>("completed_at", run => run.CompletedAt),
        new Column<NewRun, DateTimeOffset>("created_at", run => run.CreatedAt));

    private static readonly Rows<string> RunIds = new(new Column<string, string>("run_id", id => id));

    private static readonly Rows<RunEvent> EventKeys = new(
        new Column<RunEvent, string>("run_id", @event => @event.RunId),
        new Column<RunEvent, byte[]>("digest", @event => @event.Digest));

    private readonly Rows<RunEvent> _events = new(
        new Column<RunEvent, string>("run_id", @event => @event.RunId),
        new Column<RunEvent, byte[]>("digest", @event => @event.Digest),
        new Column<RunEvent, string>("body", @event => @event.Body),
        new Column<RunEvent, DateTimeOffset>("received_at", _ => now));

    private readonly Rows<RunProgress> _runs = new(
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

    private static readonly Rows<StageProgress> StageRows = new(
        new Column<StageProgress, string>("run_id", stage => stage.RunId),
        new Column<StageProgress, string>("stage_name", stage => stage.StageName),
        new Column<StageProgress, string>("status", stage => stage.Status ?? RunStatus.Pending),
        new Column<StageProgress, DateTimeOffset?>("started_at", stage => stage.StartedAt),
        new Column<StageProgress, DateTimeOffset?>("completed_at", stage => stage.CompletedAt),
        new Column<StageProgress, long?>("records_processed", stage => stage.RecordsProcessed),
        new Column<StageProgress, string?>("error_message", stage => stage.ErrorMessage),
        new Column<StageProgress, string>("decided_at", stage => stage.DecidedAt));

    /// <summary>
    /// Locks runs, in the order of their ids, before anything of them is read: two writers of one run take turns. Those with a pipeline are made
    /// where they are not known yet; where the pipeline is not known, they are left out.
    /// </summary>
    public LockedRuns Lock(IReadOnlyList<NewRun> runs)
    {
        var make = $"""
            -- RunEvents.LockOrCreate
            insert into runs (organization_id, id, pipeline_id, status, started_at, completed_at, created_at, updated_at)
            select @organization, rows.id, rows.pipeline_id, 'pending', rows.started_at, rows.completed_at, rows.created_at, rows.created_at
            from rows
            where exists (
                select 1 from pipelines
                where pipelines.organization_id = @organization and pipelines.id = rows.pipeline_id and pipelines.deleted_at is null)
            order by rows.id
            on conflict (organization_id, id) do update set updated_at = runs.updated_at
            returning {RunColumns.Replace("runs.", "", StringComparison.Ordinal)}
            """;
        var find = $"""
            -- RunEvents.Lock
            select {RunColumns}
            from runs
            join rows on rows.id = runs.id
            where runs.organization_id = @organization
            order by rows.id
            {dialect.ForUpdate}
            """;
        const string Stages = """
            -- RunEvents.Stages
            select stages.run_id, stages.stage_name, stages.status, stages.started_at, stages.completed_at, stages.records_processed,
                   stages.error_message, stages.decided_at
            from rows
            join run_stages as stages on stages.organization_id = @organization and stages.run_id = rows.run_id
            """;
        const string Checks = """
            -- RunEvents.CheckCounts
            select results.run_id, results.status, count(*) as count
            from rows
            join check_results as results on results.organization_id = @organization and results.run_id = rows.run_id
            group by results.run_id, results.status
            """;

        string[] ids = [.. runs.Select(run => run.Id)];
        return new(
            runs,
            new(organization, make, NewRuns, [.. runs.Where(run => run.PipelineId is not null)]),
            new(organization, find, NewRuns, [.. runs.Where(run => run.PipelineId is null)]),
            new(organization, Stages, RunIds, ids),
            new(organization, Checks, RunIds, ids));
    }

    /// <summary>Which of some events there are already.</summary>
    public Statement<RunEvent, HadEvent> Had(IReadOnlyList<RunEvent> events)
    {
        const string Sql = """
            -- RunEvents.Had
            select events.run_id, events.digest
            from rows
            join run_events as events on events.organization_id = @organization and events.run_id = rows.run_id and events.digest = rows.digest
            """;

        return new(organization, Sql, EventKeys, events);
    }

    /// <summary>Stores events, and runs and stages as they have become.</summary>
    public IEnumerable<Statement> Store(IReadOnlyList<RunEvent> events, IReadOnlyList<RunProgress> runs, IReadOnlyList<StageProgress> stages)
    {
        const string Insert = """
            -- RunEvents.Insert
            insert into run_events (organization_id, run_id, digest, body, received_at)
            select @organization, rows.run_id, rows.digest, rows.body, rows.received_at
            from rows
            where true
            on conflict (organization_id, run_id, digest) do nothing
            """;
        const string Update = """
            -- RunEvents.Update
            update runs
            set status = rows.status, reported_status = rows.reported_status, started_at = rows.started_at, completed_at = rows.completed_at,
                records_processed = rows.records_processed, error_message = rows.error_message, trigger = rows.trigger,
                external_url = rows.external_url, metadata = rows.metadata, decided_at = rows.decided_at, check_gate = rows.check_gate,
                updated_at = rows.updated_at
            from rows
            where runs.organization_id = @organization and runs.id = rows.id
            """;
        const string Upsert = """
            -- RunEvents.UpsertStages
            insert into run_stages (organization_id, run_id, stage_name, status, started_at, completed_at, records_processed, error_message, decided_at)
            select @organization, rows.run_id, rows.stage_name, rows.status, rows.started_at, rows.completed_at, rows.records_processed,
                   rows.error_message, rows.decided_at
            from rows
            where true
            on conflict (organization_id, run_id, stage_name) do update
            set status = excluded.status, started_at = excluded.started_at, completed_at = excluded.completed_at,
                records_processed = excluded.records_processed, error_message = excluded.error_message, decided_at = excluded.decided_at
            """;

        return
        [
            new Statement<RunEvent, NoResult>(organization, Insert, _events, events),
            new Statement<RunProgress, NoResult>(organization, Update, _runs, runs),
            new Statement<StageProgress, NoResult>(organization, Upsert, StageRows, stages),
        ];
    }
}

/// <summary>A run to lock; where it has a pipeline, to make when there is none.</summary>
/// <param name="Id">Its id.</param>
/// <param name="First">The event that makes it, or null. Its times go with it: given later, they would move the new row in every index.</param>
/// <param name="CreatedAt">When it is made.</param>
internal sealed record NewRun(string Id, RunEvent? First, DateTimeOffset CreatedAt)
{
    public string? PipelineId => First?.PipelineId;

    // One that must be the run's first may yet be refused, and then leaves nothing.
    public DateTimeOffset? StartedAt => First is { FirstOrRepeat: false } ? First.StartedAt : null;

    public DateTimeOffset? CompletedAt => First is { FirstOrRepeat: false } ? First.CompletedAt : null;
}

/// <summary>An event that was stored before.</summary>
internal sealed record HadEvent
{
    public required string RunId { get; init; }
    public required byte[] Digest { get; init; }
}

/// <summary>Runs that are being locked, with what is shown beside them.</summary>
/// <param name="Asked">Which.</param>
/// <param name="Made">Those that may be made.</param>
/// <param name="Found">Those that must be there.</param>
/// <param name="Stages">Their stages.</param>
/// <param name="Checks">Their check results, counted.</param>
internal sealed record LockedRuns(
    IReadOnlyList<NewRun> Asked,
    Statement<NewRun, RunProgress> Made,
    Statement<NewRun, RunProgress> Found,
    Statement<string, StageProgress> Stages,
    Statement<string, CheckCount> Checks)
{
    public IEnumerable<Statement> Statements => [Made, Found, Stages, Checks];
}
