using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Catalog.Data.Database;

namespace Catalog.Data.Ingest;

/// <summary>
/// Requests that wait to be written together. Few writers take what is there, all of it at once and without a pause: a lone request goes at
/// once, a crowd shares a commit.
/// </summary>
/// <typeparam name="TItem">What is stored.</typeparam>
/// <typeparam name="TOutcome">What became of an item.</typeparam>
internal sealed class IngestQueue<TItem, TOutcome>
{
    private const int MaxRequests = 256;
    private const int MaxItems = 4000;
    private const long MaxBatchBytes = 32 * 1024 * 1024;
    private const long MaxQueuedBytes = 128 * 1024 * 1024;
    private const int MaxAttempts = 4;

    private readonly Channel<IngestRequest<TItem, TOutcome>> _channel;
    private readonly Func<IReadOnlyList<IngestRequest<TItem, TOutcome>>, Task> _write;
    private readonly int _writerCount;
    private readonly Histogram<int> _batchSizes;
    private readonly KeyValuePair<string, object?> _tag;
    private Task _writers = Task.CompletedTask;
    private long _bytes;

    /// <param name="name">What measurements call it.</param>
    /// <param name="settings">Its limits.</param>
    /// <param name="meters">Makes the meter.</param>
    /// <param name="write">Stores a batch and completes its requests; those that it has not completed when it throws were not stored, or may be stored again.</param>
    public IngestQueue(string name, IngestSettings settings, IMeterFactory meters, Func<IReadOnlyList<IngestRequest<TItem, TOutcome>>, Task> write)
    {
        _channel = Channel.CreateBounded<IngestRequest<TItem, TOutcome>>(new BoundedChannelOptions(settings.Queue) { SingleReader = settings.Writers == 1 });
        _write = write;
        _writerCount = settings.Writers;
        _tag = new("queue", name);
        var meter = meters.Create("Catalog");
        _batchSizes = meter.CreateHistogram<int>("catalog.ingest.batch", "{request}", "Requests that shared a commit");
        meter.CreateObservableGauge("catalog.ingest.queued", () => new Measurement<int>(_channel.Reader.Count, _tag), "{request}", "Requests that wait to be written");
    }

    /// <summary>Begins to write.</summary>
    public void Start() => _writers = Task.WhenAll(Enumerable.Range(0, _writerCount).Select(_ => Task.Run(Work)));

    /// <summary>Takes nothing more and writes what was taken, for as long as <paramref name="ct"/> allows.</summary>
    public async Task Stop(CancellationToken ct)
    {
        _channel.Writer.TryComplete();
        await _writers.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Takes a request in.</summary>
    /// <param name="organization">Whose items.</param>
    /// <param name="items">What to store, at least one.</param>
    /// <param name="bytes">About how much memory they take.</param>
    /// <returns>For each item what became of it, once the commit is on disk; null when there is no room.</returns>
    public Task<TOutcome[]>? Take(string organization, IReadOnlyList<TItem> items, long bytes)
    {
        var request = new IngestRequest<TItem, TOutcome>(organization, items, bytes);
        if (Interlocked.Add(ref _bytes, bytes) <= MaxQueuedBytes && _channel.Writer.TryWrite(request))
        {
            return request.Done;
        }

        Interlocked.Add(ref _bytes, -bytes);
        return null;
    }

    private async Task Work()
    {
        while (await _channel.Reader.WaitToReadAsync())
        {
            var batch = NextBatch();
            if (batch.Count > 0)
            {
                _batchSizes.Record(batch.Count, _tag);
                await Write(batch, MaxAttempts);
                Interlocked.Add(ref _bytes, -batch.Sum(request => request.Bytes));
            }
        }
    }

    private List<IngestRequest<TItem, TOutcome>> NextBatch()
    {
        List<IngestRequest<TItem, TOutcome>> batch = [];
        var items = 0;
        var bytes = 0L;
        while (batch.Count < MaxRequests && items < MaxItems && bytes < MaxBatchBytes && _channel.Reader.TryRead(out var request))
        {
            batch.Add(request);
            items += request.Items.Count;
            bytes += request.Bytes;
        }

        return batch;
    }

    private async Task Write(IReadOnlyList<IngestRequest<TItem, TOutcome>> batch, int attempts)
    {
        try
        {
            await _write(batch);
        }
        catch (Exception failure)
        {
            IngestRequest<TItem, TOutcome>[] left = [.. batch.Where(request => !request.Done.IsCompleted)];
            switch (failure)
            {
                case DatabaseUnavailableException { Reason: Unavailability.Contended } when attempts > 1:
                    await Write(left, attempts - 1);
                    break;
                case DatabaseUnavailableException:
                    Fail(left, failure);
                    FailQueued(failure);
                    break;
                case var _ when left.Length <= 1:
                    Fail(left, failure);
                    break;
                default:
                    // Some item cannot be stored: in halves, so that it fails alone.
                    await Write(left[..(left.Length / 2)], attempts);
                    await Write(left[(left.Length / 2)..], attempts);
                    break;
            }
        }
    }

    private static void Fail(IEnumerable<IngestRequest<TItem, TOutcome>> requests, Exception failure)
    {
        foreach (var request in requests)
        {
            request.Fail(failure);
        }
    }

    // Each would wait as long for the same answer, one batch after the other.
    private void FailQueued(Exception failure)
    {
        for (var waiting = _channel.Reader.Count; waiting > 0 && _channel.Reader.TryRead(out var request); waiting--)
        {
            request.Fail(failure);
            Interlocked.Add(ref _bytes, -request.Bytes);
        }
    }
}
