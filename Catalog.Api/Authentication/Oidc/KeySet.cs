using System.Text.Json;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>The provider's keys as they were read at one time.</summary>
internal sealed class KeySet(IReadOnlyList<SigningKey> keys, long readAt)
{
    /// <summary>A timestamp of the service's clock.</summary>
    public long ReadAt { get; } = readAt;

    public int Count => keys.Count;

    /// <summary>Keys that must not be used are left out; other keys of the set hold nevertheless.</summary>
    public static KeySet Read(JsonElement.ArrayEnumerator keys, long readAt) => new([.. keys.Select(SigningKey.Read).OfType<SigningKey>()], readAt);

    public bool Knows(string? id) => keys.Any(key => key.Id == id);

    /// <summary>A token that names no key is judged by the only one that fits: trying several would let a sender multiply the work.</summary>
    public SigningKey? Find(string? id, string algorithm)
    {
        var fitting = keys.Where(key => key.Fits(algorithm) && (id is null || key.Id == id)).Take(2).ToList();
        return fitting.Count == 1 || id is not null ? fitting.FirstOrDefault() : null;
    }
}
