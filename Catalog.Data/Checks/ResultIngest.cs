using System.Diagnostics.Metrics;
using Catalog.Data.Database;
using Catalog.Data.Ingest;
using Microsoft.Extensions.Hosting;

namespace Catalog.Data.Checks;

/// <summary>
/// Queues the check results of requests. <see cref="CheckResultStore"/> stores the results of many requests with one
/// commit.
/// </summary>
public sealed class ResultIngest : IHostedService
{
    private const int BulkSize = 100;
    private readonly IngestQueue<CheckResult, ResultOutcome> _queue;
    private readonly IngestQueue<CheckResult, ResultOutcome> _bulkQueue;

    public ResultIngest(CatalogDatabase db, IngestSettings settings, IMeterFactory meters)
    {
        var store = new CheckResultStore(db);
        _queue = new("check_results", settings, meters, result => result.ExecutedAt, store.Write);
        // Bulk requests have their own queue, because a transaction of thousands of rows would delay requests with one
        // row. Bulk requests gain nothing from a shared commit, but two writers store them faster than one.
        _bulkQueue = new("check_results_bulk", settings with { Writers = Math.Max(2, settings.Writers) }, meters,
            result => result.ExecutedAt, store.Write);
    }

    /// <summary>Queues the results of one request.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="results">The results; at least one.</param>
    /// <param name="bytes">The approximate size of the results in memory, in bytes.</param>
    /// <returns>One outcome for each result, in order; await it once. Null when the queue is full or the service
    /// stops.</returns>
    public ValueTask<ResultOutcome[]>? Enqueue(string organization, IReadOnlyList<CheckResult> results, long bytes) =>
        (results.Count < BulkSize ? _queue : _bulkQueue).Enqueue(organization, results, bytes);

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _queue.Start();
        _bulkQueue.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_queue.Stop(cancellationToken), _bulkQueue.Stop(cancellationToken));
}
