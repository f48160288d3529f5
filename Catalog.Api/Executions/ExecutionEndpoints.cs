using Catalog.Api.Http;
using Catalog.Data.Checks;
using Catalog.Data.Executions;
using Catalog.Data.Pipelines;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Executions;

internal static class ExecutionEndpoints
{
    // The ids are one list in a statement, so this must be less than the list limit of SQLite.
    private const int MaxChecks = 500;

    public static void MapExecutions(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/checks/{id}/execute", ExecuteCheck).WithName("ExecuteCheck").WithTags("Executions").Requires(Scopes.Execute)
            .ReadsQuery<Checks.CheckSelector>().Reads<PostCheckExecution>(optional: true).Starts()
            .WithSummary("Execute a check against its warehouse and record the result");
        routes.MapPost("/pipelines/{id}/checks/execute", ExecutePipeline).WithName("ExecutePipelineChecks").WithTags("Executions")
            .Requires(Scopes.Execute).Reads<PostPipelineExecution>(optional: true).Starts()
            .WithSummary("Execute the checks of a pipeline against their warehouses and record the results");

        var executions = routes.MapGroup("/executions").WithTags("Executions");
        executions.MapGet("/", List).WithName("ListExecutions").Requires(Scopes.Read).ReadsQuery<ExecutionQuery>()
            .WithSummary("List executions, newest first");
        executions.MapGet("/{id}", Get).WithName("GetExecution").Requires(Scopes.Read).HasETag()
            .WithMetadata(new AcceptsWaitMetadata()).Produces<ExecutionDetail>().Refuses(404)
            .WithSummary("Read an execution: its progress and the outcome of each check");
        executions.MapPost("/{id}/cancel", Cancel).WithName("CancelExecution").Requires(Scopes.Execute)
            .Produces<ExecutionDetail>().Produces<ExecutionDetail>(202).Refuses(404, 409)
            .WithSummary("Cancel an execution; results that are stored remain");
    }

    private static RouteHandlerBuilder Starts(this RouteHandlerBuilder route) => route
        .WithMetadata(new AcceptsIdempotencyKeyMetadata(), new AcceptsWaitMetadata())
        .Produces<ExecutionDetail>(202).Produces<ExecutionDetail>(200).Refuses(404, 409, 429);

    private static async Task<IResult> ExecuteCheck(PathId id, [AsParameters] Checks.CheckSelector selector,
        Body<PostCheckExecution> body, IdempotencyKey key, PreferWait wait, Caller caller, CheckRepository checks, ExecutionStart start,
        CancellationToken ct)
    {
        var found = await checks.Find(caller.Organization, id.Value, selector.PipelineId, ct);
        if (found.Count != 1)
        {
            return found.Count == 0 ? Problems.NotFound("check") : Problems.CheckAmbiguous(id.Value);
        }

        if (found[0] is { PipelineVersion: PipelineVersion.Reported, ConnectionId: null })
        {
            return Problems.CheckOfOtherTool(id.Value);
        }

        var (pipeline, severity) = (found[0].PipelineId, found[0].Severity);
        return pipeline.Length == 0 && body.Value.RunId is not null
            ? Problems.CheckIsStandalone(id.Value)
            : await start.Start(caller, key, wait, new()
            {
                Route = $"/checks/{id.Value}/execute?pipeline_id={pipeline}",
                Body = body.Root,
                PipelineId = pipeline.Length == 0 ? null : pipeline,
                RunId = body.Value.RunId,
                Checks = [new() { PipelineId = pipeline, CheckId = id.Value, Severity = severity }],
            }, ct);
    }

    private static async Task<IResult> ExecutePipeline(PathId id, Body<PostPipelineExecution> body, IdempotencyKey key, PreferWait wait,
        Caller caller, PipelineRepository pipelines, ExecutionRepository executions, ExecutionStart start, CancellationToken ct)
    {
        List<string>? ids = body.Value.Checks is { } asked ? [.. asked.Select(check => check!).Distinct(StringComparer.Ordinal)] : null;
        var (checks, refusal) = await Executable(caller.Organization, id.Value, ids, pipelines, executions, ct);
        return refusal ?? await start.Start(caller, key, wait, new()
        {
            Route = $"/pipelines/{id.Value}/checks/execute",
            Body = body.Root,
            PipelineId = id.Value,
            RunId = body.Value.RunId,
            Checks = checks,
        }, ct);
    }

    /// <summary>The checks of a pipeline that one execution can take.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="pipelineId">The pipeline.</param>
    /// <param name="ids">The ids of the checks; null for all checks that have a connection.</param>
    /// <param name="pipelines">Finds the pipeline.</param>
    /// <param name="executions">Finds the checks.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>The checks, or why they cannot be executed.</returns>
    internal static async Task<(List<CheckToExecute> Checks, Problem? Refusal)> Executable(string organization, string pipelineId,
        List<string>? ids, PipelineRepository pipelines, ExecutionRepository executions, CancellationToken ct)
    {
        if (await pipelines.Find(organization, pipelineId, ct) is null)
        {
            return ([], Problems.NotFound("pipeline"));
        }

        if (ids?.Count > MaxChecks)
        {
            return ([], TooManyChecks());
        }

        var checks = await executions.Executable(organization, pipelineId, ids, MaxChecks + 1, ct);
        return ids?.FindIndex(check => checks.TrueForAll(known => known.CheckId != check)) is >= 0 and var unknown
            ? ([], Problems.CheckUnknown(ids[unknown]))
            : (checks, checks.Count == 0 ? Problems.NoExecutableChecks(pipelineId) : checks.Count > MaxChecks ? TooManyChecks() : null);
    }

    private static Problem TooManyChecks() =>
        Problems.TooLarge($"One execution takes at most {MaxChecks} checks. Send several requests, each with at most {MaxChecks} "
            + "ids in the field checks.");

    private static async Task<Ok<ItemList<ExecutionItem>>> List([AsParameters] ExecutionQuery query, Caller caller,
        ExecutionRepository executions, CancellationToken ct) =>
        TypedResults.Ok(Lists.Of(query, await executions.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct),
            ExecutionItem.From, await query.Counted(() => executions.Count(caller.Organization, query.ToFilter(), ct))));

    private static async Task<IResult> Get(PathId id, PreferWait wait, Caller caller, ExecutionWait waiting, CancellationToken ct) =>
        await waiting.Wait(caller.Organization, id.Value, wait, ct) is { } execution
            ? TypedResults.Ok(execution) : Problems.NotFound("execution");

    private static async Task<IResult> Cancel(
        PathId id, Caller caller, ExecutionCancellation cancellation, ExecutionWait waiting, CancellationToken ct)
    {
        if (await cancellation.Stop(caller.Organization, id.Value, ct) is { } problem)
        {
            return problem;
        }

        return await waiting.Wait(caller.Organization, id.Value, default, ct) switch
        {
            null => Problems.NotFound("execution"),
            { FinishedAt: null } running => TypedResults.Json(running, statusCode: 202),
            var ended => TypedResults.Ok(ended),
        };
    }
}
