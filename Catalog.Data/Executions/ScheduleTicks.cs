using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Catalog.Data.Database;
using Catalog.Data.Schedules;

namespace Catalog.Data.Executions;

/// <summary>
/// Turns due ticks of schedules into executions. One transaction locks the schedule, moves its tick and inserts the
/// execution. So each tick is executed once, even when replicas are killed. If no replica ran for several ticks of a
/// schedule, one execution replaces all of these ticks.
/// </summary>
public sealed class ScheduleTicks(CatalogDatabase db)
{
    private const int BatchSize = 200;

    private static readonly InputRows<NextTick> NextTicks = new(
        new Column<NextTick, string>("pipeline_id", tick => tick.PipelineId),
        new Column<NextTick, string>("check_id", tick => tick.CheckId),
        new Column<NextTick, long>("due_ms", tick => tick.Due));

    private static readonly InputRows<DueTick> Keys = new(
        new Column<DueTick, string>("pipeline_id", tick => tick.PipelineId),
        new Column<DueTick, string>("check_id", tick => tick.CheckId));

    private sealed record NextTick(string PipelineId, string CheckId, long Due);

    /// <summary>The organizations with due ticks.</summary>
    public Task<List<string>> DueOrganizations(DateTimeOffset now, CancellationToken ct)
    {
        const string Sql = """
            -- ScheduleTicks.DueOrganizations
            select organization_id
            from check_schedules
            where due_ms <= cast(@value as bigint)
            group by organization_id
            order by min(due_ms)
            """;

        return db.LookUp<string>(LookUp.DueWork, ExecutionJobs.Key(now), Sql, ct);
    }

    /// <summary>
    /// Queues executions for the due ticks of an organization. The checks of a pipeline that are due at the same time
    /// become one execution, so that they share scans. Ticks for which the queue has no room stay due.
    /// </summary>
    /// <param name="organization">The organization.</param>
    /// <param name="now">The current time.</param>
    /// <param name="maxQueued">The maximum number of waiting executions of the organization.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>The number of moved ticks, and whether another call may move more ticks now.</returns>
    public Task<(int Ticks, bool More)> Run(string organization, DateTimeOffset now, int maxQueued, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        // If the pipeline of a check is deleted, the tick moves but no execution is queued. The schedule stays, because
        // the pipeline may be registered again.
        var due = $"""
            -- ScheduleTicks.Due
            select pipeline_id, check_id, schedule, time_zone, due_ms,
                (select severity from checks
                 where checks.organization_id = @organization and checks.pipeline_id = check_schedules.pipeline_id
                   and checks.id = check_schedules.check_id) as severity,
                pipeline_id = '' or exists (
                    select 1 from pipelines
                    where pipelines.organization_id = @organization and pipelines.id = check_schedules.pipeline_id
                      and pipelines.deleted_at is null) as registered
            from check_schedules
            where organization_id = @organization and due_ms <= @nowMs
            order by due_ms, pipeline_id, check_id
            limit {BatchSize}
            {db.Dialect.ForUpdateSkipLocked}
            """;
        const string Move = """
            -- ScheduleTicks.Move
            update check_schedules
            set due_ms = rows.due_ms
            from rows
            where check_schedules.organization_id = @organization and check_schedules.pipeline_id = rows.pipeline_id
              and check_schedules.check_id = rows.check_id
            """;

        var found = await session.Many<DueTick>(due, new { organization, nowMs = now.ToUnixTimeMilliseconds() }, ct);
        List<DueTick> unread = [.. found.Where(tick => tick.DueMs == 0)];
        await ReadSchedules(session, organization, unread, now, ct);
        var room = maxQueued - await ExecutionStatements.CountQueued(session, organization, ct);
        var moved = new List<DueTick>();
        var executions = new List<NewExecution>();
        foreach (var group in found.Except(unread).GroupBy(tick => (tick.PipelineId, tick.DueMs)))
        {
            List<DueTick> executed = [.. group.Where(tick => tick.Registered && tick.Severity is not null)];
            if (executed.Count > 0 && executions.Count >= room)
            {
                continue;
            }

            moved.AddRange(group);
            if (executed.Count > 0)
            {
                executions.Add(ExecutionOf(organization, executed, now));
            }
        }

        await ExecutionStatements.Insert(session, executions, ct);
        await session.Run<NextTick, NoResult>(Move, NextTicks, [.. moved.Select(tick => Next(tick, now))], ct);
        var changed = moved.Count + unread.Count;
        return (changed, found.Count == BatchSize && changed > 0);
    }, ct);

    // The upgrade inserts a row without a schedule for each check of an earlier release. This method reads the schedule
    // from the definition and sets the next tick. Such a check has no earlier ticks to execute.
    private async Task ReadSchedules(Session session, string organization, List<DueTick> ticks, DateTimeOffset now, CancellationToken ct)
    {
        // The statement uses subqueries, because a left join from rows crashes Citus 13.2.
        const string Sql = """
            -- ScheduleTicks.Definitions
            select rows.pipeline_id, rows.check_id,
                (select connection_id from checks
                 where checks.organization_id = @organization and checks.pipeline_id = rows.pipeline_id
                   and checks.id = rows.check_id) as connection_id,
                (select definition from checks
                 where checks.organization_id = @organization and checks.pipeline_id = rows.pipeline_id
                   and checks.id = rows.check_id) as definition
            from rows
            """;

        var read = await session.Run<DueTick, StoredDefinition>(Sql, Keys, ticks, ct);
        await new CheckSchedules(db.Dialect, session, organization).Store([.. read.Select(check => new ScheduledCheck(
            check.PipelineId, check.CheckId, check.ConnectionId, check.Definition ?? "{}"))], now, ct);
    }

    // A schedule has no next time when its time zone is no longer known. Then its tick moves by a day, so that the
    // schedule is read again.
    private static NextTick Next(DueTick tick, DateTimeOffset now) => new(tick.PipelineId, tick.CheckId,
        (Cron.Next(tick.Schedule, tick.TimeZone, now) ?? now.AddDays(1)).ToUnixTimeMilliseconds());

    private static NewExecution ExecutionOf(string organization, List<DueTick> ticks, DateTimeOffset now)
    {
        var first = ticks[0];
        var name = string.Create(CultureInfo.InvariantCulture,
            $"{organization}\0{first.PipelineId}\0{first.CheckId}\0{first.DueMs}\0{first.Schedule}");
        return new()
        {
            Id = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16), bigEndian: true).ToString(),
            PipelineId = first.PipelineId.Length == 0 ? null : first.PipelineId,
            ScheduledFor = DateTimeOffset.FromUnixTimeMilliseconds(first.DueMs),
            CreatedAt = now,
            Checks = [.. ticks.Select(tick => new CheckToExecute
            {
                PipelineId = tick.PipelineId,
                CheckId = tick.CheckId,
                Severity = tick.Severity!,
            })],
        };
    }

    private sealed record StoredDefinition
    {
        public required string PipelineId { get; init; }
        public required string CheckId { get; init; }
        public string? ConnectionId { get; init; }

        /// <summary>Null when the check was deleted.</summary>
        public string? Definition { get; init; }
    }

    private sealed record DueTick
    {
        public required string PipelineId { get; init; }
        public required string CheckId { get; init; }
        public required string Schedule { get; init; }
        public required string TimeZone { get; init; }
        public required long DueMs { get; init; }
        public string? Severity { get; init; }
        public required bool Registered { get; init; }
    }
}
