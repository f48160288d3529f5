using System.Data.Common;

namespace Catalog.Data.Database;

/// <summary>How far a work on the database has come: whether it may be done once more, and whether the database still answers.</summary>
internal sealed class Attempt
{
    // Longer than the driver's own limit for a statement, which a server that accepts and never answers can exceed by seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4.5);
    private long _since = TimeProvider.System.GetTimestamp();

    /// <summary>False from the moment when a commit was sent, whose outcome is unknown until its answer was read.</summary>
    public bool MayBeRepeated { get; private set; } = true;

    /// <summary>The database has answered.</summary>
    public void Progress() => Volatile.Write(ref _since, TimeProvider.System.GetTimestamp());

    /// <summary>Commits. A caller that has gone away does not stop it.</summary>
    public async Task Commit(DbTransaction transaction)
    {
        MayBeRepeated = false;
        await transaction.CommitAsync(CancellationToken.None);
    }

    /// <summary>Waits for a work as long as the database answers.</summary>
    /// <exception cref="TimeoutException">The database has not answered in time. The work goes on alone until its connection fails.</exception>
    public async Task<T> Within<T>(Task<T> work)
    {
        while (!work.IsCompleted)
        {
            var left = Patience - TimeProvider.System.GetElapsedTime(Volatile.Read(ref _since));
            if (left <= TimeSpan.Zero)
            {
                _ = work.ContinueWith(late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                throw new TimeoutException("The database did not answer in time.");
            }

            await Task.WhenAny(work, Task.Delay(left));
        }

        return await work;
    }
}
