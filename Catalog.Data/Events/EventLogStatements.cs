using Catalog.Data.Database;

namespace Catalog.Data.Events;

/// <summary>The statements that write the log of events.</summary>
internal static class EventLogStatements
{
    private static readonly InputRows<LoggedEvent> Rows = new(
        new Column<LoggedEvent, string>("dialect", @event => @event.Dialect),
        new Column<LoggedEvent, byte[]>("digest", @event => @event.Digest),
        new Column<LoggedEvent, string?>("run_id", @event => @event.Report.Runs is [var run, ..] ? run.RunId : null),
        new Column<LoggedEvent, string?>("pipeline_id", @event => @event.Report.Jobs is [var job, ..] ? job.PipelineId : null),
        new Column<LoggedEvent, DateTimeOffset>("event_time", @event => @event.Report.At),
        new Column<LoggedEvent, string>("body", @event => @event.Body),
        new Column<LoggedEvent, DateTimeOffset>("received_at", @event => @event.ReceivedAt));

    /// <summary>Inserts the events that are not stored yet, and returns their keys.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="events">The events; each must have a different key.</param>
    public static Statement<LoggedEvent, LogKey> Insert(string organization, IEnumerable<LoggedEvent> events)
    {
        const string Sql = """
            -- EventLog.Insert
            insert into lineage_events (organization_id, dialect, digest, run_id, pipeline_id, event_time, body, received_at)
            select @organization, rows.dialect, rows.digest, rows.run_id, rows.pipeline_id, rows.event_time, rows.body, rows.received_at
            from rows
            where true
            order by rows.dialect, rows.digest
            on conflict (organization_id, dialect, digest) do nothing
            returning dialect, digest
            """;

        return new(organization, Sql, Rows, [.. events.OrderBy(@event => Convert.ToHexString(@event.Digest), StringComparer.Ordinal)]);
    }

    /// <summary>The key of an event in the log of an organization.</summary>
    internal sealed record LogKey
    {
        public required string Dialect { get; init; }
        public required byte[] Digest { get; init; }
    }
}
