using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>The statements that store run events of one organization.</summary>
internal sealed class RunEventStatements(Dialect dialect, string organization, DateTimeOffset now)
{
    private const string RunColumns = """
        runs.id, runs.pipeline_id, runs.reported_status as status, runs.started_at, runs.completed_at, runs.records_processed, runs.error_message,
        runs.trigger, runs.external_url, runs.metadata, runs.decided_at, runs.check_gate, runs.gate_check_id, runs.attempt,
        runs.created_at
        """;

    private static readonly InputRows<RunToLock> RunsToLock = new(
        new Column<RunToLock, string>("id", run => run.Id),
        new Column<RunToLock, string?>("pipeline_id", run => run.PipelineId),
        new Column<RunToLock, DateTimeOffset?>("started_at", run => run.StartedAt),
        new Column<RunToLock, DateTimeOffset?>("completed_at", run => run.CompletedAt),
        new Column<RunToLock, DateTimeOffset>("created_at", run => run.CreatedAt));

    private static readonly InputRows<string> RunIds = new(new Column<string, string>("run_id", id => id));

    private static readonly InputRows<RunEvent> EventKeys = new(
        new Column<RunEvent, string>("run_id", @event => @event.RunId),
        new Column<RunEvent, byte[]>("digest", @event => @event.Digest));

    private static readonly InputRows<ReceivedRunEvent> Events = new(
        new Column<ReceivedRunEvent, string>("run_id", received => received.Event.RunId),
        new Column<ReceivedRunEvent, byte[]>("digest", received => received.Event.Digest),
        new Column<ReceivedRunEvent, string>("body", received => received.Event.Body),
        new Column<ReceivedRunEvent, string?>(
            "report", received => received.Event.BodyIsReport ? null : RunEventJson.Write(received.Event)),
        new Column<ReceivedRunEvent, DateTimeOffset>("received_at", received => received.ReceivedAt));

    private readonly InputRows<FoldedRun> _runs = new(
        new Column<FoldedRun, string>("id", run => run.Id),
        new Column<FoldedRun, string>("pipeline_id", run => run.PipelineId),
        new Column<FoldedRun, string>("status", run => run.VisibleStatus),
        new Column<FoldedRun, string?>("reported_status", run => run.Status),
        new Column<FoldedRun, DateTimeOffset?>("started_at", run => run.StartedAt),
        new Column<FoldedRun, DateTimeOffset?>("completed_at", run => run.CompletedAt),
        new Column<FoldedRun, long?>("records_processed", run => run.RecordsProcessed),
        new Column<FoldedRun, string?>("error_message", run => run.ErrorMessage),
        new Column<FoldedRun, string?>("trigger", run => run.Trigger),
        new Column<FoldedRun, string?>("external_url", run => run.ExternalUrl),
        new Column<FoldedRun, string?>("metadata", run => run.Metadata),
        new Column<FoldedRun, string>("decided_at", run => run.DecidedAt),
        new Column<FoldedRun, bool>("check_gate", run => run.CheckGate),
        new Column<FoldedRun, long>("attempt", run => run.Attempt),
        new Column<FoldedRun, DateTimeOffset>("created_at", run => run.CreatedAt),
        new Column<FoldedRun, DateTimeOffset>("updated_at", _ => now));

    private static readonly InputRows<FoldedStage> StageKeys = new(
        new Column<FoldedStage, string>("run_id", stage => stage.RunId),
        new Column<FoldedStage, string>("stage_name", stage => stage.StageName));

    private static readonly InputRows<FoldedStage> StageRows = new(
        new Column<FoldedStage, string>("run_id", stage => stage.RunId),
        new Column<FoldedStage, string>("stage_name", stage => stage.StageName),
        new Column<FoldedStage, string>("status", stage => stage.Status ?? RunStatus.Pending),
        new Column<FoldedStage, DateTimeOffset?>("started_at", stage => stage.StartedAt),
        new Column<FoldedStage, DateTimeOffset?>("completed_at", stage => stage.CompletedAt),
        new Column<FoldedStage, long?>("records_processed", stage => stage.RecordsProcessed),
        new Column<FoldedStage, string?>("error_message", stage => stage.ErrorMessage),
        new Column<FoldedStage, string>("decided_at", stage => stage.DecidedAt));

    /// <summary>
    /// Locks runs in the order of their ids and reads them. Two writers of one run wait for each other. A run that does
    /// not exist is created if an event names a registered pipeline for it.
    /// </summary>
    public LockedRuns Lock(IReadOnlyList<RunToLock> runs)
    {
        var create = $"""
            -- RunEvents.LockOrCreate
            insert into runs (organization_id, id, pipeline_id, status, started_at, completed_at, created_at, updated_at)
            select @organization, rows.id, rows.pipeline_id, 'pending', rows.started_at, rows.completed_at, rows.created_at, rows.created_at
            from rows
            where (
                select 1 from pipelines
                where pipelines.organization_id = @organization and pipelines.id = rows.pipeline_id and pipelines.deleted_at is null) = 1
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
        // The next two statements must use the index. The plan of an ordinary join can come from a time when the tables
        // were small, and would read all rows of the organization.
        var stages = $"""
            -- RunEvents.Stages
            select run_stages.run_id, run_stages.stage_name, run_stages.status, run_stages.started_at, run_stages.completed_at,
                   run_stages.records_processed, run_stages.error_message, run_stages.decided_at
            from rows
            {dialect.JoinByIndex("run_stages", "organization_id = @organization", "run_id", "rows.run_id")}
            """;
        var checks = $"""
            -- RunEvents.CheckCounts
            select check_results.run_id, check_results.status, count(*) as count
            from rows
            {dialect.JoinByIndex("check_results", "organization_id = @organization", "run_id", "rows.run_id")}
            group by check_results.run_id, check_results.status
            """;

        string[] ids = [.. runs.Select(run => run.Id)];
        return new(
            runs,
            new(organization, create, RunsToLock, [.. runs.Where(run => run.PipelineId is not null)]),
            new(organization, find, RunsToLock, [.. runs.Where(run => run.PipelineId is null)]),
            new(organization, stages, RunIds, ids),
            new(organization, checks, RunIds, ids));
    }

    /// <summary>Finds the events that are stored already.</summary>
    public Statement<RunEvent, StoredEvent> FindStored(IReadOnlyList<RunEvent> events)
    {
        const string Sql = """
            -- RunEvents.FindStored
            select events.run_id, events.digest, events.received_at
            from rows
            join run_events as events on events.organization_id = @organization and events.run_id = rows.run_id
                and events.digest = rows.digest
            """;

        return new(organization, Sql, EventKeys, events);
    }

    /// <summary>Stores events and the changed runs and stages, and deletes stages.</summary>
    public IEnumerable<Statement> Store(IReadOnlyList<ReceivedRunEvent> events, IReadOnlyList<FoldedRun> runs,
        IReadOnlyList<FoldedStage> stages, IReadOnlyList<FoldedStage> deleted)
    {
        const string Insert = """
            -- RunEvents.Insert
            insert into run_events (organization_id, run_id, digest, body, report, received_at)
            select @organization, rows.run_id, rows.digest, rows.body, rows.report, rows.received_at
            from rows
            where true
            on conflict (organization_id, run_id, digest) do nothing
            """;
        // Each run exists and is locked, so this upsert only updates. It finds a run by its key. The plan of an update
        // with a join can come from a time when the table was small, and would read all runs of the organization.
        const string Update = """
            -- RunEvents.Update
            insert into runs (organization_id, id, pipeline_id, status, reported_status, started_at, completed_at, records_processed,
                error_message, trigger, external_url, metadata, decided_at, check_gate, attempt, created_at, updated_at)
            select @organization, rows.id, rows.pipeline_id, rows.status, rows.reported_status, rows.started_at, rows.completed_at,
                   rows.records_processed, rows.error_message, rows.trigger, rows.external_url, rows.metadata, rows.decided_at,
                   rows.check_gate, rows.attempt, rows.created_at, rows.updated_at
            from rows
            where true
            on conflict (organization_id, id) do update
            set status = excluded.status, reported_status = excluded.reported_status, started_at = excluded.started_at,
                completed_at = excluded.completed_at, records_processed = excluded.records_processed,
                error_message = excluded.error_message, trigger = excluded.trigger, external_url = excluded.external_url,
                metadata = excluded.metadata, decided_at = excluded.decided_at, check_gate = excluded.check_gate,
                attempt = excluded.attempt, updated_at = excluded.updated_at
            """;
        const string Delete = """
            -- RunEvents.DeleteStages
            delete from run_stages
            where organization_id = @organization and (run_id, stage_name) in (select rows.run_id, rows.stage_name from rows)
            """;
        const string Upsert = """
            -- RunEvents.UpsertStages
            insert into run_stages (organization_id, run_id, stage_name, status, started_at, completed_at, records_processed, error_message,
                decided_at)
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
            new Statement<ReceivedRunEvent, NoResult>(organization, Insert, Events, events),
            new Statement<FoldedRun, NoResult>(organization, Update, _runs, runs),
            new Statement<FoldedStage, NoResult>(organization, Delete, StageKeys, deleted),
            new Statement<FoldedStage, NoResult>(organization, Upsert, StageRows, stages),
        ];
    }
}

/// <summary>
/// A run to lock. If it does not exist, it is created when <paramref name="First"/> names its pipeline.
/// </summary>
/// <param name="Id">The id.</param>
/// <param name="First">
/// The event that creates the run if it does not exist; null when no event can. The insert already stores the times of
/// this event, because a later change of the times would add entries for the new row to the indexes.
/// </param>
/// <param name="CreatedAt">The time of creation.</param>
internal sealed record RunToLock(string Id, RunEvent? First, DateTimeOffset CreatedAt)
{
    public string? PipelineId => First?.PipelineId;

    // An event with a derived id can still be rejected, so the insert does not store its times.
    public DateTimeOffset? StartedAt => First is { IdIsDerived: false } ? First.StartedAt : null;

    public DateTimeOffset? CompletedAt => First is { IdIsDerived: false } ? First.CompletedAt : null;
}

/// <summary>An event that is stored already.</summary>
internal sealed record StoredEvent
{
    public required string RunId { get; init; }
    public required byte[] Digest { get; init; }
    public required DateTimeOffset ReceivedAt { get; init; }
}

/// <summary>The statements that lock runs and read their stages and check counts.</summary>
/// <param name="Requested">The runs to lock.</param>
/// <param name="Created">Locks or creates the runs with a pipeline.</param>
/// <param name="Existing">Locks the runs that must exist.</param>
/// <param name="Stages">Reads the stages of all these runs.</param>
/// <param name="Checks">Counts the check results of all these runs.</param>
internal sealed record LockedRuns(
    IReadOnlyList<RunToLock> Requested,
    Statement<RunToLock, FoldedRun> Created,
    Statement<RunToLock, FoldedRun> Existing,
    Statement<string, FoldedStage> Stages,
    Statement<string, CheckCount> Checks)
{
    public IEnumerable<Statement> Statements => [Created, Existing, Stages, Checks];
}
