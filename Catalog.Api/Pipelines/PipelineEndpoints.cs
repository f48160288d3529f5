using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Api.OpenApi;
using Catalog.Data;
using Catalog.Data.Pipelines;
using FluentValidation;

namespace Catalog.Api.Pipelines;

internal static class PipelineEndpoints
{
    public static void MapPipelines(this IEndpointRouteBuilder routes)
    {
        var pipelines = routes.MapGroup("/pipelines").WithTags("Pipelines");

        pipelines.MapPost("/", Post).WithName("RegisterPipeline").Requires(Scopes.Write)
            .Accepts<PipelineSpec>("application/json")
            .WithMetadata(new BodyLimit(RequestLimits.BulkBody), new BulkMetadata(typeof(Registrations), null))
            .Produces<PipelineSpec>(201).Produces<PipelineSpec>(200)
            .Refuses(400, 403, 409, 413, 415, 422)
            .WithSummary("Register a pipeline, or an array of at most 1,000 pipelines: all or none");
        pipelines.MapGet("/", List).WithName("ListPipelines").Requires(Scopes.Read).ReadsQuery<PipelineQuery>()
            .Produces<ItemList<PipelineItem>>().WithSummary("List pipelines, newest first, or export them all");
        pipelines.MapGet("/{id}", Get).WithName("GetPipeline").Requires(Scopes.Read).HasETag().Produces<PipelineDetail>().Refuses(404)
            .WithSummary("Read a pipeline: its version, the fields of its body, its latest run and open failures");
        pipelines.MapGet("/{id}/versions", Versions).WithName("ListPipelineVersions").Requires(Scopes.Read)
            .ReadsQuery<PipelineVersionQuery>()
            .Produces<ItemList<PipelineVersionItem>>().Refuses(404).WithSummary("List the versions of a pipeline, newest first");
        pipelines.MapDelete("/{id}", Delete).WithName("DeletePipeline").Requires(Scopes.Manage).AcceptsIfMatch().Produces(204).Refuses(404)
            .WithSummary("Hide a pipeline and end its lineage; its history remains until retention removes it");
    }

    private static async Task<IResult> Post(
        HttpContext context, Caller caller, PipelineRegistration registration, IValidator<PipelineSpec> validator,
        PipelineCheckValidator checks,
        TimeProvider time, CancellationToken ct)
    {
        var (bytes, problem) = await RequestBody.Read(context, acceptsArray: true);
        if (problem is not null)
        {
            return problem;
        }

        if (JsonParser.HasDuplicateMember(bytes))
        {
            return Problems.Malformed("An object in the body has two members with the same name. Send each name once.");
        }

        using var json = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = ApiJson.MaxDepth + 1 });
        var (pipelines, refusal) = PostedPipelines.Read(json.RootElement, validator, checks);
        if (refusal is not null)
        {
            return refusal;
        }

        // A scheduled check executes SQL of the caller on a warehouse, so it needs the same scope as an execution.
        if (!caller.Scopes.Contains(Scopes.Execute)
            && pipelines.Any(pipeline => pipeline.Checks.Any(check => check.IsScheduled(time.Now()))))
        {
            return Problems.Forbidden(Scopes.Execute);
        }

        var (outcomes, ceiling) = await registration.Register(caller.Organization, pipelines, ct);
        if (Array.IndexOf(outcomes, RegistrationOutcome.VersionTaken) is >= 0 and var taken)
        {
            return Problems.VersionTaken(pipelines[taken].Id, pipelines[taken].Version);
        }

        if (ceiling is not null)
        {
            return Problems.PlanLimitReached(ceiling);
        }

        return json.RootElement.ValueKind == JsonValueKind.Array ? Many(pipelines, outcomes) : One(context, pipelines[0], outcomes[0]);
    }

    private static async Task<IResult> List([AsParameters] PipelineQuery query, Caller caller, PipelineRepository pipelines,
        CancellationToken ct) =>
        query.Format is null
            ? TypedResults.Ok(Lists.Of(query, await pipelines.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct),
                PipelineItem.From, await query.Counted(() => pipelines.Count(caller.Organization, query.ToFilter(), ct))))
            : TypedResults.Ok((await pipelines.Export(caller.Organization, ct)).Select(body => new RawJson(body)));

    private static async Task<IResult> Get(PathId id, Caller caller, PipelineRepository pipelines, CancellationToken ct) =>
        await Find(id, caller, pipelines, ct) is { } answer ? new RawJsonResult(answer) : Problems.NotFound("pipeline");

    private static async Task<ReadOnlyMemory<byte>?> Find(PathId id, Caller caller, PipelineRepository pipelines, CancellationToken ct) =>
        await pipelines.Find(caller.Organization, id.Value, ct) is { } version
            && (await pipelines.List(caller.Organization, new() { Id = id.Value }, null, 1, ct)).Items is [var item]
            ? PipelineBodies.WithItem(version, PipelineItem.From(item))
            // The cast is needed: a plain null would convert to an empty ReadOnlyMemory.
            : (ReadOnlyMemory<byte>?)null;

    private static async Task<IResult> Versions(PathId id, [AsParameters] PipelineVersionQuery query, Caller caller,
        PipelineRepository pipelines, CancellationToken ct)
    {
        var page = await pipelines.Versions(caller.Organization, id.Value, query.After(), query.Take(), ct);
        // Every pipeline has a version, so an empty first page means that the pipeline does not exist. An empty page
        // after a cursor is the end of the list.
        return page.Items.Count == 0 && query.Cursor is null
            ? Problems.NotFound("pipeline") : TypedResults.Ok(Lists.Of(query, page, PipelineVersionItem.From));
    }

    private static async Task<IResult> Delete(PathId id, IfMatch match, Caller caller, PipelineRepository pipelines, TimeProvider time,
        CancellationToken ct)
    {
        if (match.Given && await Find(id, caller, pipelines, ct) is { } current && match.Check(current.Span) is { } refusal)
        {
            return refusal;
        }

        return await pipelines.Delete(caller.Organization, id.Value, caller.NewAuditEntry("pipeline", id.Value, "deleted", time), ct)
            ? TypedResults.NoContent() : Problems.NotFound("pipeline");
    }

    private static IResult One(HttpContext context, NewPipeline pipeline, RegistrationOutcome outcome)
    {
        var created = outcome == RegistrationOutcome.Created;
        if (created)
        {
            context.Response.Headers.Location = $"/api/v1/pipelines/{Uri.EscapeDataString(pipeline.Id)}";
        }

        return new RawJsonResult(
            PipelineBodies.WithVersion(new() { Version = pipeline.Version, Body = pipeline.Body, CreatedAt = default, Current = true }),
            created ? 201 : 200);
    }

    private static IResult Many(IReadOnlyList<NewPipeline> pipelines, RegistrationOutcome[] outcomes) => TypedResults.Json(
        new Registrations
        {
            Items =
            [
                .. pipelines.Zip(outcomes, (pipeline, outcome) => new RegistrationReceipt
                {
                    Id = pipeline.Id, Version = pipeline.Version, Outcome = outcome.ToString().ToLowerInvariant(),
                }),
            ],
        },
        statusCode: outcomes.Contains(RegistrationOutcome.Created) ? 201 : 200);
}
