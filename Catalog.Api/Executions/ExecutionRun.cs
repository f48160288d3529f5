using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.Executions;

namespace Catalog.Api.Executions;

/// <summary>
/// Runs one claimed execution. It runs the checks that have no outcome yet, extends the lease meanwhile, and ends the
/// job or gives it back.
/// </summary>
/// <param name="parts">What the execution needs.</param>
/// <param name="organization">The organization.</param>
/// <param name="job">The claimed job.</param>
/// <param name="claim">The text that identifies the claim.</param>
/// <param name="log">The log.</param>
internal sealed partial class ExecutionRun(ExecutionDependencies parts, string organization, ExecutionJob job, string claim, ILogger log)
    : IDisposable
{
    /// <summary>
    /// An execution is given up after this many claims, because the execution itself may be the reason why replicas
    /// crash.
    /// </summary>
    public const int MaxAttempts = 5;

    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxBeat = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();
    private int _reason;
    private int _errors;

    private enum Reason
    {
        None,
        Cancelled,
        TimedOut,
        LeaseLost,
        ReplicaStops,
    }

    /// <summary>The status that the execution ended with; <c>interrupted</c> when another claim will end it.</summary>
    public string Outcome { get; private set; } = "interrupted";

    /// <summary>Stops the checks because a client cancels the execution.</summary>
    public void Cancel()
    {
        try
        {
            Stop(Reason.Cancelled);
        }
        catch (ObjectDisposedException)
        {
            // The execution has ended meanwhile.
        }
    }

    /// <summary>Runs until the job has ended or is given back. Does not throw.</summary>
    /// <param name="replicaStops">Cancelled when the replica stops.</param>
    public async Task Run(CancellationToken replicaStops)
    {
        try
        {
            using var stopping = replicaStops.Register(() => Stop(Reason.ReplicaStops));
            using var ended = new CancellationTokenSource();
            var beats = Task.WhenAll(Beat(ended.Token), TimeOut(ended.Token));
            try
            {
                await RunChecks();
            }
            finally
            {
                await ended.CancelAsync();
                await beats;
            }

            await End();
        }
        catch (Exception failure)
        {
            LogFailed(failure, job.Id, job.Attempts);
            await GiveBack();
        }
    }

    public void Dispose() => _stop.Dispose();

    private async Task RunChecks()
    {
        if (job.CancelRequestedAt is not null)
        {
            Stop(Reason.Cancelled);
            return;
        }

        try
        {
            var open = await parts.Jobs.Open(organization, job.Id, _stop.Token);
            if (job.Attempts > MaxAttempts)
            {
                await ReportErrors(open, GivenUp);
                return;
            }

            var places = open.ToDictionary(check => (check.PipelineId, check.CheckId), check => check.Place);
            await ReportErrors([.. open.Where(check => check.ConnectionId is null)],
                "The check has no connection_id: add the id of a registered connection to its definition.");
            List<Check> checks = [.. open.Where(check => check.ConnectionId is not null).Select(check => check.ToCheck()!)];
            await parts.Run(organization, checks, verdict => Report(places[(verdict.Check.PipelineId, verdict.Check.Id)], verdict),
                _stop.Token);
            if (!_stop.IsCancellationRequested)
            {
                await ReportErrors(
                    await parts.Jobs.Open(organization, job.Id, _stop.Token), "The check ended without a verdict. Execute it again.");
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The method End handles the reason of the stop.
        }
    }

    private static string GivenUp => $"The execution was started {MaxAttempts} times and never finished, so it is not started "
        + "again. Execute fewer checks at once.";

    private string TookTooLong =>
        $"The execution was stopped after {parts.Settings.Timeout.TotalSeconds:0} s, the limit of this service. Execute fewer "
            + "checks at once.";

    private async Task End()
    {
        switch ((Reason)_reason)
        {
            case Reason.LeaseLost:
                break;
            case Reason.ReplicaStops:
                await parts.Jobs.Release(organization, job.Id, claim, parts.Time.Now(), countsAsAttempt: false, CancellationToken.None);
                break;
            case Reason.Cancelled:
                await Finish(ExecutionStatus.Cancelled, null);
                break;
            case Reason.TimedOut:
                await ReportErrors(await parts.Jobs.Open(organization, job.Id, CancellationToken.None), TookTooLong);
                await Finish(ExecutionStatus.Failed, TookTooLong);
                break;
            default:
                await (job.Attempts > MaxAttempts
                    ? Finish(ExecutionStatus.Failed, GivenUp) : Finish(ExecutionStatus.Completed, null));
                break;
        }
    }

    private async Task Finish(string status, string? error)
    {
        await parts.Jobs.Finish(organization, job.Id, claim, status, error, parts.Time.Now(), CancellationToken.None);
        Outcome = status;
        parts.Errors.Ended(organization, job.PipelineId, job.Id, _errors);
    }

    // After a stop, verdicts are not stored: an error may only mean that the statement was cancelled.
    private Task Report(long place, CheckVerdict verdict)
    {
        _stop.Token.ThrowIfCancellationRequested();
        parts.Metrics.Checked(verdict.Status);
        if (verdict.Status == CheckStatus.Error)
        {
            Interlocked.Increment(ref _errors);
        }

        return parts.Verdicts.Store(organization, job, claim, place, verdict, CancellationToken.None);
    }

    private async Task ReportErrors(IReadOnlyList<OpenCheck> checks, string message)
    {
        Interlocked.Add(ref _errors, checks.Count);
        parts.Metrics.Checked(CheckStatus.Error, checks.Count);
        foreach (var check in checks)
        {
            if (check.ToCheck() is { } definition)
            {
                var verdict = new CheckVerdict { Check = definition, Status = CheckStatus.Error, Message = message };
                await parts.Verdicts.Store(organization, job, claim, check.Place, verdict, CancellationToken.None);
            }
            else
            {
                await parts.Jobs.Store(organization, job.Id, claim, new()
                {
                    Place = check.Place,
                    PipelineId = check.PipelineId,
                    CheckId = check.CheckId,
                    Severity = check.Severity,
                    Status = CheckStatus.Error,
                    Message = "The check was deleted before it was executed.",
                    FinishedAt = parts.Time.Now(),
                }, CancellationToken.None);
            }
        }
    }

    // Extends the lease, and notices a cancellation at another replica.
    private async Task Beat(CancellationToken ended)
    {
        var lease = parts.Settings.Lease;
        var pause = lease / 3 < MaxBeat ? lease / 3 : MaxBeat;
        var extended = parts.Time.GetTimestamp();
        while (await Pause(pause, ended))
        {
            try
            {
                var began = parts.Time.GetTimestamp();
                var extension = await parts.Jobs.Extend(organization, job.Id, claim, parts.Time.Now() + lease, ended);
                extended = began;
                if (extension is null)
                {
                    Stop(Reason.LeaseLost);
                }
                else if (extension.CancelRequestedAt is not null)
                {
                    Stop(Reason.Cancelled);
                }
            }
            catch (Exception) when (!ended.IsCancellationRequested && parts.Time.GetElapsedTime(extended) < lease)
            {
                // The loop continues, because the database may answer again before the lease ends.
            }
            catch (Exception)
            {
                Stop(Reason.LeaseLost);
                return;
            }
        }
    }

    private async Task TimeOut(CancellationToken ended)
    {
        if (await Pause(parts.Settings.Timeout, ended))
        {
            Stop(Reason.TimedOut);
        }
    }

    private async Task<bool> Pause(TimeSpan pause, CancellationToken ended)
    {
        await Task.Delay(pause, parts.Time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !ended.IsCancellationRequested;
    }

    private void Stop(Reason reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, (int)Reason.None) == (int)Reason.None)
        {
            _stop.Cancel();
        }
    }

    private async Task GiveBack()
    {
        try
        {
            await parts.Jobs.Release(
                organization, job.Id, claim, parts.Time.Now() + RetryPause, countsAsAttempt: true, CancellationToken.None);
        }
        catch (Exception failure)
        {
            // When the lease expires, another replica can claim the execution.
            LogNotGivenBack(failure, job.Id);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Execution {Id} failed in attempt {Attempt} and will be retried")]
    private partial void LogFailed(Exception failure, string id, long attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Execution {Id} could not be released; another attempt starts when its lease "
        + "expires")]
    private partial void LogNotGivenBack(Exception failure, string id);
}
