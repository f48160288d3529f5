using System.Collections.Concurrent;

namespace Catalog.Api.Executions;

/// <summary>
/// Signals between the parts of one replica. With them an execution starts and stops at once, and waiting requests get
/// its result at once. Other replicas do not get these signals; they read the table.
/// </summary>
internal sealed class ExecutionSignals : IDisposable
{
    private readonly SemaphoreSlim _work = new(0, 1);
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<(string Organization, string Id), Action> _running = new();
    private TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Completes when the next execution of this replica ends. Take this task before you read the state, so that no end
    /// is missed.
    /// </summary>
    public Task NextEnd => Volatile.Read(ref _ended).Task;

    /// <summary>Tells the worker that an execution is queued or a worker is free.</summary>
    public void Wake()
    {
        lock (_lock)
        {
            if (_work.CurrentCount == 0)
            {
                _work.Release();
            }
        }
    }

    /// <summary>Waits until <see cref="Wake"/> is called, but at most for the given time.</summary>
    public Task WaitForWork(TimeSpan atMost, CancellationToken ct) => _work.WaitAsync(atMost, ct);

    /// <summary>Registers how an execution of this replica is cancelled.</summary>
    public void Began(string organization, string id, Action cancel) => _running[(organization, id)] = cancel;

    /// <summary>Removes an execution that this replica no longer runs.</summary>
    public void Ended(string organization, string id)
    {
        _running.TryRemove((organization, id), out _);
        Interlocked.Exchange(ref _ended, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        Wake();
    }

    /// <summary>Cancels an execution at once when this replica runs it.</summary>
    public void Cancel(string organization, string id)
    {
        if (_running.TryGetValue((organization, id), out var cancel))
        {
            cancel();
        }
    }

    public void Dispose() => _work.Dispose();
}
