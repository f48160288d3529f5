using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Api.Organizations;
using Catalog.Data;
using Catalog.Data.Events;
using Catalog.Data.Lineage;
using Catalog.Data.OpenLineage;

namespace Catalog.Api.OpenLineage;

/// <summary>
/// Receives OpenLineage events from clients that know nothing of the Catalog. The answers suit the HTTP libraries of
/// these clients: no redirect, a 201 without a body, and a Retry-After of 1 second under overload.
/// </summary>
internal static class OpenLineageEndpoints
{
    public static void MapOpenLineage(this IEndpointRouteBuilder routes)
    {
        var lineage = routes.MapGroup("/lineage").WithTags("OpenLineage");
        lineage.MapPost("/", Post).WithName("PostLineageEvent").Requires(Scopes.Write).Accepts<OpenLineageEventBody>("application/json")
            .WithMetadata(new BodyLimit(RequestLimits.BulkBody), new AcceptsAnyQuery(), new CountsWithoutLimit())
            .Produces(201).Refuses(400, 413, 415, 422)
            .WithSummary("Post an OpenLineage event: RunEvent, JobEvent or DatasetEvent");
        lineage.MapPost("/batch", PostBatch).WithName("PostLineageBatch").Requires(Scopes.Write)
            .Accepts<IReadOnlyList<OpenLineageEventBody>>("application/json")
            .WithMetadata(new BodyLimit(RequestLimits.BulkBody), new AcceptsAnyQuery(), new CountsWithoutLimit())
            .Produces<OpenLineageBatchResult>().Refuses(400, 413, 415, 422)
            .WithSummary("Post an array of at most 1,000 OpenLineage events");
        lineage.MapGet("/facets", ListUnread).WithName("ListUnreadFacets").Requires(Scopes.Read).Produces<UnreadFacetList>()
            .WithSummary("List the parts of stored events that the Catalog could not read");
        // Without this, the router takes a GET of "batch" as the id of a dataset.
        lineage.MapOtherMethods("/batch", HttpMethods.Post);
    }

    private static async Task<IResult> Post(HttpContext context, Caller caller, EventIngest ingest, TimeProvider time)
    {
        var (_, json, problem) = await RequestBody.ReadDocument(context);
        using var _ = json;
        if (json is null)
        {
            return problem!;
        }

        var (@event, errors) = OpenLineageEvent.Read(json.RootElement, time.Now());
        if (@event is null)
        {
            return Problems.Invalid(errors!);
        }

        if (ingest.Enqueue(caller.Organization, [@event]) is not { } stored)
        {
            return Problems.IngestQueueFull();
        }

        await stored;
        return TypedResults.StatusCode(201);
    }

    private static async Task<IResult> PostBatch(HttpContext context, Caller caller, EventIngest ingest, TimeProvider time)
    {
        var (_, json, problem) = await RequestBody.ReadDocument(context);
        using var _ = json;
        if (json is null)
        {
            return problem!;
        }

        if (json.RootElement.ValueKind != JsonValueKind.Array)
        {
            return Problems.Invalid("", "must be an array of OpenLineage events. Post a single event to /api/v1/lineage.");
        }

        if (json.RootElement.GetArrayLength() > RequestLimits.BulkItems)
        {
            return Problems.TooLarge($"A batch has at most {RequestLimits.BulkItems} events. Split the request.");
        }

        var now = time.Now();
        List<LoggedEvent> accepted = [];
        List<OpenLineageFailedEvent> failed = [];
        foreach (var (index, item) in json.RootElement.EnumerateArray().Index())
        {
            var (@event, errors) = OpenLineageEvent.Read(item, now);
            if (@event is not null)
            {
                accepted.Add(@event);
            }
            else
            {
                var (pointer, messages) = errors!.First();
                failed.Add(new() { Index = index, Reason = $"{pointer} {messages[0]}".TrimStart(), Retriable = false });
            }
        }

        if (accepted.Count > 0)
        {
            if (ingest.Enqueue(caller.Organization, accepted) is not { } stored)
            {
                return Problems.IngestQueueFull();
            }

            await stored;
        }

        return TypedResults.Ok(new OpenLineageBatchResult
        {
            Status = failed.Count == 0 ? "success" : "partial_success",
            Summary = new()
            {
                Received = accepted.Count + failed.Count,
                Successful = accepted.Count,
                Failed = failed.Count,
                Retriable = 0,
                NonRetriable = failed.Count,
            },
            FailedEvents = failed,
        });
    }

    private static async Task<IResult> ListUnread(Caller caller, UnreadFacetRepository unread, CancellationToken ct) =>
        TypedResults.Ok(new UnreadFacetList
        {
            Items = (await unread.List(caller.Organization, ct)).ConvertAll(UnreadFacetItem.From),
        });
}
