using System.Data.Common;
using System.Text.Json;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Events;
using Dapper;

namespace Catalog.Migrations.Replay;

/// <summary>Reads the log of one organization and folds it into the shadow.</summary>
/// <param name="dialect">The engine.</param>
/// <param name="shadow">The shadow.</param>
/// <param name="reader">A separate connection, which sees what was committed to the shadow.</param>
/// <param name="organization">The organization.</param>
/// <param name="progress">Called after each batch with the number of events folded so far.</param>
internal sealed class EventLogFold(Dialect dialect, ReplayShadow shadow, DbConnection reader, string organization, Action<long> progress)
{
    private const int MaxBatchBytes = 16 * 1024 * 1024;

    private readonly Dictionary<string, DateTimeOffset> _deleted = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unreadable = new(StringComparer.Ordinal);

    /// <summary>Events whose receipt and event time are both before this time are not folded.</summary>
    public DateTimeOffset Horizon { get; set; }

    /// <summary>The number of folded events.</summary>
    public long Folded { get; private set; }

    /// <summary>The number of events whose body cannot be read.</summary>
    public long Unreadable => _unreadable.Count;

    /// <summary>
    /// Reads the time of receipt before which retention has removed events, from its entries in the audit log; null if
    /// it removed none.
    /// </summary>
    public async Task<DateTimeOffset?> RemovedBefore(CancellationToken ct)
    {
        const string Sql = """
            -- EventLogFold.RemovedBefore
            select detail
            from audit_log
            where organization_id = @organization and actor = 'retention' and action = 'events.removed'
            """;

        DateTimeOffset? last = null;
        foreach (var detail in await reader.QueryAsync<string>(new CommandDefinition(Sql, new { organization }, cancellationToken: ct)))
        {
            using var json = JsonDocument.Parse(detail);
            if (json.RootElement.TryGetProperty("before", out var before) && Rfc3339.TryParse(before.GetString()!, out var at))
            {
                last = last > at ? last : at;
            }
        }

        return last;
    }

    /// <summary>
    /// Reads which pipelines are deleted. An event that was received after the deletion changes nothing.
    /// </summary>
    public async Task ReadDeleted(CancellationToken ct)
    {
        const string Sql = """
            -- EventLogFold.ReadDeleted
            select id, deleted_at
            from pipelines
            where organization_id = @organization and deleted_at is not null
            """;

        foreach (var (id, at) in await reader.QueryAsync<(string, DateTimeOffset)>(
            new CommandDefinition(Sql, new { organization }, cancellationToken: ct)))
        {
            _deleted[id] = at;
        }
    }

    /// <summary>Folds the events that are not in the shadow yet.</summary>
    /// <param name="most">Maximum number of events in one transaction.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>The number of events that were folded.</returns>
    public async Task<long> FoldNew(int most, CancellationToken ct)
    {
        const string Sql = $"""
            -- EventLogFold.FoldNew
            select dialect, digest, received_at, octet_length(body) as length
            from lineage_events as t
            where t.organization_id = @organization and (t.received_at >= @Horizon or t.event_time >= @Horizon)
              and not exists (select 1 from {ReplayShadow.Schema}.lineage_events as s
                  where s.organization_id = t.organization_id and s.dialect = t.dialect and s.digest = t.digest)
            order by t.received_at, t.dialect, t.digest
            """;

        var before = Folded;
        var keys = (await reader.QueryAsync<EventKey>(new CommandDefinition(
            Sql, new { organization, Horizon }, commandTimeout: 0, cancellationToken: ct)))
            .Where(key => !_unreadable.Contains(key.Name)).ToList();
        var batches = Batches(keys, most);
        // While one batch is folded, another thread reads the next batch. The thread is needed because the SQLite
        // driver is synchronous: it would finish reading before the folding starts.
        var reading = batches.Count == 0 ? null : Task.Run(() => Read(batches[0], ct), ct);
        for (var i = 0; i < batches.Count; i++)
        {
            var events = await reading!;
            reading = i + 1 == batches.Count ? null : Task.Run(() => Read(batches[i + 1], ct), ct);
            try
            {
                await Fold(batches[i], events, ct);
            }
            catch when (reading is not null)
            {
                // The reader must be idle before its connection is used again or closed.
                await reading.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                throw;
            }

            progress(Folded);
        }

        return Folded - before;
    }

    private static List<List<EventKey>> Batches(List<EventKey> keys, int most)
    {
        List<List<EventKey>> batches = [];
        for (var from = 0; from < keys.Count;)
        {
            var to = from + 1;
            for (var size = keys[from].Length; to < keys.Count && to - from < most && (size += keys[to].Length) <= MaxBatchBytes;)
            {
                to++;
            }

            batches.Add(keys[from..to]);
            from = to;
        }

        return batches;
    }

    // Returns the events in the order of the keys, with null for an event whose body cannot be read.
    private async Task<LoggedEvent?[]> Read(List<EventKey> keys, CancellationToken ct)
    {
        var sql = $"""
            -- EventLogFold.Read
            select dialect, digest, body, received_at
            from {dialect.ByIndex("lineage_events", "organization_id = @organization and dialect = @name", "digest", "@digests")}
            """;

        Dictionary<string, StoredEvent> stored = new(StringComparer.Ordinal);
        foreach (var part in keys.GroupBy(key => key.Dialect, StringComparer.Ordinal))
        {
            foreach (var digests in part.Select(key => key.Digest).Chunk(dialect.ListLimit))
            {
                await using var rows = await reader.ExecuteReaderAsync(new CommandDefinition(
                    sql, new { organization, name = part.Key, digests }, commandTimeout: 0, cancellationToken: ct));
                while (await rows.ReadAsync(ct))
                {
                    var @event = Event(rows);
                    stored.Add(EventKey.NameOf(@event.Dialect, @event.Digest), @event);
                }
            }
        }

        var events = new LoggedEvent?[keys.Count];
        Parallel.For(0, keys.Count, new ParallelOptions { CancellationToken = ct }, i =>
        {
            try
            {
                events[i] = stored[keys[i].Name].Read();
            }
            catch (InvalidDataException)
            {
                events[i] = null;
            }
        });
        return events;
    }

    // The body is read as bytes, because a string of it would only be changed back into bytes.
    private static StoredEvent Event(DbDataReader row) => new()
    {
        Dialect = row.GetString(0),
        Digest = row.GetFieldValue<byte[]>(1),
        Body = row.GetFieldValue<byte[]>(2),
        ReceivedAt = row.GetFieldValue<DateTimeOffset>(3),
    };

    private async Task Fold(List<EventKey> keys, LoggedEvent?[] read, CancellationToken ct)
    {
        List<LoggedEvent> events = [];
        foreach (var (key, @event) in keys.Zip(read))
        {
            if (@event is null)
            {
                _unreadable.Add(key.Name);
            }
            else
            {
                events.Add(AsReceived(@event));
            }
        }

        if (events.Count > 0)
        {
            await shadow.Fold(organization, events, ct);
            Folded += events.Count;
        }
    }

    // If the pipeline was deleted before the event was received, the event is only counted as not read.
    private LoggedEvent AsReceived(LoggedEvent @event) =>
        @event.Report.Jobs is [var own, ..] && _deleted.TryGetValue(own.PipelineId, out var deleted) && deleted <= @event.ReceivedAt
            ? @event with { Report = new() { At = @event.Report.At, Unread = [new("event", "job", UnreadReason.Deleted)] } }
            : @event;

    private sealed record EventKey
    {
        public required string Dialect { get; init; }
        public required byte[] Digest { get; init; }
        public required DateTimeOffset ReceivedAt { get; init; }
        public required long Length { get; init; }

        public string Name => NameOf(Dialect, Digest);

        public static string NameOf(string dialect, byte[] digest) => $"{dialect} {Convert.ToHexString(digest)}";
    }
}
