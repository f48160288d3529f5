using Catalog.Api.Http;
using Catalog.Data.Runs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Runs;

internal static class RunEndpoints
{
    public static void MapRuns(this IEndpointRouteBuilder routes)
    {
        var runs = routes.MapGroup("/runs").WithTags("Runs");

        runs.MapPost("/", Post).WithName("PostRun").Requires(Scopes.Write).Reads<PostRun>().Refuses(404, 409)
            .WithMetadata(new AcceptsIdempotencyKeyMetadata())
            .Produces<RunItem>(201).Produces<RunItem>(200)
            .WithSummary("Post an event of a run: 201 for the first event, 200 for each further one");
        runs.MapGet("/", List).WithName("ListRuns").Requires(Scopes.Read).ReadsQuery<RunQuery>().WithSummary("List runs, newest first");
        runs.MapGet("/{id}", Get).WithName("GetRun").Requires(Scopes.Read).HasETag().Produces<RunItem>().Refuses(404)
            .WithSummary("Read a run");
        runs.MapPatch("/{id}", Patch).WithName("PatchRun").Requires(Scopes.Write).Reads<PatchRun>().AcceptsIfMatch().Produces<RunItem>()
            .Refuses(404, 409)
            .WithSummary("Add an event to an existing run");
        runs.MapGet("/{id}/events", Events).WithName("ListRunEvents").Requires(Scopes.Read).ReadsQuery<RunEventQuery>()
            .Produces<ItemList<RunEventItem>>().Refuses(404).WithSummary("List the events of a run as received, newest first");
        runs.MapPut("/{id}/stages/{stage_name}", PutStage).WithName("PutRunStage").Requires(Scopes.Write).Reads<PutStage>().AcceptsIfMatch()
            .Produces<RunItem>().Refuses(404).WithSummary("Report on a stage of an existing run");
    }

    private static async Task<IResult> Post(
        Body<PostRun> body, IdempotencyKey key, Caller caller, RunIngest ingest)
    {
        if (key.Refusal is { } refusal)
        {
            return refusal;
        }

        var derived = body.Value.Id is null ? key.IdOf(caller, "/runs", 0) : null;
        var id = body.Value.Id ?? derived ?? Guid.CreateVersion7().ToString();
        return await Record(body.Value.ToEvent(id, body.Root, body.Json) with { IdIsDerived = derived is not null }, caller, ingest);
    }

    private static async Task<Ok<ItemList<RunItem>>> List([AsParameters] RunQuery query, Caller caller, RunRepository runs,
        CancellationToken ct) =>
        TypedResults.Ok(
            Lists.Of(query, await runs.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct), RunItem.From,
                await query.Counted(() => runs.Count(caller.Organization, query.ToFilter(), ct))));

    private static async Task<IResult> Get(PathId id, Caller caller, RunRepository runs, CancellationToken ct) =>
        await runs.Find(caller.Organization, id.Value, ct) is { } run ? TypedResults.Ok(RunItem.From(run)) : Problems.NotFound("run");

    private static async Task<IResult> Patch(
        PathId id, Body<PatchRun> body, IfMatch match, Caller caller, RunIngest ingest, RunRepository runs, CancellationToken ct)
    {
        if (body.Value.Id is { } named && named != id.Value)
        {
            return Problems.Invalid("/id", "must be the id of the path, or be left out.");
        }

        if (match.Given && await runs.Find(caller.Organization, id.Value, ct) is { } current
            && match.Check(() => RunItem.From(current)) is { } refusal)
        {
            return refusal;
        }

        return await Record(body.Value.ToEvent(id.Value, body.Root, body.Json) with { RunMustExist = true }, caller, ingest);
    }

    private static async Task<IResult> Events(PathId id, [AsParameters] RunEventQuery query, Caller caller, RunEventRepository events,
        CancellationToken ct) =>
        await events.List(caller.Organization, id.Value, query.After(), query.Take(), ct) is { } page
            ? TypedResults.Ok(Lists.Of(query, page, RunEventItem.From))
            : Problems.NotFound("run");

    // A report on a stage is stored as an event of its run.
    private static async Task<IResult> PutStage(
        PathId id, PathId stage_name, Body<PutStage> body, IfMatch match, Caller caller, RunIngest ingest, RunRepository runs,
        TimeProvider time, CancellationToken ct)
    {
        if (new PostedStageValidator(time).Errors(new PostedStage { StageName = stage_name.Value, Status = "pending" }) is { } errors)
        {
            return Problems.Invalid(errors);
        }

        if (match.Given && await runs.Find(caller.Organization, id.Value, ct) is { } current
            && match.Check(() => RunItem.From(current)) is { } refusal)
        {
            return refusal;
        }

        return await Record(StageEvent.Of(id.Value, stage_name.Value, body.Value, body.Root), caller, ingest);
    }

    private static async Task<IResult> Record(RunEvent @event, Caller caller, RunIngest ingest)
    {
        if (ingest.Enqueue(caller.Organization, @event) is not { } stored)
        {
            return Problems.IngestQueueFull();
        }

        var receipt = (await stored)[0];
        return receipt switch
        {
            { Outcome: RunOutcome.Created, Run: { } run } when !@event.RunMustExist =>
                TypedResults.Created($"/api/v1/runs/{Uri.EscapeDataString(@event.RunId)}", RunItem.From(run)),
            { Run: { } run } => TypedResults.Ok(RunItem.From(run)),
            { Outcome: RunOutcome.PipelineUnknown } => Problems.PipelineUnknown(@event.PipelineId!),
            { Outcome: RunOutcome.KeyReused } => Problems.IdempotencyKeyReused(),
            { Outcome: RunOutcome.RunIdTaken } => Problems.RunIdTaken(@event.RunId),
            _ => Problems.NotFound("run"),
        };
    }
}
