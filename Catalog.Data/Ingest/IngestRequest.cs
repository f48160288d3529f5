using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace Catalog.Data.Ingest;

/// <summary>
/// The items of one request in an <see cref="IngestQueue{TItem, TOutcome}"/>, and their outcomes once they are known.
/// </summary>
internal sealed class IngestRequest<TItem, TOutcome>(string organization, IReadOnlyList<TItem> items, long bytes)
    : IValueTaskSource<TOutcome[]>
{
    private ManualResetValueTaskSourceCore<TOutcome[]> _done;

    public string Organization => organization;

    public IReadOnlyList<TItem> Items => items;

    public long Bytes => bytes;

    /// <summary>The time stamp of <see cref="Stopwatch"/> when the request was created.</summary>
    public long ArrivedAt { get; } = Stopwatch.GetTimestamp();

    /// <summary>The span of the request; the default when nothing records spans.</summary>
    public ActivityContext Span { get; } = Tracing.Source.HasListeners() && Activity.Current is { } span ? span.Context : default;

    /// <summary>One outcome for each item. Await it once.</summary>
    public ValueTask<TOutcome[]> Done => new(this, _done.Version);

    public bool IsDone { get; private set; }

    /// <summary>
    /// Whether the request is alone in its batch and the queue is empty. Then its continuation can run on the writer's
    /// thread, because no other request waits.
    /// </summary>
    public bool IsAlone { get; set; }

    /// <summary>
    /// Sets the outcomes, after the commit. Only the writer that took the request may call this method. Does nothing
    /// when the request is done.
    /// </summary>
    public void Complete(TOutcome[] outcomes)
    {
        if (TryEnd())
        {
            _done.SetResult(outcomes);
        }
    }

    /// <summary>Sets the failure of the request. Does nothing when the request is done.</summary>
    public void Fail(Exception exception)
    {
        if (TryEnd())
        {
            _done.SetException(exception);
        }
    }

    TOutcome[] IValueTaskSource<TOutcome[]>.GetResult(short token) => _done.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<TOutcome[]>.GetStatus(short token) => _done.GetStatus(token);

    void IValueTaskSource<TOutcome[]>.OnCompleted(Action<object?> continuation, object? state, short token,
        ValueTaskSourceOnCompletedFlags flags) =>
        _done.OnCompleted(continuation, state, token, flags);

    private bool TryEnd()
    {
        if (IsDone)
        {
            return false;
        }

        _done.RunContinuationsAsynchronously = !IsAlone;
        return IsDone = true;
    }
}
