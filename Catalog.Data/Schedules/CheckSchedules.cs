using System.Text.Json;
using Catalog.Data.Database;

namespace Catalog.Data.Schedules;

/// <summary>
/// Stores the next tick of each scheduled check, inside the transaction that changes the definition of the check.
/// </summary>
internal sealed class CheckSchedules(Dialect dialect, Session session, string organization)
{
    private static readonly InputRows<Row> Rows = new(
        new Column<Row, string>("pipeline_id", row => row.Check.PipelineId),
        new Column<Row, string>("check_id", row => row.Check.CheckId),
        new Column<Row, string>("schedule", row => row.Schedule),
        new Column<Row, string>("time_zone", row => row.TimeZone),
        new Column<Row, long>("due_ms", row => row.Due));

    private static readonly InputRows<ScheduledCheck> Keys = new(
        new Column<ScheduledCheck, string>("pipeline_id", check => check.PipelineId),
        new Column<ScheduledCheck, string>("check_id", check => check.CheckId));

    private sealed record Row(ScheduledCheck Check, string Schedule, string TimeZone, long Due);

    /// <summary>
    /// Stores the next tick of each check that has a schedule and a connection, and deletes the tick of each other
    /// check. A check whose schedule is unchanged keeps its tick, so that a tick that is due is not lost when a
    /// definition is stored again.
    /// </summary>
    public async Task Store(IReadOnlyList<ScheduledCheck> checks, DateTimeOffset now, CancellationToken ct)
    {
        const string Upsert = """
            -- CheckSchedules.Upsert
            insert into check_schedules (organization_id, pipeline_id, check_id, schedule, time_zone, due_ms)
            select @organization, rows.pipeline_id, rows.check_id, rows.schedule, rows.time_zone, rows.due_ms
            from rows
            where true
            order by rows.pipeline_id, rows.check_id
            on conflict (organization_id, pipeline_id, check_id) do update
            set schedule = excluded.schedule, time_zone = excluded.time_zone, due_ms = excluded.due_ms
            where check_schedules.schedule <> excluded.schedule or check_schedules.time_zone <> excluded.time_zone
            """;
        const string Delete = """
            -- CheckSchedules.Delete
            delete from check_schedules
            where organization_id = @organization and exists (
                select 1 from rows
                where rows.pipeline_id = check_schedules.pipeline_id and rows.check_id = check_schedules.check_id)
            """;

        var scheduled = checks.Select(check => RowOf(check, now)).OfType<Row>().ToList();
        var others = checks.Except(scheduled.Select(row => row.Check)).ToList();
        await session.Run<Row, NoResult>(Upsert, Rows, scheduled, ct);
        await session.Run<ScheduledCheck, NoResult>(Delete, Keys, others, ct);
    }

    /// <summary>Deletes the ticks of checks that these pipelines no longer have.</summary>
    public Task DeleteStale(IReadOnlyList<string> pipelines, CancellationToken ct)
    {
        var sql = $"""
            -- CheckSchedules.DeleteStale
            delete from check_schedules
            where organization_id = @organization and {dialect.IsAnyOf("pipeline_id", "@ids")}
              and not exists (
                    select 1 from checks
                    where checks.organization_id = @organization and checks.pipeline_id = check_schedules.pipeline_id
                      and checks.id = check_schedules.check_id)
            """;

        return session.Execute(sql, new { organization, ids = pipelines.ToArray() }, ct);
    }

    /// <summary>Whether a check has a schedule and a connection.</summary>
    public static bool IsScheduled(ScheduledCheck check, DateTimeOffset now) => RowOf(check, now) is not null;

    // Checks in the body of a pipeline can have any shape. A schedule that cannot be read is ignored.
    private static Row? RowOf(ScheduledCheck check, DateTimeOffset now)
    {
        if (check.ConnectionId is null)
        {
            return null;
        }

        using var json = JsonDocument.Parse(check.Definition);
        var zone = Text(json.RootElement, "schedule_time_zone") ?? "UTC";
        return Text(json.RootElement, "schedule") is { } schedule && Cron.Next(schedule, zone, now) is { } next
            ? new(check, schedule, zone, next.ToUnixTimeMilliseconds()) : null;
    }

    private static string? Text(JsonElement definition, string field) =>
        definition.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>A check whose definition was stored.</summary>
/// <param name="PipelineId">The pipeline's id; empty for a standalone check.</param>
/// <param name="CheckId">The check's id.</param>
/// <param name="ConnectionId">The connection's id; null when the Catalog does not execute the check.</param>
/// <param name="Definition">The JSON object as sent.</param>
internal sealed record ScheduledCheck(string PipelineId, string CheckId, string? ConnectionId, string Definition);
