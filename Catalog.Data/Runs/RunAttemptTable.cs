using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>The table of the earlier attempts of runs.</summary>
internal static class RunAttemptTable
{
    private static readonly InputRows<FoldedRun> Keys = new(
        new Column<FoldedRun, string>("run_id", attempt => attempt.Id),
        new Column<FoldedRun, long>("attempt", attempt => attempt.Attempt));

    private static readonly InputRows<FoldedRun> Attempts = new(
        new Column<FoldedRun, string>("run_id", attempt => attempt.Id),
        new Column<FoldedRun, long>("attempt", attempt => attempt.Attempt),
        new Column<FoldedRun, string>("status", attempt => attempt.Status ?? RunStatus.Pending),
        new Column<FoldedRun, DateTimeOffset?>("started_at", attempt => attempt.StartedAt),
        new Column<FoldedRun, DateTimeOffset?>("completed_at", attempt => attempt.CompletedAt),
        new Column<FoldedRun, long?>("records_processed", attempt => attempt.RecordsProcessed),
        new Column<FoldedRun, string?>("error_message", attempt => attempt.ErrorMessage),
        new Column<FoldedRun, string>("decided_at", attempt => attempt.DecidedAt));

    /// <summary>Reads the earlier attempts of a run, oldest first.</summary>
    public static Task<List<FoldedRun>> Find(Session session, string organization, string runId, CancellationToken ct)
    {
        const string Sql = """
            -- RunAttemptTable.Find
            select run_id as id, attempt, status, started_at, completed_at, records_processed, error_message, decided_at
            from run_attempts
            where organization_id = @organization and run_id = @runId
            order by attempt
            """;

        return session.Many<FoldedRun>(Sql, new { organization, runId }, ct);
    }

    /// <summary>Stores and deletes attempts.</summary>
    public static IEnumerable<Statement> Store(string organization, IReadOnlyList<FoldedRun> stored, IReadOnlyList<FoldedRun> deleted)
    {
        const string Delete = """
            -- RunAttemptTable.Delete
            delete from run_attempts
            where organization_id = @organization and (run_id, attempt) in (select rows.run_id, rows.attempt from rows)
            """;
        const string Upsert = """
            -- RunAttemptTable.Upsert
            insert into run_attempts (organization_id, run_id, attempt, status, started_at, completed_at, records_processed, error_message,
                decided_at)
            select @organization, rows.run_id, rows.attempt, rows.status, rows.started_at, rows.completed_at, rows.records_processed,
                   rows.error_message, rows.decided_at
            from rows
            where true
            on conflict (organization_id, run_id, attempt) do update
            set status = excluded.status, started_at = excluded.started_at, completed_at = excluded.completed_at,
                records_processed = excluded.records_processed, error_message = excluded.error_message, decided_at = excluded.decided_at
            """;

        return
        [
            new Statement<FoldedRun, NoResult>(organization, Delete, Keys, deleted),
            new Statement<FoldedRun, NoResult>(organization, Upsert, Attempts, stored),
        ];
    }
}
