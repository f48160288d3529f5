using Catalog.Api.Executions;
using Catalog.Api.Http;
using Catalog.Api.Organizations;
using Catalog.Api.SignIn;
using Catalog.Data.Executions;
using FluentValidation;

namespace Catalog.Api.Pages.Executions;

/// <summary>
/// The list of executions, and the page of one execution. The page shows the progress of the execution while it runs.
/// </summary>
internal static class ExecutionPages
{
    public static void MapExecutionPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/executions", List).RequiresSession(Scopes.Read).ReadsPage<ExecutionQuery>();
        pages.MapGet("/executions/{id}", Show).RequiresSession(Scopes.Read).ReadsQuery<ExecutionPageQuery>()
            .WithMetadata(new FollowingRequests(request => request.Query["part"] == ExecutionPageQuery.State));
        pages.MapPost("/executions/{id}/cancel", Cancel).RequiresSession(Scopes.Execute).DisableAntiforgery().RequiresForm();
    }

    private static async Task<IResult> List([AsParameters] ExecutionQuery query, [AsParameters] DownloadQuery page, Caller caller,
        ExecutionRepository executions, HttpContext context, CancellationToken ct)
    {
        var list = Lists.Of(query, await executions.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct),
            ExecutionItem.From);
        return page.Download is { } format
            ? Download.Of(format, "executions", list, context, ("id", execution => execution.Id),
                ("pipeline_id", execution => execution.PipelineId), ("run_id", execution => execution.RunId),
                ("status", execution => execution.Status), ("scheduled_for", execution => execution.ScheduledFor),
                ("created_at", execution => execution.CreatedAt), ("started_at", execution => execution.StartedAt),
                ("finished_at", execution => execution.FinishedAt), ("total", execution => execution.Total),
                ("executed", execution => execution.Executed), ("pass", execution => execution.Outcomes.Pass),
                ("warn", execution => execution.Outcomes.Warn), ("fail", execution => execution.Outcomes.Fail),
                ("error", execution => execution.Outcomes.Error), ("error_message", execution => execution.ErrorMessage))
            : PageResult.Of<ExecutionListPage>((nameof(ExecutionListPage.Query), query), (nameof(ExecutionListPage.Executions), list));
    }

    private static async Task<IResult> Show(PathId id, [AsParameters] ExecutionPageQuery query, Caller caller, ExecutionWait waiting,
        HttpContext context, CancellationToken ct)
    {
        if (await waiting.Wait(caller.Organization, id.Value, default, ct) is not { } execution)
        {
            return Problems.NotFound("execution");
        }

        return query.Part == ExecutionPageQuery.State
            ? PageResult.Of<ExecutionState>(
                (nameof(ExecutionState.Execution), execution), (nameof(ExecutionState.Viewer), Viewer.Of(context)))
            : PageResult.Of<ExecutionPage>((nameof(ExecutionPage.Execution), execution));
    }

    private static async Task<IResult> Cancel(PathId id, Caller caller, ExecutionCancellation stop, CancellationToken ct) =>
        await stop.Stop(caller.Organization, id.Value, ct) is { } problem ? problem : TypedResults.LocalRedirect(Links.Execution(id.Value));
}

/// <summary>The query parameters of an execution's page.</summary>
public sealed record ExecutionPageQuery
{
    /// <summary>The value of <see cref="Part"/> for the part that changes.</summary>
    public const string State = "state";

    /// <summary><c>state</c> returns only the part that changes while the execution runs.</summary>
    public string? Part { get; init; }
}

internal sealed class ExecutionPageQueryValidator : AbstractValidator<ExecutionPageQuery>
{
    public ExecutionPageQueryValidator() => RuleFor(query => query.Part)
        .Must(part => part is null or ExecutionPageQuery.State).WithMessage("must be state.");
}
