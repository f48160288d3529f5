using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Catalog.Data.Ingest;

/// <summary>The metrics of one <see cref="IngestQueue{TItem, TOutcome}"/>.</summary>
internal sealed class IngestMetrics
{
    private static readonly InstrumentAdvice<double> Waits =
        new() { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

    // In seconds. Live events have small values; history that is loaded later has values up to a week and more.
    private static readonly InstrumentAdvice<double> Lags =
        new() { HistogramBucketBoundaries = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400, 604_800] };

    private static readonly InstrumentAdvice<int> BatchSizes = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256] };

    private readonly KeyValuePair<string, object?> _tag;
    private readonly Histogram<int> _batches;
    private readonly Histogram<double> _waits;
    private readonly Histogram<double> _lags;
    private readonly Counter<long> _refused;

    /// <param name="queue">The queue's name in metrics.</param>
    /// <param name="meters">Creates the meter.</param>
    /// <param name="queued">Returns the number of waiting requests.</param>
    public IngestMetrics(string queue, IMeterFactory meters, Func<int> queued)
    {
        _tag = new("queue", queue);
        var meter = meters.Create("Catalog");
        _batches = meter.CreateHistogram("catalog.ingest.batch", "{request}", "Requests that shared a commit", null, BatchSizes);
        _waits = meter.CreateHistogram("catalog.ingest.wait", "s", "Time from the arrival of a request in the queue to its commit", null,
            Waits);
        _lags = meter.CreateHistogram("catalog.ingest.lag", "s",
            "Time from an event to its arrival; 0 if the client's clock is ahead", null, Lags);
        _refused = meter.CreateCounter<long>("catalog.ingest.refused", "{request}", "Requests that found the queue full or stopped");
        meter.CreateObservableGauge("catalog.ingest.queued", () => new Measurement<int>(queued(), _tag), "{request}",
            "Requests that wait to be written");
    }

    /// <summary>Records the time between the event of each item and now.</summary>
    public void Arrived<TItem>(IReadOnlyList<TItem> items, Func<TItem, DateTimeOffset?> eventTime)
    {
        if (!_lags.Enabled)
        {
            return;
        }

        var now = TimeProvider.System.GetUtcNow();
        foreach (var item in items)
        {
            if (eventTime(item) is { } at)
            {
                _lags.Record(Math.Max(0, (now - at).TotalSeconds), _tag);
            }
        }
    }

    /// <summary>Records a request that was not queued.</summary>
    public void Refused() => _refused.Add(1, _tag);

    /// <summary>Records the size of a batch.</summary>
    public void Batch(int requests) => _batches.Record(requests, _tag);

    /// <summary>Records the time from the arrival of a request to its end.</summary>
    /// <param name="arrivedAt">The time stamp of <see cref="Stopwatch"/> when the request was queued.</param>
    public void Ended(long arrivedAt)
    {
        if (_waits.Enabled)
        {
            _waits.Record(Stopwatch.GetElapsedTime(arrivedAt).TotalSeconds, _tag);
        }
    }
}
