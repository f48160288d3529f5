using System.Text.Json;
using Catalog.Api.Authentication;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Organizations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Organizations;

internal static class ApiKeyEndpoints
{
    private static readonly string[] DefaultScopes = [Scopes.Read, Scopes.Write];

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
            .Produces<NewApiKey>(201).Refuses(404, 409).WithSummary("Replace a key with a new one; the old key stays valid for a while");
        keys.MapDelete("/me/api-keys/{id}", Delete).WithName("RevokeApiKey").Requires(Scopes.Manage).Produces(204).Refuses(404)
            .WithSummary("Revoke a key; within 10 seconds every replica rejects it");
    }

    /// <summary>Creates the row of a new key.</summary>
    public static ApiKey NewKey(KeyText text, string organization, string name, IEnumerable<string> scopes, DateTimeOffset? expiresAt,
        Caller caller, DateTimeOffset now) => new()
        {
            Id = text.Id,
            OrganizationId = organization,
            Name = name,
            SecretHash = text.SecretHash(),
            Scopes = string.Join(' ', Scopes.All.Intersect(scopes)),
            CreatedAt = now,
            CreatedBy = caller.Actor,
            ExpiresAt = expiresAt,
        };

    private static async Task<IResult> PostFor(
        PathId id, Body<PostApiKey> body, IdempotencyKey idempotency, Caller caller, ApiKeyRepository keys, PlanCache organizations,
        TimeProvider time, CancellationToken ct) =>
        Organization.IsId(id.Value) && await organizations.PlanOf(id.Value, ct) is not null
            ? await Add(id.Value, body.Value, idempotency, caller, keys, time, ct)
            : Problems.OrganizationNotFound();

    private static Task<IResult> Post(Body<PostApiKey> body, IdempotencyKey idempotency, Caller caller, ApiKeyRepository keys,
        TimeProvider time, CancellationToken ct) =>
        Add(caller.Organization, body.Value, idempotency, caller, keys, time, ct);

    private static async Task<IResult> Add(
        string organization, PostApiKey posted, IdempotencyKey idempotency, Caller caller, ApiKeyRepository keys, TimeProvider time,
        CancellationToken ct)
    {
        var scopes = posted.Scopes is null ? DefaultScopes : [.. posted.Scopes.OfType<string>()];
        if ((idempotency.Refusal ?? CheckScopes(scopes, caller)) is { } refusal)
        {
            return refusal;
        }

        var text = idempotency.Header is null ? KeyText.New() : KeyText.For($"{organization}\0{idempotency.Header}");
        var now = time.Now();
        var key = NewKey(text, organization, posted.Name!, scopes, posted.ExpiresInSeconds is { } seconds
            ? now.AddSeconds(seconds) : null, caller, now);
        var entry = caller.NewAuditEntry("api_key", key.Id, "created", time,
            JsonSerializer.Serialize(new { key.Name, Scopes = key.Scopes.Split(' ') }, ApiJson.Options));
        return await keys.Add(key, entry, ct) switch
        {
            KeyOutcome.Done => TypedResults.Created("/api/v1/organizations/me/api-keys", NewApiKey.From(text, key)),
            KeyOutcome.TooMany => Problems.TooManyKeys(ApiKeyRepository.MaxLiveKeys),
            _ => Problems.KeyAlreadyShown(key.Id),
        };
    }

    private static async Task<Ok<ItemList<ApiKeyItem>>> List([AsParameters] ApiKeyQuery query, Caller caller, ApiKeyRepository keys,
        TimeProvider time, CancellationToken ct)
    {
        var page = await keys.List(caller.Organization, query.After(), query.Take(), ct);
        return TypedResults.Ok(Lists.Of(query, page, key => ApiKeyItem.From(key, time.Now())));
    }

    private static async Task<IResult> Rotate(
        PathId id, [AsParameters] RotationQuery query, Caller caller, ApiKeyRepository keys, ApiKeyCache known, TimeProvider time,
        CancellationToken ct)
    {
        if (await keys.Find(caller.Organization, id.Value, ct) is not { } old)
        {
            return Problems.NotFound("key");
        }

        if (CheckScopes(old.Scopes.Split(' '), caller) is { } refusal)
        {
            return refusal;
        }

        var now = time.Now();
        var text = KeyText.New();
        // The new key gets the same lifetime as the old one had.
        var key = NewKey(text, caller.Organization, old.Name, old.Scopes.Split(' '), old.ExpiresAt is { } end
            ? now + (end - old.CreatedAt) : null, caller, now);
        var overlapEnd = now.AddSeconds(query.OverlapSeconds ?? 24 * 60 * 60);
        var until = old.ExpiresAt < overlapEnd ? old.ExpiresAt.Value : overlapEnd;
        var entry = caller.NewAuditEntry(
            "api_key", old.Id, "rotated", time, JsonSerializer.Serialize(new { ReplacedBy = key.Id, Until = until }, ApiJson.Options));
        if (await keys.Rotate(old.Id, key, until, entry, ct) != KeyOutcome.Done)
        {
            return Problems.NotRotatable(old.Id);
        }

        known.Forget(old.Id);
        return TypedResults.Created("/api/v1/organizations/me/api-keys", NewApiKey.From(text, key));
    }

    private static async Task<IResult> Delete(PathId id, Caller caller, ApiKeyRepository keys, ApiKeyCache known, TimeProvider time,
        CancellationToken ct)
    {
        if (!await keys.Revoke(caller.Organization, id.Value, caller.NewAuditEntry("api_key", id.Value, "revoked", time), ct))
        {
            return Problems.NotFound("key");
        }

        known.Forget(id.Value);
        return TypedResults.NoContent();
    }

    // A caller must not create a key with scopes that the caller lacks.
    private static Problem? CheckScopes(IEnumerable<string> scopes, Caller caller) =>
        scopes.Except(caller.Scopes).FirstOrDefault() is { } missing ? Problems.Forbidden(missing) : null;
}
