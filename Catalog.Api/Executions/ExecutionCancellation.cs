using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Executions;

namespace Catalog.Api.Executions;

/// <summary>Cancels executions that clients no longer need.</summary>
internal sealed class ExecutionCancellation(ExecutionRepository executions, ExecutionSignals signals, TimeProvider time)
{
    /// <summary>Asks the replica that runs an execution to stop it. A queued execution is cancelled at once.</summary>
    /// <returns>The problem to answer with; null when the request is stored.</returns>
    public async Task<Problem?> Stop(string organization, string id, CancellationToken ct)
    {
        if (await executions.Find(organization, id, ct) is not { } before)
        {
            return Problems.NotFound("execution");
        }

        if (before.Status is ExecutionStatus.Completed or ExecutionStatus.Failed)
        {
            return Problems.ExecutionFinished(before.Status);
        }

        await executions.Cancel(organization, id, time.Now(), ct);
        signals.Cancel(organization, id);
        return null;
    }
}
