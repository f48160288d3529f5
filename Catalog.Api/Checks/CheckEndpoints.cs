using System.Text;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Checks;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Checks;

internal static class CheckEndpoints
{
    public static void MapChecks(this IEndpointRouteBuilder routes)
    {
        var checks = routes.MapGroup("/checks").WithTags("Checks");

        checks.MapPost("/", Post).WithName("CreateCheck").Requires(Scopes.Write).Reads<PostCheck>()
            .Produces<CheckItem>(201).Produces<CheckItem>(200).Refuses(404, 409).WithSummary("Define a check");
        checks.MapGet("/", List).WithName("ListChecks").Requires(Scopes.Read).ReadsQuery<CheckQuery>()
            .WithSummary("List check definitions, newest first");
        checks.MapGet("/{id}", Get).WithName("GetCheck").Requires(Scopes.Read).ReadsQuery<CheckSelector>()
            .HasETag(item => ((CheckItem)item).Definition).Produces<CheckItem>().Refuses(404, 409).WithSummary("Read a check definition");
        checks.MapPut("/{id}", Put).WithName("ReplaceCheck").Requires(Scopes.Write).ReadsQuery<CheckSelector>().Reads<PutCheck>()
            .AcceptsIfMatch()
            .Produces<CheckItem>().Refuses(404, 409).WithSummary("Replace a check definition");
        checks.MapDelete("/{id}", Delete).WithName("DeleteCheck").Requires(Scopes.Manage).ReadsQuery<CheckSelector>().AcceptsIfMatch()
            .Produces(204).Refuses(404, 409).WithSummary("Delete a check definition and keep its results");
        checks.MapGet("/{id}/history", History).WithName("GetCheckHistory").Requires(Scopes.Read).ReadsQuery<HistoryQuery>()
            .Produces<CheckHistory>().Refuses(404, 409).WithSummary("Read the results of a check over time, with its pass rate");
    }

    private static async Task<IResult> Post(Body<PostCheck> body, Caller caller, CheckRepository checks, TimeProvider time,
        CancellationToken ct)
    {
        if (SchedulesWithoutScope(body.Value, caller))
        {
            return Problems.Forbidden(Scopes.Execute);
        }

        var (id, pipeline) = (body.Value.Id!, body.Value.PipelineId ?? "");
        var check = body.Value.ToCheck(id, pipeline, Encoding.UTF8.GetString(body.Json.Span), time.Now());
        return await checks.Insert(caller.Organization, check, ct) switch
        {
            CheckOutcome.PipelineUnknown => Problems.PipelineUnknown(pipeline),
            CheckOutcome.IdTaken => Problems.IdTaken("check", id),
            CheckOutcome.Created => TypedResults.Created(Location(id, pipeline), CheckItem.From(check)),
            _ => TypedResults.Ok(CheckItem.From((await checks.Find(caller.Organization, id, pipeline, ct)).FirstOrDefault(check))),
        };
    }

    private static async Task<Ok<ItemList<CheckItem>>> List([AsParameters] CheckQuery query, Caller caller, CheckRepository checks,
        CancellationToken ct) =>
        TypedResults.Ok(
            Lists.Of(query, await checks.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct), CheckItem.From,
                await query.Counted(() => checks.Count(caller.Organization, query.ToFilter(), ct))));

    private static async Task<IResult> Get(PathId id, [AsParameters] CheckSelector selector, Caller caller, CheckRepository checks,
        CancellationToken ct)
    {
        var found = await checks.Find(caller.Organization, id.Value, selector.PipelineId, ct);
        return Refusal(found, id) ?? TypedResults.Ok(CheckItem.From(found[0]));
    }

    private static async Task<IResult> Put(
        PathId id, [AsParameters] CheckSelector selector, Body<PutCheck> body, IfMatch match, Caller caller, CheckRepository checks,
        TimeProvider time, CancellationToken ct)
    {
        if (SchedulesWithoutScope(body.Value, caller))
        {
            return Problems.Forbidden(Scopes.Execute);
        }

        var found = await checks.Find(caller.Organization, id.Value, selector.PipelineId, ct);
        if ((Refusal(found, id) ?? match.Check(() => CheckItem.From(found[0]).Definition)) is { } refusal)
        {
            return refusal;
        }

        var check = body.Value.ToCheck(id.Value, found[0].PipelineId, Encoding.UTF8.GetString(body.Json.Span), time.Now()) with
        {
            CreatedAt = found[0].CreatedAt,
            LastResult = found[0].LastResult,
        };
        return await checks.Replace(caller.Organization, check, match.AsOf(found[0].UpdatedAt), ct)
            ? TypedResults.Ok(CheckItem.From(check))
            : match.Given ? Problems.PreconditionFailed() : Problems.NotFound("check");
    }

    private static async Task<IResult> Delete(
        PathId id, [AsParameters] CheckSelector selector, IfMatch match, Caller caller, CheckRepository checks, TimeProvider time,
        CancellationToken ct)
    {
        var found = await checks.Find(caller.Organization, id.Value, selector.PipelineId, ct);
        return Refusal(found, id) ?? match.Check(() => CheckItem.From(found[0]).Definition)
            ?? (await checks.Delete(caller.Organization, found[0].PipelineId, id.Value, match.AsOf(found[0].UpdatedAt),
                caller.NewAuditEntry("check", found[0].PipelineId.Length == 0 ? id.Value : $"{found[0].PipelineId}/{id.Value}", "deleted",
                    time), ct) ? TypedResults.NoContent()
                : match.Given ? Problems.PreconditionFailed() : Problems.NotFound("check"));
    }

    private static async Task<IResult> History(
        PathId id, [AsParameters] HistoryQuery query, Caller caller, CheckRepository checks, CheckResultRepository results,
        CheckStatusChanges changes, CancellationToken ct)
    {
        var found = await checks.Find(caller.Organization, id.Value, query.PipelineId, ct);
        if (found.Count > 1)
        {
            return Problems.CheckAmbiguous(id.Value);
        }

        // Results may arrive before the definition. If the query names the pipeline, the response shows the history of
        // these results.
        var pipeline = found.Count == 1 ? found[0].PipelineId : query.PipelineId;
        if (pipeline is null)
        {
            return Problems.NotFound("check");
        }

        var filter = new CheckResultFilter
        {
            PipelineId = pipeline,
            CheckId = id.Value,
            Since = query.Since?.Value,
            Until = query.Until?.Value
        };
        var page = await results.List(caller.Organization, filter, query.After(), query.Take(), ct);
        if (found.Count == 0 && page.Items.Count == 0)
        {
            return Problems.NotFound("check");
        }

        var counts = await checks.CountStatuses(caller.Organization, filter, ct);
        var streak = await changes.Streak(caller.Organization, filter, ct);
        return TypedResults.Ok(new CheckHistory
        {
            PassRate = counts.PassRate,
            Counts = new() { Pass = counts.Pass, Warn = counts.Warn, Fail = counts.Fail, Error = counts.Error },
            Changes = streak.Changes,
            FailingSince = streak.FailingSince,
            FailingResults = streak.FailingResults,
            Items = [.. page.Items.Select(Measurement.From)],
            NextCursor = page.Next?.ToText(query.List),
        });
    }

    // A schedule runs the caller's SQL on the warehouse, like an execution. So it needs the same scope.
    private static bool SchedulesWithoutScope(PutCheck check, Caller caller) =>
        check is { Schedule: not null, ConnectionId: not null } && !caller.Scopes.Contains(Scopes.Execute);

    private static IResult? Refusal(List<Check> found, PathId id) => found.Count switch
    {
        0 => Problems.NotFound("check"),
        1 => null,
        _ => Problems.CheckAmbiguous(id.Value),
    };

    private static string Location(string id, string pipeline) =>
        $"/api/v1/checks/{Uri.EscapeDataString(id)}?pipeline_id={Uri.EscapeDataString(pipeline)}";
}
