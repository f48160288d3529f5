using System.Data.Common;

namespace Catalog.Data.Database;

/// <summary>Tracks one database operation: whether it can be retried, and when the database last answered.</summary>
internal sealed class DatabaseOperation
{
    // The driver can exceed its own time limit for a statement by several seconds, when a server accepts a connection
    // but never answers. So the wait has this limit too.
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(4.5);
    private long _lastResponse = TimeProvider.System.GetTimestamp();

    /// <summary>False after a commit was sent, because its outcome is unknown until the answer is read.</summary>
    public bool CanRetry { get; private set; } = true;

    /// <summary>Records that the database has answered now.</summary>
    public void RecordResponse() => Volatile.Write(ref _lastResponse, TimeProvider.System.GetTimestamp());

    /// <summary>Commits. A client that disconnects does not cancel the commit.</summary>
    public async Task Commit(DbTransaction transaction)
    {
        CanRetry = false;
        await transaction.CommitAsync(CancellationToken.None);
    }

    /// <summary>Waits for the operation as long as the database keeps answering.</summary>
    /// <exception cref="TimeoutException">The database did not answer in time. The operation continues in the
    /// background until its connection fails.</exception>
    public async Task<T> WaitWhileResponding<T>(Task<T> work)
    {
        while (!work.IsCompleted)
        {
            var left = ResponseTimeout - TimeProvider.System.GetElapsedTime(Volatile.Read(ref _lastResponse));
            if (left <= TimeSpan.Zero)
            {
                _ = work.ContinueWith(late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted,
                    TaskScheduler.Default);
                throw new TimeoutException("The database did not answer in time.");
            }

            await Task.WhenAny(work, Task.Delay(left));
        }

        return await work;
    }
}
