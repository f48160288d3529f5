using System.Threading.Tasks.Sources;

namespace Catalog.Data.Ingest;

/// <summary>What one request wants to have stored, and its answer once that is known.</summary>
internal sealed class IngestRequest<TItem, TOutcome>(string organization, IReadOnlyList<TItem> items, long bytes) : IValueTaskSource<TOutcome[]>
{
    private ManualResetValueTaskSourceCore<TOutcome[]> _done;

    public string Organization => organization;

    public IReadOnlyList<TItem> Items => items;

    public long Bytes => bytes;

    /// <summary>What became of each item. To be awaited once.</summary>
    public ValueTask<TOutcome[]> Done => new(this, _done.Version);

    public bool IsDone { get; private set; }

    /// <summary>Whether nobody shares its batch, so that the writer itself may go on with the request: nobody waits for the writer meanwhile.</summary>
    public bool IsAlone { get; set; }

    /// <summary>It is on disk, or known not to be stored. Only the writer that has it may say so.</summary>
    public void Complete(TOutcome[] outcomes)
    {
        if (MayEnd())
        {
            _done.SetResult(outcomes);
        }
    }

    public void Fail(Exception exception)
    {
        if (MayEnd())
        {
            _done.SetException(exception);
        }
    }

    TOutcome[] IValueTaskSource<TOutcome[]>.GetResult(short token) => _done.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<TOutcome[]>.GetStatus(short token) => _done.GetStatus(token);

    void IValueTaskSource<TOutcome[]>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _done.OnCompleted(continuation, state, token, flags);

    private bool MayEnd()
    {
        if (IsDone)
        {
            return false;
        }

        _done.RunContinuationsAsynchronously = !IsAlone;
        return IsDone = true;
    }
}
