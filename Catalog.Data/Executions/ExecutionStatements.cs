using Catalog.Data.Database;

namespace Catalog.Data.Executions;

/// <summary>Inserts executions with their checks, inside a transaction.</summary>
internal static class ExecutionStatements
{
    private static readonly InputRows<NewExecution> Rows = new(
        new Column<NewExecution, string>("id", execution => execution.Id),
        new Column<NewExecution, string?>("pipeline_id", execution => execution.PipelineId),
        new Column<NewExecution, string?>("run_id", execution => execution.RunId),
        new Column<NewExecution, DateTimeOffset?>("scheduled_for", execution => execution.ScheduledFor),
        new Column<NewExecution, string?>("requested_by", execution => execution.RequestedBy),
        new Column<NewExecution, byte[]?>("request_hash", execution => execution.RequestHash),
        new Column<NewExecution, long>("due_ms", execution => execution.CreatedAt.ToUnixTimeMilliseconds()),
        new Column<NewExecution, DateTimeOffset>("created_at", execution => execution.CreatedAt));

    private static readonly InputRows<Row> CheckRows = new(
        new Column<Row, string>("execution_id", row => row.ExecutionId),
        new Column<Row, long>("place", row => row.Place),
        new Column<Row, string>("pipeline_id", row => row.Check.PipelineId),
        new Column<Row, string>("check_id", row => row.Check.CheckId),
        new Column<Row, string>("severity", row => row.Check.Severity));

    private sealed record Row(string ExecutionId, long Place, CheckToExecute Check);

    /// <summary>Inserts executions. Leaves out executions whose ids already exist.</summary>
    /// <returns>The ids of the inserted executions.</returns>
    public static async Task<HashSet<string>> Insert(Session session, IReadOnlyList<NewExecution> executions, CancellationToken ct)
    {
        const string Sql = """
            -- Executions.Insert
            insert into executions (organization_id, id, pipeline_id, run_id, status, scheduled_for, requested_by, request_hash, due_ms,
                created_at)
            select @organization, rows.id, rows.pipeline_id, rows.run_id, 'queued', rows.scheduled_for, rows.requested_by,
                rows.request_hash, rows.due_ms, rows.created_at
            from rows
            where true
            on conflict (organization_id, id) do nothing
            returning id
            """;
        // PipelineRegistration says why this insert uses "returning".
        const string Checks = """
            -- Executions.InsertChecks
            insert into execution_checks (organization_id, execution_id, place, pipeline_id, check_id, severity)
            select @organization, rows.execution_id, rows.place, rows.pipeline_id, rows.check_id, rows.severity
            from rows
            returning check_id
            """;

        var inserted = (await session.Run<NewExecution, string>(Sql, Rows, executions, ct)).ToHashSet(StringComparer.Ordinal);
        List<Row> checks = [.. executions.Where(execution => inserted.Contains(execution.Id))
            .SelectMany(execution => execution.Checks.Select((check, place) => new Row(execution.Id, place, check)))];
        await session.Run<Row, string>(Checks, CheckRows, checks, ct);
        return inserted;
    }

    /// <summary>The number of waiting executions of an organization.</summary>
    public static Task<long> CountQueued(Session session, string organization, CancellationToken ct)
    {
        const string Sql = """
            -- Executions.CountQueued
            select count(*)
            from executions
            where organization_id = @organization and due_ms is not null and status = 'queued'
            """;

        return session.One<long>(Sql, new { organization }, ct);
    }
}
