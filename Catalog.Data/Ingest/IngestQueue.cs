using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Catalog.Data.Database;

namespace Catalog.Data.Ingest;

/// <summary>
/// A queue of requests whose items are written in batches. If fewer than the maximum number of writers are active, the
/// enqueuing request becomes a writer and writes until the queue is empty. So a lone request is written at once on its
/// own thread, and many requests share a commit.
/// </summary>
/// <typeparam name="TItem">The stored item.</typeparam>
/// <typeparam name="TOutcome">The outcome of an item.</typeparam>
internal sealed class IngestQueue<TItem, TOutcome>
{
    private const int MaxRequests = 256;
    private const int MaxItems = 4000;
    private const long MaxBatchBytes = 32 * 1024 * 1024;
    private const long MaxQueuedBytes = 128 * 1024 * 1024;
    private const int MaxAttempts = 4;

    private readonly Channel<IngestRequest<TItem, TOutcome>> _channel;
    private readonly Func<IReadOnlyList<IngestRequest<TItem, TOutcome>>, Task> _write;
    private readonly int _maxWriters;
    private readonly Func<TItem, DateTimeOffset?> _eventTime;
    private readonly IngestMetrics _metrics;
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private readonly string _name;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _writers;
    private long _bytes;
    private volatile bool _started;
    private volatile bool _stopping;

    /// <param name="name">The queue's name in metrics.</param>
    /// <param name="settings">The limits.</param>
    /// <param name="meters">Creates the meter.</param>
    /// <param name="eventTime">Returns when the event of an item happened; null when that is not known.</param>
    /// <param name="write">Stores a batch and completes its requests. When it throws, each incomplete request is
    /// either not stored or safe to store again.</param>
    public IngestQueue(string name, IngestSettings settings, IMeterFactory meters, Func<TItem, DateTimeOffset?> eventTime,
        Func<IReadOnlyList<IngestRequest<TItem, TOutcome>>, Task> write)
    {
        _channel = Channel.CreateBounded<IngestRequest<TItem, TOutcome>>(settings.Queue);
        _write = write;
        _maxWriters = settings.Writers;
        (_name, _eventTime) = (name, eventTime);
        _metrics = new(name, meters, () => _channel.Reader.Count);
    }

    /// <summary>Starts to write. Requests that were enqueued before are written too.</summary>
    public void Start()
    {
        _started = true;
        StartWriterIfNeeded();
    }

    /// <summary>
    /// Accepts no more requests and waits until the queue is written, or until <paramref name="ct"/> is cancelled.
    /// </summary>
    public async Task Stop(CancellationToken ct)
    {
        _channel.Writer.TryComplete();
        _stopping = true;
        SignalWhenDrained();
        await _drained.Task.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Adds a request.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="items">The items of the request, at least one.</param>
    /// <param name="bytes">The approximate size of the items in memory.</param>
    /// <returns>One outcome for each item once the commit is on disk; await it once. Null when the queue is full or
    /// stopped.</returns>
    public ValueTask<TOutcome[]>? Enqueue(string organization, IReadOnlyList<TItem> items, long bytes)
    {
        var request = new IngestRequest<TItem, TOutcome>(organization, items, bytes);
        if (Interlocked.Add(ref _bytes, bytes) <= MaxQueuedBytes && _channel.Writer.TryWrite(request))
        {
            var done = request.Done;
            _metrics.Arrived(items, _eventTime);
            StartWriterIfNeeded();
            return done;
        }

        Interlocked.Add(ref _bytes, -bytes);
        _metrics.Refused();
        return null;
    }

    private void StartWriterIfNeeded()
    {
        if (_started && TryBecomeWriter())
        {
            // The writer serves other requests too, so it must not inherit this request's context.
            if (_context is null)
            {
                _ = WriteAll();
            }
            else
            {
                ExecutionContext.Run(_context, queue => _ = ((IngestQueue<TItem, TOutcome>)queue!).WriteAll(), this);
            }
        }
    }

    private bool TryBecomeWriter()
    {
        for (var writers = Volatile.Read(ref _writers); writers < _maxWriters;)
        {
            var seen = Interlocked.CompareExchange(ref _writers, writers + 1, writers);
            if (seen == writers)
            {
                return true;
            }

            writers = seen;
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
                _metrics.Batch(batch.Count);
                using var span = IngestSpan.Start(_name, batch);
                var writing = Write(batch, MaxAttempts);
                var wasAsync = !writing.IsCompleted;
                await writing;
                foreach (var request in batch)
                {
                    Interlocked.Add(ref _bytes, -request.Bytes);
                    _metrics.Ended(request.ArrivedAt);
                }

                if (!wasAsync && !onOwnThread)
                {
                    // The database engine runs in this process and wrote on the thread of the request. Give the thread
                    // back to the request.
                    await Task.Yield();
                }

                onOwnThread = true;
            }

            Interlocked.Decrement(ref _writers);
        }
        // A request that arrived between the last read and the decrement found enough writers and started none.
        while (_channel.Reader.Count > 0 && TryBecomeWriter());
        SignalWhenDrained();
    }

    private void SignalWhenDrained()
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
            IngestRequest<TItem, TOutcome>[] open = [.. batch.Where(request => !request.IsDone)];
            switch (failure)
            {
                case DatabaseUnavailableException { Reason: Unavailability.Contended } when attempts > 1:
                    await Write(open, attempts - 1);
                    break;
                case DatabaseUnavailableException:
                    Fail(open, failure);
                    FailQueued(failure);
                    break;
                case var _ when open.Length <= 1:
                    Fail(open, failure);
                    break;
                default:
                    // One item cannot be stored. Write each half alone, until only the request with this item fails.
                    await Write(open[..(open.Length / 2)], attempts);
                    await Write(open[(open.Length / 2)..], attempts);
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

    // Without this method, each queued batch would wait for its own time-out.
    private void FailQueued(Exception failure)
    {
        for (var waiting = _channel.Reader.Count; waiting > 0 && _channel.Reader.TryRead(out var request); waiting--)
        {
            request.Fail(failure);
            Interlocked.Add(ref _bytes, -request.Bytes);
        }
    }
}
