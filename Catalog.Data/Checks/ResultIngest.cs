using System.Diagnostics.Metrics;
using Catalog.Data.Database;
using Catalog.Data.Ingest;
using Microsoft.Extensions.Hosting;

namespace Catalog.Data.Checks;

/// <summary>
/// Takes in the results of many requests and stores them together. The ordinary case is one statement for each organization, all in one round
/// trip with their commit; what that statement left out, or would not do, is done afterwards and costs more.
/// </summary>
public sealed class ResultIngest : IHostedService
{
    private const int Many = 100;
    private readonly IngestQueue<CheckResult, ResultOutcome> _few;
    private readonly IngestQueue<CheckResult, ResultOutcome> _many;

    public ResultIngest(CatalogDatabase db, IngestSettings settings, IMeterFactory meters)
    {
        var store = new CheckResultStore(db);
        _few = new("check_results", settings, meters, store.Write);
        // A transaction of thousands of rows would hold up those who bring one. They gain nothing by sharing a commit, and something by having two at once.
        _many = new("check_results_bulk", settings with { Writers = Math.Max(2, settings.Writers) }, meters, store.Write);
    }

    /// <summary>Takes in the results of one request.</summary>
    /// <param name="organization">Whose results.</param>
    /// <param name="results">At least one.</param>
    /// <param name="bytes">About how much memory they take.</param>
    /// <returns>For each result, in the order given, what became of it; to be awaited once; null when too many requests wait already, or the service stops.</returns>
    public ValueTask<ResultOutcome[]>? Take(string organization, IReadOnlyList<CheckResult> results, long bytes) =>
        (results.Count < Many ? _few : _many).Take(organization, results, bytes);

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _few.Start();
        _many.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_few.Stop(cancellationToken), _many.Stop(cancellationToken));
}
