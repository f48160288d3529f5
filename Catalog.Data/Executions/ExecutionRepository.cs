using Catalog.Data.Database;

namespace Catalog.Data.Executions;

/// <summary>
/// Stores, reads and cancels executions. <see cref="ExecutionJobs"/> is for the replicas that execute them.
/// </summary>
public sealed class ExecutionRepository(CatalogDatabase db)
{
    private const string Columns = """
        executions.id, executions.pipeline_id, executions.run_id, executions.status, executions.scheduled_for, executions.error_message,
        executions.cancel_requested_at, executions.created_at, executions.started_at, executions.finished_at
        """;

    // Counts the checks of each execution: all of them, and those with each status.
    private const string Counts = """
        (select count(*) from execution_checks as checks
         where checks.organization_id = @organization and checks.execution_id = page.id) as total,
        (select count(*) from execution_checks as checks
         where checks.organization_id = @organization and checks.execution_id = page.id and checks.status = 'pass') as pass,
        (select count(*) from execution_checks as checks
         where checks.organization_id = @organization and checks.execution_id = page.id and checks.status = 'warn') as warn,
        (select count(*) from execution_checks as checks
         where checks.organization_id = @organization and checks.execution_id = page.id and checks.status = 'fail') as fail,
        (select count(*) from execution_checks as checks
         where checks.organization_id = @organization and checks.execution_id = page.id and checks.status = 'error') as error
        """;

    /// <summary>The checks of a pipeline that an execution contains, ordered by id.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="pipelineId">The pipeline.</param>
    /// <param name="ids">Only these checks, even without a connection; null for all that have a connection.</param>
    /// <param name="limit">The maximum number of checks.</param>
    /// <param name="ct">Cancels the operation.</param>
    public Task<List<CheckToExecute>> Executable(string organization, string pipelineId, IReadOnlyList<string>? ids, int limit,
        CancellationToken ct)
    {
        var sql = $"""
            -- Executions.Executable
            select pipeline_id, id as check_id, severity
            from checks
            where organization_id = @organization and pipeline_id = @pipelineId
              and {(ids is null ? "connection_id is not null" : db.Dialect.IsAnyOf("id", "@ids"))}
            order by id
            limit @limit
            """;

        return db.Many<CheckToExecute>(organization, sql, new { organization, pipelineId, ids = ids?.ToArray(), limit }, ct);
    }

    /// <summary>Stores an execution as the last one of its organization's queue.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="execution">The execution.</param>
    /// <param name="maxQueued">The maximum number of waiting executions of the organization.</param>
    /// <param name="ct">Cancels the operation.</param>
    public Task<ExecutionOutcome> Insert(string organization, NewExecution execution, int maxQueued, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        const string Present = """
            -- Executions.Present
            select request_hash
            from executions
            where organization_id = @organization and id = @Id
            """;
        const string RunOwner = """
            -- Executions.RunOwner
            select pipeline_id
            from runs
            where organization_id = @organization and id = @RunId
            """;

        if (execution.RunId is not null
            && await session.One<string>(RunOwner, new { organization, execution.RunId }, ct) is { } owner && owner != execution.PipelineId)
        {
            return ExecutionOutcome.RunIdTaken;
        }

        // The insert comes before the test of the queue's limit. So a repeated request gets the answer of the first
        // request, although the queue may be full now.
        var inserted = await ExecutionStatements.Insert(session, [execution], ct);
        if (inserted.Count == 0)
        {
            var hash = await session.One<byte[]>(Present, new { organization, execution.Id }, ct);
            return hash.AsSpan().SequenceEqual(execution.RequestHash) ? ExecutionOutcome.Repeated : ExecutionOutcome.KeyReused;
        }

        if (await ExecutionStatements.CountQueued(session, organization, ct) > maxQueued)
        {
            session.RequestRollback();
            return ExecutionOutcome.QueueFull;
        }

        return ExecutionOutcome.Created;
    }, ct);

    /// <returns>The execution; null when the id does not exist.</returns>
    public Task<Execution?> Find(string organization, string id, CancellationToken ct)
    {
        const string Sql = $"""
            -- Executions.Find
            with page as (
                select {Columns}
                from executions
                where executions.organization_id = @organization and executions.id = @id
            )
            select page.*, {Counts}
            from page
            """;

        return db.One<Execution>(organization, Sql, new { organization, id }, ct);
    }

    /// <summary>The checks of an execution, in the order of their places.</summary>
    public Task<List<ExecutionCheck>> Checks(string organization, string id, CancellationToken ct)
    {
        const string Sql = """
            -- Executions.Checks
            select executed.place, executed.pipeline_id, executed.check_id, executed.severity, executed.status, executed.message,
                executed.result_id, checks.connection_id, executed.table_name, executed.failed_rows, executed.total_rows,
                executed.duration_seconds, executed.finished_at
            from execution_checks as executed
            left join checks on checks.organization_id = @organization and checks.pipeline_id = executed.pipeline_id
                and checks.id = executed.check_id
            where executed.organization_id = @organization and executed.execution_id = @id
            order by executed.place
            """;

        return db.Many<ExecutionCheck>(organization, Sql, new { organization, id }, ct);
    }

    /// <summary>Reads one page, newest first.</summary>
    public async Task<Page<Execution>> List(string organization, ExecutionFilter filter, Cursor? after, int limit, CancellationToken ct)
    {
        var sql = $"""
            -- Executions.List
            with page as (
                select {Columns}
                from executions
                where executions.organization_id = @organization
                  {Conditions(filter)}
                  {(after is null ? "" : "and (executions.created_at, executions.id) < (@At, @Id)")}
                order by executions.created_at desc, executions.id desc
                limit @Take
            )
            select page.*, {Counts}
            from page
            order by page.created_at desc, page.id desc
            """;

        var rows = await db.Many<Execution>(organization, sql, new
        {
            organization,
            filter.Status,
            filter.PipelineId,
            filter.CheckId,
            after?.At,
            after?.Id,
            Take = limit + 1,
        }, ct);
        return Page.Of(rows, limit, execution => new Cursor(execution.CreatedAt, execution.Id));
    }

    /// <summary>Counts the executions that <see cref="List"/> lists.</summary>
    public async Task<RowCount> Count(string organization, ExecutionFilter filter, CancellationToken ct)
    {
        var sql = $"""
            -- Executions.Count
            select count(*)
            from (
                select 1
                from executions
                where executions.organization_id = @organization
                  {Conditions(filter)}
                limit {RowCount.Take}
            ) as counted
            """;

        return RowCount.Of(await db.One<long>(
            organization, sql, new { organization, filter.Status, filter.PipelineId, filter.CheckId }, ct));
    }

    private static string Conditions(ExecutionFilter filter) => $"""
        {(filter.Status is null ? "" : "and executions.status = @Status")}
        {(filter.PipelineId is null ? "" : "and executions.pipeline_id = @PipelineId")}
        {(filter.CheckId is null ? "" : "and exists (select 1 from execution_checks as checks where checks.organization_id = @organization and checks.execution_id = executions.id and checks.check_id = @CheckId)")}
        """;

    /// <summary>
    /// Cancels a waiting execution. If the execution is running, asks its replica to stop. Does nothing when the
    /// execution has ended.
    /// </summary>
    public Task Cancel(string organization, string id, DateTimeOffset now, CancellationToken ct) => db.Write(organization, session =>
    {
        const string Sql = """
            -- Executions.Cancel
            update executions
            set cancel_requested_at = coalesce(cancel_requested_at, @now),
                finished_at = case when status = 'queued' then @now else finished_at end,
                due_ms = case when status = 'queued' then null else due_ms end,
                status = case when status = 'queued' then 'cancelled' else status end
            where organization_id = @organization and id = @id and due_ms is not null
            """;

        return session.Execute(Sql, new { organization, id, now }, ct);
    }, ct);
}
