using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Executions;

namespace Catalog.Api.Executions;

/// <summary>
/// Claims executions and runs them. The number that run at the same time is limited. The worker looks for executions
/// once a second, and at once when this replica queues an execution. When the replica stops, statements are cancelled
/// and the jobs are given back.
/// </summary>
internal sealed partial class ExecutionWorker(ExecutionDependencies parts, ExecutionSignals signals, ILogger<ExecutionWorker> log)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly List<Task> _running = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failures = 0;
        while (parts.Settings.Workers > 0 && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                _running.RemoveAll(run => run.IsCompleted);
                while (_running.Count < parts.Settings.Workers && await StartDue(stoppingToken))
                {
                    _running.RemoveAll(run => run.IsCompleted);
                }

                failures = 0;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (DatabaseUnavailableException)
            {
                // Readiness logs the outage.
            }
            catch (Exception failure)
            {
                if (failures++ == 0)
                {
                    LogFailed(failure);
                }
            }

            await signals.WaitForWork(Interval, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(_running);
    }

    // Starts at most one execution of each organization, so that a busy organization does not take all workers. Returns
    // false when nothing could be claimed.
    private async Task<bool> StartDue(CancellationToken ct)
    {
        var started = false;
        foreach (var organization in await parts.Jobs.DueOrganizations(parts.Time.Now(), ct))
        {
            if (_running.Count >= parts.Settings.Workers)
            {
                return started;
            }

            var claim = Guid.NewGuid().ToString();
            // The claim is not cancelled with ct. If the answer to a successful claim were lost, the execution would
            // wait until its lease ends.
            if (await parts.Jobs.Claim(organization, claim, parts.Time.Now(), parts.Settings.Lease, parts.Settings.PerOrganization,
                CancellationToken.None) is { } job)
            {
                _running.Add(Run(organization, job, claim, ct));
                started = true;
            }
        }

        return started;
    }

    private async Task Run(string organization, ExecutionJob job, string claim, CancellationToken stopping)
    {
        await Task.Yield();
        using var span = Tracing.Begin("execution", organization);
        span.SetTag("catalog.execution.id", job.Id);
        var began = parts.Time.GetTimestamp();
        if (job.Attempts == 1)
        {
            parts.Metrics.Started(parts.Time.Now() - job.CreatedAt);
        }

        using var run = new ExecutionRun(parts, organization, job, claim, log);
        signals.Began(organization, job.Id, run.Cancel);
        await run.Run(stopping);
        signals.Ended(organization, job.Id);
        span.SetTag("catalog.execution.outcome", run.Outcome);
        parts.Metrics.Ended(run.Outcome, parts.Time.GetElapsedTime(began));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Looking for executions failed and will be retried")]
    private partial void LogFailed(Exception failure);
}
