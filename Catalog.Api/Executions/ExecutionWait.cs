using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Executions;

namespace Catalog.Api.Executions;

/// <summary>Reads an execution, and waits until it has ended.</summary>
internal sealed class ExecutionWait(ExecutionRepository executions, ExecutionSignals signals, IHostApplicationLifetime lifetime,
    TimeProvider time)
{
    // Another replica may run the execution. This replica then notices the end after at most this time.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Waits until the execution has ended, the requested time is over, or this replica stops.</summary>
    /// <returns>The execution; null when the id does not exist.</returns>
    public async Task<ExecutionDetail?> Wait(string organization, string id, PreferWait wait, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        var atMost = TimeSpan.FromSeconds(wait.Seconds ?? 0);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, lifetime.ApplicationStopping);
        while (true)
        {
            var next = signals.NextEnd;
            if (await executions.Find(organization, id, ct) is not { } execution)
            {
                return null;
            }

            var left = atMost - time.GetElapsedTime(began);
            if (execution.IsFinished || left <= TimeSpan.Zero || stop.IsCancellationRequested)
            {
                return ExecutionDetail.From(execution, await executions.Checks(organization, id, ct), time.Now());
            }

            await Task.WhenAny(next, Task.Delay(left < Interval ? left : Interval, time, stop.Token));
        }
    }
}
