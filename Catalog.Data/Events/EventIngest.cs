using System.Diagnostics.Metrics;
using Catalog.Data.Database;
using Catalog.Data.Ingest;
using Microsoft.Extensions.Hosting;

namespace Catalog.Data.Events;

/// <summary>
/// Queues events of other tools. The events of many requests are stored and folded with one commit. The answer follows
/// the commit, so a client that has the answer can read what its event changed.
/// </summary>
public sealed class EventIngest : IHostedService
{
    private readonly EventStore _store;
    private readonly IngestQueue<LoggedEvent, EventOutcome> _queue;

    public EventIngest(CatalogDatabase db, IngestSettings settings, IMeterFactory meters)
    {
        _store = new(db);
        _queue = new("lineage_events", settings, meters, @event => @event.Report.At, Write);
    }

    /// <summary>Queues the events of one request.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="events">The events; at least one.</param>
    /// <returns>One outcome for each event; await it once. Null when the queue is full or the service stops.</returns>
    public ValueTask<EventOutcome[]>? Enqueue(string organization, IReadOnlyList<LoggedEvent> events) =>
        _queue.Enqueue(organization, events, events.Sum(@event => 4L * @event.Body.Length));

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _queue.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => _queue.Stop(cancellationToken);

    private async Task Write(IReadOnlyList<IngestRequest<LoggedEvent, EventOutcome>> requests)
    {
        // Every writer locks organizations in the same order, so that writers cannot deadlock.
        var organizations = requests.GroupBy(request => request.Organization, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        var outcomes = await _store.Store(
            [.. organizations.Select(group => (group.Key, (IReadOnlyList<LoggedEvent>)[.. group.SelectMany(request => request.Items)]))]);
        foreach (var (group, own) in organizations.Zip(outcomes))
        {
            var next = 0;
            foreach (var request in group)
            {
                request.Complete(own[next..(next += request.Items.Count)]);
            }
        }
    }
}
