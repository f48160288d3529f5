using System.Diagnostics.Metrics;
using Catalog.Data.Database;
using Catalog.Data.Ingest;
using Microsoft.Extensions.Hosting;

namespace Catalog.Data.Runs;

/// <summary>Takes in the events of runs from many requests and stores them together: a trip to lock and look, one to write, and the commit.</summary>
public sealed class RunIngest : IHostedService
{
    private readonly CatalogDatabase _db;
    private readonly TimeProvider _time;
    private readonly IngestQueue<RunEvent, RunReceipt> _queue;

    public RunIngest(CatalogDatabase db, IngestSettings settings, TimeProvider time, IMeterFactory meters)
    {
        (_db, _time) = (db, time);
        _queue = new("run_events", settings, meters, Write);
    }

    /// <summary>Takes in the event of one request.</summary>
    /// <param name="organization">Whose run.</param>
    /// <param name="event">The event.</param>
    /// <returns>What became of it; to be awaited once; null when too many requests wait already, or the service stops.</returns>
    public ValueTask<RunReceipt[]>? Take(string organization, RunEvent @event) => _queue.Take(organization, [@event], 2L * @event.Body.Length);

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
        // One order for all writers, so that they wait for one another and never for each other.
        var organizations = requests.GroupBy(request => request.Organization, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        List<RunEventBatch> batches = [.. organizations.Select(group => new RunEventBatch(_db.Dialect, group.Key, [.. group.SelectMany(request => request.Items)], now))];
        await _db.WriteAcrossOrganizations(session => RunEventBatch.Record(session, batches, CancellationToken.None), CancellationToken.None);
        foreach (var (group, batch) in organizations.Zip(batches))
        {
            foreach (var (request, receipt) in group.Zip(batch.Receipts()))
            {
                request.Complete([receipt]);
            }
        }
    }
}
