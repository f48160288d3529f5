using Catalog.Api.Authentication;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Organizations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Organizations;

internal static class ApiKeyEndpoints
{
    public static void MapApiKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/organizations").WithTags("Organizations");

        keys.MapPost("/{id}/api-keys", PostFor).WithName("CreateOrganizationApiKey").Requires(Scopes.Operator).Reads<PostApiKey>()
            .WithMetadata(new AcceptsIdempotencyKeyMetadata())
            .Produces<NewApiKey>(201).Refuses(404, 409)
            .WithSummary("Create a key for an organization, for example when it has lost its own");
        keys.MapPost("/me/api-keys", Post).WithName("CreateApiKey").Requires(Scopes.Manage).Reads<PostApiKey>()
            .WithMetadata(new AcceptsIdempotencyKeyMetadata())
            .Produces<NewApiKey>(201).Refuses(409).WithSummary("Create a key; only this response contains the complete key");
        keys.MapGet("/me/api-keys", List).WithName("ListApiKeys").Requires(Scopes.Manage).ReadsQuery<ApiKeyQuery>()
            .WithSummary("List keys, newest first, including expired and revoked ones");
        keys.MapPost("/me/api-keys/{id}/rotate", Rotate).WithName("RotateApiKey").Requires(Scopes.Manage).ReadsQuery<RotationQuery>()
            .Produces<NewApiKey>(201).Refuses(404, 409).WithSummary("Replace a key with a new one; the old key stays valid for "
                + "overlap_seconds");
        keys.MapDelete("/me/api-keys/{id}", Delete).WithName("RevokeApiKey").Requires(Scopes.Manage).Produces(204).Refuses(404)
            .WithSummary("Revoke a key; within 10 seconds every replica rejects it");
    }

    private static async Task<IResult> PostFor(PathId id, Body<PostApiKey> body, IdempotencyKey idempotency, Caller caller,
        ApiKeyIssuer issuer, PlanCache organizations, CancellationToken ct) =>
        Organization.IsId(id.Value) && await organizations.PlanOf(id.Value, ct) is not null
            ? Created(await issuer.Add(id.Value, body.Value, idempotency, caller, ct))
            : Problems.OrganizationNotFound();

    private static async Task<IResult> Post(Body<PostApiKey> body, IdempotencyKey idempotency, Caller caller, ApiKeyIssuer issuer,
        CancellationToken ct) =>
        Created(await issuer.Add(caller.Organization, body.Value, idempotency, caller, ct));

    private static async Task<Ok<ItemList<ApiKeyItem>>> List([AsParameters] ApiKeyQuery query, Caller caller, ApiKeyRepository keys,
        TimeProvider time, CancellationToken ct)
    {
        var page = await keys.List(caller.Organization, query.After(), query.Take(), ct);
        return TypedResults.Ok(Lists.Of(query, page, key => ApiKeyItem.From(key, time.Now())));
    }

    private static async Task<IResult> Rotate(PathId id, [AsParameters] RotationQuery query, Caller caller, ApiKeyIssuer issuer,
        CancellationToken ct) =>
        Created(await issuer.Rotate(id.Value, query, caller, ct));

    private static async Task<IResult> Delete(PathId id, Caller caller, ApiKeyIssuer issuer, CancellationToken ct) =>
        await issuer.Revoke(id.Value, caller, ct) ? TypedResults.NoContent() : Problems.NotFound("key");

    private static IResult Created((NewApiKey? Key, Problem? Problem) outcome) =>
        outcome.Problem is { } problem ? problem : TypedResults.Created("/api/v1/organizations/me/api-keys", outcome.Key);
}
