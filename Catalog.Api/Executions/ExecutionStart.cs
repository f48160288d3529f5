using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Executions;

namespace Catalog.Api.Executions;

/// <summary>A request to start an execution.</summary>
internal sealed record StartRequest
{
    /// <summary>
    /// The path of the request, with the parameters that select the check. An idempotency key is valid for one path.
    /// </summary>
    public required string Route { get; init; }

    public required JsonElement Body { get; init; }
    public required string? PipelineId { get; init; }
    public required string? RunId { get; init; }
    public required IReadOnlyList<CheckToExecute> Checks { get; init; }
}

/// <summary>Queues executions that clients request, and waits for them as long as the client prefers.</summary>
internal sealed class ExecutionStart(ExecutionRepository executions, ExecutionSignals signals, ExecutionWait waiting,
    ExecutionSettings settings, TimeProvider time)
{
    /// <summary>Queues an execution and waits for it as long as the client prefers.</summary>
    public async Task<IResult> Start(Caller caller, IdempotencyKey key, PreferWait wait, StartRequest request, CancellationToken ct)
    {
        var (id, refusal) = await Queue(caller, key, request, ct);
        if (refusal is not null)
        {
            return refusal;
        }

        var execution = await waiting.Wait(caller.Organization, id, wait, ct);
        return execution is null ? Problems.NotFound("execution")
            : new StartedResult(execution, execution.FinishedAt is null ? 202 : 200);
    }

    /// <summary>Queues an execution.</summary>
    /// <returns>The id of the execution, or the response that says why it is not queued.</returns>
    public async Task<(string Id, IResult? Refusal)> Queue(Caller caller, IdempotencyKey key, StartRequest request, CancellationToken ct)
    {
        if (key.Refusal is { } refusal)
        {
            return ("", refusal);
        }

        var derived = key.IdOf(caller, request.Route, 0);
        var id = derived ?? Guid.CreateVersion7().ToString();
        var outcome = await executions.Insert(caller.Organization, new()
        {
            Id = id,
            PipelineId = request.PipelineId,
            RunId = request.RunId,
            RequestedBy = caller.Actor,
            RequestHash = derived is null ? null : SHA256.HashData([
                .. Encoding.UTF8.GetBytes(request.Route), .. CanonicalJson.Hash(request.Body)]),
            CreatedAt = time.Now(),
            Checks = request.Checks,
        }, settings.Queue, ct);
        if (outcome is ExecutionOutcome.QueueFull or ExecutionOutcome.RunIdTaken or ExecutionOutcome.KeyReused)
        {
            return ("", outcome switch
            {
                ExecutionOutcome.QueueFull => Problems.ExecutionQueueFull(),
                ExecutionOutcome.RunIdTaken => Problems.RunIdTaken(request.RunId!),
                _ => Problems.IdempotencyKeyReused(),
            });
        }

        signals.Wake();
        return (id, null);
    }

    // Location is sent with 200 too, because the client did not choose the id.
    private sealed class StartedResult(ExecutionDetail execution, int status) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) =>
            RawJsonResult.Of(execution, status, $"/api/v1/executions/{Uri.EscapeDataString(execution.Id)}").ExecuteAsync(httpContext);
    }
}
