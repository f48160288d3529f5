using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Catalog.Data.Database;

namespace Catalog.Data.Ingest;

/// <summary>
/// Requests that wait to be written together. Who brings one while too few write begins to write, and goes on for as long as others come: a lone
/// request goes at once and on its own thread, a crowd shares a commit.
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
    private readonly int _mostWriters;
    private readonly Histogram<int> _batchSizes;
    private readonly KeyValuePair<string, object?> _tag;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _writers;
    private long _bytes;
    private volatile bool _started;
    private volatile bool _stopping;

    /// <param name="name">What measurements call it.</param>
    /// <param name="settings">Its limits.</param>
    /// <param name="meters">Makes the meter.</param>
    /// <param name="write">Stores a batch and completes its requests; those that it has not completed when it throws were not stored, or may be stored again.</param>
    public IngestQueue(string name, IngestSettings settings, IMeterFactory meters, Func<IReadOnlyList<IngestRequest<TItem, TOutcome>>, Task> write)
    {
        _channel = Channel.CreateBounded<IngestRequest<TItem, TOutcome>>(settings.Queue);
        _write = write;
        _mostWriters = settings.Writers;
        _tag = new("queue", name);
        var meter = meters.Create("Catalog");
        _batchSizes = meter.CreateHistogram<int>("catalog.ingest.batch", "{request}", "Requests that shared a commit");
        meter.CreateObservableGauge("catalog.ingest.queued", () => new Measurement<int>(_channel.Reader.Count, _tag), "{request}", "Requests that wait to be written");
    }

    /// <summary>From now on what is taken is written, and what was taken before.</summary>
    public void Start()
    {
        _started = true;
        Work();
    }

    /// <summary>Takes nothing more and writes what was taken, for as long as <paramref name="ct"/> allows.</summary>
    public async Task Stop(CancellationToken ct)
    {
        _channel.Writer.TryComplete();
        _stopping = true;
        SayWhenDrained();
        await _drained.Task.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Takes a request in.</summary>
    /// <param name="organization">Whose items.</param>
    /// <param name="items">What to store, at least one.</param>
    /// <param name="bytes">About how much memory they take.</param>
    /// <returns>For each item what became of it, once the commit is on disk, to be awaited once; null when there is no room.</returns>
    public ValueTask<TOutcome[]>? Take(string organization, IReadOnlyList<TItem> items, long bytes)
    {
        var request = new IngestRequest<TItem, TOutcome>(organization, items, bytes);
        if (Interlocked.Add(ref _bytes, bytes) <= MaxQueuedBytes && _channel.Writer.TryWrite(request))
        {
            var done = request.Done;
            Work();
            return done;
        }

        Interlocked.Add(ref _bytes, -bytes);
        return null;
    }

    private void Work()
    {
        if (_started && BecomeWriter())
        {
            // It goes on for others, and must not carry along what belongs to this request alone.
            using (ExecutionContext.SuppressFlow())
            {
                _ = WriteAll();
            }
        }
    }

    private bool BecomeWriter()
    {
        for (var writers = Volatile.Read(ref _writers); writers < _mostWriters;)
        {
            var before = Interlocked.CompareExchange(ref _writers, writers + 1, writers);
            if (before == writers)
            {
                return true;
            }

            writers = before;
        }

        return false;
    }

    private async Task WriteAll()
    {
        var onOwnThread = false;
        do
        {
            while (NextBatch() is { Count: > 0 } batch)
            {
                _batchSizes.Record(batch.Count, _tag);
                var writing = Write(batch, MaxAttempts);
                var waited = !writing.IsCompleted;
                await writing;
                Interlocked.Add(ref _bytes, -batch.Sum(request => request.Bytes));
                if (!waited && !onOwnThread)
                {
                    // An engine in this process has written without a pause: whose thread this is must get back to its request.
                    await Task.Yield();
                }

                onOwnThread = true;
            }

            Interlocked.Decrement(ref _writers);
        }
        // Somebody may have come between the two and found enough writers.
        while (_channel.Reader.Count > 0 && BecomeWriter());
        SayWhenDrained();
    }

    private void SayWhenDrained()
    {
        if (_stopping && Volatile.Read(ref _writers) == 0 && _channel.Reader.Count == 0)
        {
            _drained.TrySetResult();
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

        if (batch is [var alone] && _channel.Reader.Count == 0)
        {
            alone.IsAlone = true;
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
            IngestRequest<TItem, TOutcome>[] left = [.. batch.Where(request => !request.IsDone)];
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
