using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using Catalog.Data;
using Catalog.Data.Organizations;

namespace Catalog.Api.Authentication;

/// <summary>
/// Caches API keys that were recently used. A revoked key is rejected at once on the replica that revoked it, and on
/// every other replica after <see cref="Lifetime"/>.
/// </summary>
internal sealed class ApiKeyCache(ApiKeyRepository keys, TimeProvider time) : IDisposable
{
    /// <summary>How long a look-up result is used.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    // For an unknown id the secret is compared with this hash, so that the answer takes as long as for a known id.
    private static readonly byte[] EmptyHash = new byte[32];

    private readonly ConcurrentDictionary<(string Organization, string Id), DateTimeOffset> _used = [];
    private readonly ExpiringCache<CachedKey[]> _cache = new(Lifetime, 50_000, async id =>
        [.. (await keys.LookUp(id, CancellationToken.None))
            .Select(key => new CachedKey(key, CallerServices.Principal(key.Id, key.OrganizationId, key.Scopes.Split(' '))))]);

    /// <summary>The principal of a key; null when the key is unknown, expired or revoked.</summary>
    public async ValueTask<ClaimsPrincipal?> Find(KeyText text, CancellationToken ct)
    {
        var found = await _cache.Get(text.Id, ct);
        var hash = text.SecretHash();
        CachedKey? match = null;
        foreach (var cached in found)
        {
            match = CryptographicOperations.FixedTimeEquals(hash, cached.Key.SecretHash) ? cached : match;
        }

        if (match is null)
        {
            CryptographicOperations.FixedTimeEquals(hash, EmptyHash);
            return null;
        }

        var now = time.Now();
        if (!match.Key.IsLive(now))
        {
            return null;
        }

        _used[(match.Key.OrganizationId, match.Key.Id)] = now;
        return match.Principal;
    }

    /// <summary>
    /// The principal of a session that was started with a key; null when the key does not exist, has expired or was
    /// revoked.
    /// </summary>
    public async ValueTask<ClaimsPrincipal?> FindById(string organization, string id, CancellationToken ct)
    {
        var found = Array.Find(await _cache.Get(id, ct), cached => cached.Key.OrganizationId == organization);
        var now = time.Now();
        if (found?.Key.IsLive(now) != true)
        {
            return null;
        }

        _used[(organization, id)] = now;
        return found.Principal;
    }

    /// <summary>Removes a changed key. The next request with this key reads the database.</summary>
    public void Forget(string id) => _cache.Forget(id);

    /// <summary>Returns the keys that were used since the last call, by organization.</summary>
    public ILookup<string, (string Id, DateTimeOffset At)> TakeUses()
    {
        List<(string Organization, string Id, DateTimeOffset At)> uses = [];
        foreach (var key in _used.Keys)
        {
            if (_used.TryRemove(key, out var at))
            {
                uses.Add((key.Organization, key.Id, at));
            }
        }

        return uses.ToLookup(use => use.Organization, use => (use.Id, use.At));
    }

    public void Dispose() => _cache.Dispose();

    private sealed record CachedKey(ApiKey Key, ClaimsPrincipal Principal);
}
