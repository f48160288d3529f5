namespace Catalog.Data.Ingest;

/// <summary>What one request wants to have stored, and its answer once that is known.</summary>
internal sealed class IngestRequest<TItem, TOutcome>(string organization, IReadOnlyList<TItem> items, long bytes)
{
    // The writer must not run what follows in the request.
    private readonly TaskCompletionSource<TOutcome[]> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Organization => organization;

    public IReadOnlyList<TItem> Items => items;

    public long Bytes => bytes;

    public Task<TOutcome[]> Done => _done.Task;

    /// <summary>It is on disk, or known not to be stored.</summary>
    public void Complete(TOutcome[] outcomes) => _done.TrySetResult(outcomes);

    public void Fail(Exception exception) => _done.TrySetException(exception);
}
