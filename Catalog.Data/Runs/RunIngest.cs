using System.Diagnostics.Metrics;
using Catalog.Data.Database;
using Catalog.Data.Ingest;
using Microsoft.Extensions.Hosting;

namespace Catalog.Data.Runs;

/// <summary>
/// Queues run events. The events of many requests are stored with one commit. Normally one round trip locks and reads,
/// and one round trip writes.
/// </summary>
public sealed class RunIngest : IHostedService
{
    private readonly CatalogDatabase _db;
    private readonly TimeProvider _time;
    private readonly IngestQueue<RunEvent, RunReceipt> _queue;

    public RunIngest(CatalogDatabase db, IngestSettings settings, TimeProvider time, IMeterFactory meters)
    {
        (_db, _time) = (db, time);
        _queue = new("run_events", settings, meters, @event => @event.At, Write);
    }

    /// <summary>Queues the event of one request.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="event">The event.</param>
    /// <returns>One receipt; await it once. Null when the queue is full or the service stops.</returns>
    public ValueTask<RunReceipt[]>? Enqueue(string organization, RunEvent @event) =>
        _queue.Enqueue(organization, [@event], 2L * @event.Body.Length);

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _queue.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => _queue.Stop(cancellationToken);

    private async Task Write(IReadOnlyList<IngestRequest<RunEvent, RunReceipt>> requests)
    {
        var now = _time.Now();
        // Every writer locks organizations in the same order, so that writers cannot deadlock.
        var organizations = requests.GroupBy(request => request.Organization, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        List<RunEventBatch> batches = [
            .. organizations.Select(group =>
                new RunEventBatch(_db.Dialect, group.Key, [.. group.SelectMany(request => request.Items)], now))];
        await _db.WriteAcrossOrganizations(session => RunEventBatch.Record(session, batches, CancellationToken.None),
            CancellationToken.None);
        foreach (var (group, batch) in organizations.Zip(batches))
        {
            foreach (var (request, receipt) in group.Zip(batch.Receipts()))
            {
                request.Complete([receipt]);
            }
        }
    }
}
