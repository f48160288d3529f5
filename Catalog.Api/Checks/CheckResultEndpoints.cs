using Catalog.Api.Http;
using Catalog.Api.OpenApi;
using Catalog.Data;
using Catalog.Data.Checks;
using FluentValidation;

namespace Catalog.Api.Checks;

internal static class CheckResultEndpoints
{
    public static void MapCheckResults(this IEndpointRouteBuilder routes)
    {
        var results = routes.MapGroup("/checks/results").WithTags("Checks");

        results.MapPost("/", Post).WithName("PostCheckResults").Requires(Scopes.Write)
            .Accepts<PostCheckResult>("application/json")
            .WithMetadata(new BodyLimit(RequestLimits.BulkBody), new AcceptsIdempotencyKeyMetadata(),
                new BulkMetadata(typeof(ResultReceipts), "results"))
            .Produces<ResultReceipt>(201).Produces<ResultReceipt>(200).Produces<ResultReceipts>(207)
            .Refuses(400, 404, 409, 413, 415, 422)
            .WithSummary("Post one result, an array of results, or {\"results\": […]} with at most 1,000 of them");
        results.MapGet("/", List).WithName("ListCheckResults").Requires(Scopes.Read).ReadsQuery<CheckResultQuery>()
            .Produces<ItemList<CheckResultItem>>()
            .WithSummary("List results, latest execution first");
        // Without this line, the router takes "results" as the id of a check for all other methods.
        results.MapOtherMethods("/", HttpMethods.Get, HttpMethods.Post);
        results.MapGet("/{id}", Get).WithName("GetCheckResult").Requires(Scopes.Read).HasETag().Produces<CheckResultItem>().Refuses(404)
            .WithSummary("Read a result");
    }

    private static async Task<IResult> Post(
        HttpContext context, IdempotencyKey key, Caller caller, ResultIngest ingest, IValidator<PostCheckResult> validator,
        TimeProvider time)
    {
        var (bytes, json, problem) = await RequestBody.ReadDocument(context);
        using var _ = json;
        if (key.Refusal is { } refusal)
        {
            return refusal;
        }

        var options = new PostedResults.ReadOptions(place => key.IdOf(caller, "/checks/results", place), validator, time.Now());
        var posted = json is null ? PostedResults.ReadItems(bytes, options) : PostedResults.Read(json.RootElement, options);
        if (posted is null || posted.Problem is not null)
        {
            return posted?.Problem ?? problem!;
        }

        if (posted.Accepted.Count == 0)
        {
            return BulkAnswer(posted, []);
        }

        if (ingest.Enqueue(caller.Organization, posted.Accepted, bytes.Length) is not { } stored)
        {
            return Problems.IngestQueueFull();
        }

        var outcomes = await stored;
        if (outcomes.Contains(ResultOutcome.KeyReused))
        {
            return Problems.IdempotencyKeyReused();
        }

        return posted.IsSingle ? SingleAnswer(posted.Accepted[0], outcomes[0]) : BulkAnswer(posted, outcomes);
    }

    private static async Task<IResult> List([AsParameters] CheckResultQuery query, Caller caller, CheckResultRepository results,
        CancellationToken ct)
    {
        var page = await results.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct);
        var count = await query.Counted(() => results.Count(caller.Organization, query.ToFilter(), ct));
        return new CheckResultPage(page, page.Next?.ToText(query.List), count);
    }

    private static async Task<IResult> Get(PathId id, Caller caller, CheckResultRepository results, CancellationToken ct) =>
        await results.Find(caller.Organization, id.Value, ct) is { } result
            ? TypedResults.Ok(CheckResultItem.From(result)) : Problems.NotFound("check result");

    private static IResult SingleAnswer(CheckResult result, ResultOutcome outcome) => outcome switch
    {
        ResultOutcome.Stored =>
            RawJsonResult.Of(new ResultReceipt { Id = result.Id, Outcome = "stored" }, 201,
                $"/api/v1/checks/results/{Uri.EscapeDataString(result.Id)}"),
        ResultOutcome.Duplicate => RawJsonResult.Of(new ResultReceipt { Id = result.Id, Outcome = "duplicate" }),
        _ => Refusal(result, outcome),
    };

    private static IResult BulkAnswer(PostedResults posted, ResultOutcome[] outcomes)
    {
        var receipts = new ItemReceipt[posted.Count];
        foreach (var rejected in posted.Rejected)
        {
            receipts[rejected.Index] = rejected;
        }

        for (var i = 0; i < outcomes.Length; i++)
        {
            var (result, index) = (posted.Accepted[i], posted.Indexes[i]);
            receipts[index] = outcomes[i] switch
            {
                ResultOutcome.Stored => new() { Index = index, Id = result.Id, Outcome = "stored" },
                ResultOutcome.Duplicate => new() { Index = index, Id = result.Id, Outcome = "duplicate" },
                _ => PostedResults.Rejection(index, result.Id, Refusal(result, outcomes[i])),
            };
        }

        var anyRejected = receipts.Any(receipt => receipt.Outcome == "rejected");
        return TypedResults.Json(new ResultReceipts { Items = receipts }, statusCode: anyRejected ? 207 : 201);
    }

    private static Problem Refusal(CheckResult result, ResultOutcome outcome) => outcome switch
    {
        ResultOutcome.PipelineUnknown => Problems.PipelineUnknown(result.PipelineId),
        ResultOutcome.RunIdTaken => Problems.RunIdTaken(result.RunId!),
        _ => Problems.IdTaken("result", result.Id),
    };
}
