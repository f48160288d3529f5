using System.Text.Json;
using Catalog.Api.Authentication;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>
/// Creates, rotates and revokes API keys. A caller can only create keys with scopes that the caller has.
/// </summary>
internal sealed class ApiKeyIssuer(ApiKeyRepository keys, ApiKeyCache known, TimeProvider time)
{
    /// <summary>The scopes of a new key when the request names no scopes.</summary>
    public static readonly IReadOnlyList<string> DefaultScopes = [Scopes.Read, Scopes.Write];

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

    /// <summary>Creates a key.</summary>
    /// <returns>The key with its secret, which is not shown again; or the problem to answer with.</returns>
    public async Task<(NewApiKey? Key, Problem? Problem)> Add(
        string organization, PostApiKey posted, IdempotencyKey idempotency, Caller caller, CancellationToken ct)
    {
        IReadOnlyList<string> scopes = posted.Scopes is null ? DefaultScopes : [.. posted.Scopes.OfType<string>()];
        if ((idempotency.Refusal ?? CheckScopes(scopes, caller)) is { } refusal)
        {
            return (null, refusal);
        }

        var text = idempotency.Header is null ? KeyText.New() : KeyText.For($"{organization}\0{idempotency.Header}");
        var now = time.Now();
        var key = NewKey(text, organization, posted.Name!, scopes, posted.ExpiresInSeconds is { } seconds
            ? now.AddSeconds(seconds) : null, caller, now);
        var entry = caller.NewAuditEntry("api_key", key.Id, "created", time,
            JsonSerializer.Serialize(new { key.Name, Scopes = key.Scopes.Split(' ') }, ApiJson.Options));
        return await keys.Add(key, entry, ct) switch
        {
            KeyOutcome.Done => (NewApiKey.From(text, key), null),
            KeyOutcome.TooMany => (null, Problems.TooManyKeys(ApiKeyRepository.MaxLiveKeys)),
            _ => (null, Problems.KeyAlreadyShown(key.Id)),
        };
    }

    /// <summary>Replaces a key by a new one with the same name, scopes and lifetime.</summary>
    /// <returns>The new key with its secret, which is not shown again; or the problem to answer with.</returns>
    public async Task<(NewApiKey? Key, Problem? Problem)> Rotate(string id, RotationQuery rotation, Caller caller, CancellationToken ct)
    {
        if (await keys.Find(caller.Organization, id, ct) is not { } old)
        {
            return (null, Problems.NotFound("key"));
        }

        if (CheckScopes(old.Scopes.Split(' '), caller) is { } refusal)
        {
            return (null, refusal);
        }

        var now = time.Now();
        var text = KeyText.New();
        // The new key gets the same lifetime as the old one had.
        var key = NewKey(text, caller.Organization, old.Name, old.Scopes.Split(' '), old.ExpiresAt is { } end
            ? now + (end - old.CreatedAt) : null, caller, now);
        var overlapEnd = now.AddSeconds(rotation.OverlapSeconds ?? 24 * 60 * 60);
        var until = old.ExpiresAt < overlapEnd ? old.ExpiresAt.Value : overlapEnd;
        var entry = caller.NewAuditEntry(
            "api_key", old.Id, "rotated", time, JsonSerializer.Serialize(new { ReplacedBy = key.Id, Until = until }, ApiJson.Options));
        if (await keys.Rotate(old.Id, key, until, entry, ct) != KeyOutcome.Done)
        {
            return (null, Problems.NotRotatable(old.Id));
        }

        known.Forget(old.Id);
        return (NewApiKey.From(text, key), null);
    }

    /// <summary>Revokes a key.</summary>
    /// <returns>Whether a live key had this id.</returns>
    public async Task<bool> Revoke(string id, Caller caller, CancellationToken ct)
    {
        var revoked = await keys.Revoke(caller.Organization, id, caller.NewAuditEntry("api_key", id, "revoked", time), ct);
        if (revoked)
        {
            known.Forget(id);
        }

        return revoked;
    }

    private static Problem? CheckScopes(IEnumerable<string> scopes, Caller caller) =>
        scopes.Except(caller.Scopes).FirstOrDefault() is { } missing ? Problems.Forbidden(missing) : null;
}
