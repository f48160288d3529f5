using Catalog.Api.Http;
using Catalog.Api.Organizations;
using Catalog.Data;
using Catalog.Data.Events;

namespace Catalog.Api.Dbt;

/// <summary>Receives the artifacts of dbt.</summary>
internal static class DbtEndpoints
{
    public static void MapDbt(this IEndpointRouteBuilder routes) => routes.MapGroup("/dbt").WithTags("dbt")
        .MapPost("/artifacts", Post).WithName("PostDbtArtifacts").Requires(Scopes.Write)
        .Accepts<DbtArtifactsBody>("application/json", "multipart/form-data")
        .WithMetadata(new BodyLimit(RequestLimits.BulkBody), new CountsWithoutLimit())
        .Produces<DbtUploadResult>(201).Refuses(400, 413, 415, 422)
        .WithSummary("Post the artifacts of a dbt invocation: they give its run, stages, check results and lineage");

    private static async Task<IResult> Post(HttpContext context, Caller caller, EventIngest ingest, TimeProvider time)
    {
        using var parts = new DbtParts();
        if (await parts.Read(context) is { } problem)
        {
            return problem;
        }

        var (upload, errors) = parts.Artifacts.Read(time.Now());
        if (upload is null)
        {
            return Problems.Invalid(errors!);
        }

        if (ingest.Enqueue(caller.Organization, [upload]) is not { } stored)
        {
            return Problems.IngestQueueFull();
        }

        var outcome = (await stored)[0];
        var report = upload.Report;
        return TypedResults.Json(new DbtUploadResult
        {
            Outcome = outcome switch
            {
                EventOutcome.Stored => "stored",
                EventOutcome.Duplicate => "duplicate",
                _ => "logged_only",
            },
            PipelineId = report.Jobs[0].PipelineId,
            RunId = report.Runs is [var run, ..] ? run.RunId : null,
            Stages = report.RunEvents.Sum(@event => @event.Stages.Count),
            Results = report.Results.Count,
            Datasets = report.Datasets.Count,
            Edges = report.Edges.Count,
        }, statusCode: 201);
    }
}
