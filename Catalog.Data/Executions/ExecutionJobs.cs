using System.Globalization;
using Catalog.Data.Checks;
using Catalog.Data.Database;

namespace Catalog.Data.Executions;

/// <summary>
/// Treats executions as jobs. A replica claims a job for the time of a lease, and extends the lease while it works. The
/// lease ends when the replica is killed or gives the job back. Then a replica can claim the job again. Each claim is a
/// random text, so a replica that lost its claim can no longer change the job.
/// </summary>
public sealed class ExecutionJobs(CatalogDatabase db)
{
    // This is more than one round of claims can serve, because a replica has at most 64 workers.
    private const int MaxOrganizations = 200;

    /// <summary>The organizations with jobs that can be claimed, the longest waiting first.</summary>
    public Task<List<string>> DueOrganizations(DateTimeOffset now, CancellationToken ct)
    {
        var sql = $"""
            -- ExecutionJobs.DueOrganizations
            select organization_id
            from executions
            where due_ms <= cast(@value as bigint)
            group by organization_id
            order by min(due_ms)
            limit {MaxOrganizations}
            """;

        return db.LookUp<string>(LookUp.DueWork, Key(now), sql, ct);
    }

    /// <summary>When the longest waiting job of all organizations became due; null when no job waits.</summary>
    public async Task<DateTimeOffset?> OldestDue(DateTimeOffset now, CancellationToken ct)
    {
        const string Sql = """
            -- ExecutionJobs.OldestDue
            select due_ms
            from executions
            where due_ms <= cast(@value as bigint)
            order by due_ms
            limit 1
            """;

        return await db.LookUp<long>(LookUp.DueWork, Key(now), Sql, ct) is [var due]
            ? DateTimeOffset.FromUnixTimeMilliseconds(due) : null;
    }

    /// <summary>The value that a look-up of due work compares with.</summary>
    internal static string Key(DateTimeOffset now) => now.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// Claims the longest waiting job of an organization. Replicas that claim at the same moment get different jobs.
    /// Each of these replicas can then exceed <paramref name="maxRunning"/> by one job.
    /// </summary>
    /// <param name="organization">The organization.</param>
    /// <param name="claim">The text that identifies the claim.</param>
    /// <param name="now">The current time.</param>
    /// <param name="lease">The time until another replica may claim the job.</param>
    /// <param name="maxRunning">The number of the organization's jobs that may run at once.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>Null when no job can be claimed.</returns>
    public Task<ExecutionJob?> Claim(string organization, string claim, DateTimeOffset now, TimeSpan lease, int maxRunning,
        CancellationToken ct) => db.Write(organization, session =>
    {
        var sql = $"""
            -- ExecutionJobs.Claim
            with next (id) as (
                select id
                from executions
                where organization_id = @organization and due_ms <= @nowMs
                order by due_ms, id
                limit 1
                {db.Dialect.ForUpdateSkipLocked}
            )
            update executions
            set status = 'running', owner = @claim, due_ms = @leaseMs, attempts = attempts + 1, started_at = coalesce(started_at, @now)
            where organization_id = @organization and id = (select id from next)
              and (select count(*) from executions as running
                   where running.organization_id = @organization and running.due_ms > @nowMs and running.status = 'running') < @maxRunning
            returning id, pipeline_id, run_id, attempts, cancel_requested_at, created_at
            """;

        return session.One<ExecutionJob>(sql, new
        {
            organization,
            claim,
            now,
            nowMs = now.ToUnixTimeMilliseconds(),
            leaseMs = (now + lease).ToUnixTimeMilliseconds(),
            maxRunning,
        }, ct);
    }, ct);

    /// <summary>The checks of a job that have no outcome yet, with their current definitions.</summary>
    public Task<List<OpenCheck>> Open(string organization, string id, CancellationToken ct)
    {
        const string Sql = """
            -- ExecutionJobs.Open
            select open.place, open.pipeline_id, open.check_id, open.severity, checks.pipeline_version, checks.dataset,
                checks.connection_id, checks.kind, checks.definition, checks.created_at, checks.updated_at
            from execution_checks as open
            left join checks on checks.organization_id = @organization and checks.pipeline_id = open.pipeline_id
                and checks.id = open.check_id
            where open.organization_id = @organization and open.execution_id = @id and open.status is null
            order by open.place
            """;

        return db.Many<OpenCheck>(organization, Sql, new { organization, id }, ct);
    }

    /// <summary>Extends the lease of a claim.</summary>
    /// <returns>Null when the claim was lost.</returns>
    public Task<Extension?> Extend(string organization, string id, string claim, DateTimeOffset until, CancellationToken ct) =>
        db.Write(organization, session =>
    {
        const string Sql = """
            -- ExecutionJobs.Extend
            update executions
            set due_ms = @untilMs
            where organization_id = @organization and id = @id and owner = @claim
            returning cancel_requested_at
            """;

        return session.One<Extension>(Sql, new { organization, id, claim, untilMs = until.ToUnixTimeMilliseconds() }, ct);
    }, ct);

    /// <summary>
    /// Stores the outcome of a check. Does nothing when the check already has an outcome, or when the claim was lost.
    /// </summary>
    public Task Store(string organization, string id, string claim, ExecutionCheck outcome, CancellationToken ct) =>
        db.Write(organization, session =>
    {
        const string Sql = """
            -- ExecutionJobs.Store
            update execution_checks
            set status = @Status, message = @Message, result_id = @ResultId, table_name = @TableName, failed_rows = @FailedRows,
                total_rows = @TotalRows, duration_seconds = @DurationSeconds, finished_at = @FinishedAt
            where organization_id = @organization and execution_id = @id and place = @Place and status is null
              and exists (
                    select 1 from executions
                    where executions.organization_id = @organization and executions.id = @id and executions.owner = @claim)
            """;

        return session.Execute(Sql, new
        {
            organization,
            id,
            claim,
            outcome.Place,
            outcome.Status,
            outcome.Message,
            outcome.ResultId,
            outcome.TableName,
            outcome.FailedRows,
            outcome.TotalRows,
            outcome.DurationSeconds,
            outcome.FinishedAt,
        }, ct);
    }, ct);

    /// <summary>Ends a job with a status. Does nothing when the claim was lost.</summary>
    public Task Finish(string organization, string id, string claim, string status, string? error, DateTimeOffset now,
        CancellationToken ct) => db.Write(organization, session =>
    {
        const string Sql = """
            -- ExecutionJobs.Finish
            update executions
            set status = @status, error_message = @error, finished_at = @now, due_ms = null, owner = null
            where organization_id = @organization and id = @id and owner = @claim
            """;

        return session.Execute(Sql, new { organization, id, claim, status, error, now }, ct);
    }, ct);

    /// <summary>Gives a job back, so that a replica can claim it again. Does nothing when the claim was lost.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="id">The job.</param>
    /// <param name="claim">The claim.</param>
    /// <param name="due">From when a replica can claim the job again.</param>
    /// <param name="countsAsAttempt">
    /// Whether this claim counts as an attempt; false when the replica stops in an orderly way.
    /// </param>
    /// <param name="ct">Cancels the operation.</param>
    public Task Release(string organization, string id, string claim, DateTimeOffset due, bool countsAsAttempt, CancellationToken ct) =>
        db.Write(organization, session =>
    {
        const string Sql = """
            -- ExecutionJobs.Release
            update executions
            set due_ms = @dueMs, owner = null, attempts = attempts - @uncounted
            where organization_id = @organization and id = @id and owner = @claim
            """;

        return session.Execute(Sql,
            new { organization, id, claim, dueMs = due.ToUnixTimeMilliseconds(), uncounted = countsAsAttempt ? 0 : 1 }, ct);
    }, ct);
}

/// <summary>A claimed execution.</summary>
public sealed record ExecutionJob
{
    public required string Id { get; init; }
    public string? PipelineId { get; init; }
    public string? RunId { get; init; }

    /// <summary>The number of claims, this one included.</summary>
    public required long Attempts { get; init; }

    public DateTimeOffset? CancelRequestedAt { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>The state of a claimed execution when its lease was extended.</summary>
public sealed record Extension
{
    public DateTimeOffset? CancelRequestedAt { get; init; }
}

/// <summary>A check of an execution that has no outcome yet.</summary>
public sealed record OpenCheck
{
    public required long Place { get; init; }
    public required string PipelineId { get; init; }
    public required string CheckId { get; init; }
    public required string Severity { get; init; }
    public string? PipelineVersion { get; init; }
    public string? Dataset { get; init; }
    public string? ConnectionId { get; init; }
    public string? Kind { get; init; }

    /// <summary>Null when the check was deleted after the execution was requested.</summary>
    public string? Definition { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }
    public DateTimeOffset? UpdatedAt { get; init; }

    /// <summary>The check with its current definition; null when the check was deleted.</summary>
    public Check? ToCheck() => Definition is null ? null : new()
    {
        Id = CheckId,
        PipelineId = PipelineId,
        PipelineVersion = PipelineVersion,
        Dataset = Dataset,
        ConnectionId = ConnectionId,
        Kind = Kind,
        Severity = Severity,
        Definition = Definition,
        CreatedAt = CreatedAt!.Value,
        UpdatedAt = UpdatedAt!.Value,
    };
}
