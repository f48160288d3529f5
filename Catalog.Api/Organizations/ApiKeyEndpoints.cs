using System.Text.Json;
using Catalog.Api.Authentication;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Organizations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Organizations;

internal static class ApiKeyEndpoints
{
    private static readonly string[] UnlessGiven = [Scopes.Read, Scopes.Write];

    public static void MapApiKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/organizations").WithTags("Organizations");

        keys.MapPost("/{id}/api-keys", PostFor).WithName("CreateOrganizationApiKey").Requires(Scopes.Operator).Reads<PostApiKey>().WithMetadata(new TakesIdempotencyKeyMetadata())
            .Produces<NewApiKey>(201).Refuses(404, 409).WithSummary("Make a key for an organization, such as one that has lost its own");
        keys.MapPost("/me/api-keys", Post).WithName("CreateApiKey").Requires(Scopes.Manage).Reads<PostApiKey>().WithMetadata(new TakesIdempotencyKeyMetadata())
            .Produces<NewApiKey>(201).Refuses(409).WithSummary("Make a key; the answer shows it, this once");
        keys.MapGet("/me/api-keys", List).WithName("ListApiKeys").Requires(Scopes.Manage).ReadsQuery<ApiKeyQuery>()
            .WithSummary("List keys, the newest first, those that have ended too");
        keys.MapPost("/me/api-keys/{id}/rotate", Rotate).WithName("RotateApiKey").Requires(Scopes.Manage).ReadsQuery<RotationQuery>()
            .Produces<NewApiKey>(201).Refuses(404, 409).WithSummary("Make a key in the place of another, which goes on for a while");
        keys.MapDelete("/me/api-keys/{id}", Delete).WithName("RevokeApiKey").Requires(Scopes.Manage).Produces(204).Refuses(404)
            .WithSummary("Revoke a key: at once here, within 10 seconds on every replica");
    }

    /// <summary>A key as it is stored.</summary>
    public static ApiKey Make(KeyText text, string organization, string name, IEnumerable<string> scopes, DateTimeOffset? expiresAt, Caller caller, DateTimeOffset now) => new()
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
        PathId id, Body<PostApiKey> body, IdempotencyKey once, Caller caller, ApiKeyRepository keys, KnownOrganizations organizations, TimeProvider time, CancellationToken ct) =>
        Organization.IsId(id.Value) && await organizations.PlanOf(id.Value, ct) is not null
            ? await Add(id.Value, body.Value, once, caller, keys, time, ct)
            : Problems.NotFound("organization");

    private static Task<IResult> Post(Body<PostApiKey> body, IdempotencyKey once, Caller caller, ApiKeyRepository keys, TimeProvider time, CancellationToken ct) =>
        Add(caller.Organization, body.Value, once, caller, keys, time, ct);

    private static async Task<IResult> Add(
        string organization, PostApiKey posted, IdempotencyKey once, Caller caller, ApiKeyRepository keys, TimeProvider time, CancellationToken ct)
    {
        var scopes = posted.Scopes is null ? UnlessGiven : [.. posted.Scopes.OfType<string>()];
        if ((once.Refusal ?? Beyond(scopes, caller)) is { } refusal)
        {
            return refusal;
        }

        var text = once.Header is null ? KeyText.New() : KeyText.For($"{organization}\0{once.Header}");
        var now = time.Now();
        var key = Make(text, organization, posted.Name!, scopes, posted.ExpiresInSeconds is { } seconds ? now.AddSeconds(seconds) : null, caller, now);
        var entry = caller.Did("api_key", key.Id, "created", time, JsonSerializer.Serialize(new { key.Name, Scopes = key.Scopes.Split(' ') }, ApiJson.Options));
        return await keys.Add(key, entry, ct) switch
        {
            KeyOutcome.Done => TypedResults.Created("/api/v1/organizations/me/api-keys", NewApiKey.From(text, key)),
            KeyOutcome.TooMany => Problems.TooManyKeys(ApiKeyRepository.Most),
            _ => Problems.KeyNotShownAgain(key.Id),
        };
    }

    private static async Task<Ok<ItemList<ApiKeyItem>>> List([AsParameters] ApiKeyQuery query, Caller caller, ApiKeyRepository keys, TimeProvider time, CancellationToken ct)
    {
        var page = await keys.List(caller.Organization, query.After(), query.Take(), ct);
        return TypedResults.Ok(Lists.Of(query, page, key => ApiKeyItem.From(key, time.Now())));
    }

    private static async Task<IResult> Rotate(
        PathId id, [AsParameters] RotationQuery query, Caller caller, ApiKeyRepository keys, KnownKeys known, TimeProvider time, CancellationToken ct)
    {
        if (await keys.Find(caller.Organization, id.Value, ct) is not { } old)
        {
            return Problems.NotFound("key");
        }

        if (Beyond(old.Scopes.Split(' '), caller) is { } refusal)
        {
            return refusal;
        }

        var now = time.Now();
        var text = KeyText.New();
        // One that ends gives way to one that lives as long as it was to live.
        var key = Make(text, caller.Organization, old.Name, old.Scopes.Split(' '), old.ExpiresAt is { } end ? now + (end - old.CreatedAt) : null, caller, now);
        var asked = now.AddSeconds(query.OverlapSeconds ?? 24 * 60 * 60);
        var until = old.ExpiresAt < asked ? old.ExpiresAt.Value : asked;
        var entry = caller.Did("api_key", old.Id, "rotated", time, JsonSerializer.Serialize(new { ReplacedBy = key.Id, Until = until }, ApiJson.Options));
        if (await keys.Rotate(old.Id, key, until, entry, ct) != KeyOutcome.Done)
        {
            return Problems.NotRotatable(old.Id);
        }

        known.Forget(old.Id);
        return TypedResults.Created("/api/v1/organizations/me/api-keys", NewApiKey.From(text, key));
    }

    private static async Task<IResult> Delete(PathId id, Caller caller, ApiKeyRepository keys, KnownKeys known, TimeProvider time, CancellationToken ct)
    {
        if (!await keys.Revoke(caller.Organization, id.Value, caller.Did("api_key", id.Value, "revoked", time), ct))
        {
            return Problems.NotFound("key");
        }

        known.Forget(id.Value);
        return TypedResults.NoContent();
    }

    // Who may make keys must not be able to make one that may do more than they.
    private static Problem? Beyond(IEnumerable<string> scopes, Caller caller) =>
        scopes.Except(caller.Scopes).FirstOrDefault() is { } more ? Problems.Forbidden(more) : null;
}
