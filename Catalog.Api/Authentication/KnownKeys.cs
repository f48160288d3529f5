using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using Catalog.Data;
using Catalog.Data.Organizations;

namespace Catalog.Api.Authentication;

/// <summary>
/// The keys of organizations, as the requests of the last seconds found them: a revoked one is refused everywhere after
/// <see cref="Keep"/>, and at once where it was revoked.
/// </summary>
internal sealed class KnownKeys(ApiKeyRepository keys, TimeProvider time) : IDisposable
{
    /// <summary>How long what was found holds.</summary>
    public static readonly TimeSpan Keep = TimeSpan.FromSeconds(10);

    // What an unknown id is compared with, so that it costs what a known one does.
    private static readonly byte[] Nothing = new byte[32];

    private readonly ConcurrentDictionary<(string Organization, string Id), DateTimeOffset> _used = [];
    private readonly ShortMemory<KnownKey[]> _known = new(Keep, 50_000, async id =>
        [.. (await keys.LookUp(id, CancellationToken.None)).Select(key => new KnownKey(key, Callers.Principal(key.Id, key.OrganizationId, key.Scopes.Split(' '))))]);

    /// <summary>Whose key it is, or null when it is nobody's, or has ended.</summary>
    public async ValueTask<ClaimsPrincipal?> Find(KeyText text, CancellationToken ct)
    {
        var found = await _known.Get(text.Id, ct);
        var hash = text.SecretHash();
        KnownKey? match = null;
        foreach (var known in found)
        {
            match = CryptographicOperations.FixedTimeEquals(hash, known.Key.SecretHash) ? known : match;
        }

        if (match is null)
        {
            CryptographicOperations.FixedTimeEquals(hash, Nothing);
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

    /// <summary>A key was changed here: the next request with it looks again.</summary>
    public void Forget(string id) => _known.Forget(id);

    /// <summary>Which keys were used since this was last asked, by organization.</summary>
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

    public void Dispose() => _known.Dispose();

    private sealed record KnownKey(ApiKey Key, ClaimsPrincipal Principal);
}
