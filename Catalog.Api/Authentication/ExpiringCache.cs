using Microsoft.Extensions.Caching.Memory;

namespace Catalog.Api.Authentication;

/// <summary>
/// A cache whose entries expire after a fixed time. Concurrent requests for one key share one load. A failed load is
/// not cached.
/// </summary>
/// <param name="lifetime">How long an entry is used.</param>
/// <param name="maxEntries">The maximum number of entries.</param>
/// <param name="load">Loads the value of a key.</param>
internal sealed class ExpiringCache<T>(TimeSpan lifetime, int maxEntries, Func<string, Task<T>> load) : IDisposable
{
    private readonly MemoryCache _entries = new(new MemoryCacheOptions { SizeLimit = maxEntries });

    public ValueTask<T> Get(string key, CancellationToken ct)
    {
        var loading = _entries.TryGetValue(key, out Task<T>? known) ? known! : Load(key);
        return loading.IsCompletedSuccessfully ? new(loading) : new(Wait(key, loading, ct));
    }

    /// <summary>Removes an entry: the next request loads it again.</summary>
    public void Forget(string key) => _entries.Remove(key);

    public void Dispose() => _entries.Dispose();

    private Task<T> Load(string key)
    {
        lock (_entries)
        {
            if (_entries.TryGetValue(key, out Task<T>? other))
            {
                return other!;
            }

            var loading = load(key);
            return _entries.Set(key, loading, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = lifetime, Size = 1 });
        }
    }

    private async Task<T> Wait(string key, Task<T> loading, CancellationToken ct)
    {
        try
        {
            return await loading.WaitAsync(ct);
        }
        catch when (loading.IsFaulted)
        {
            Forget(key);
            throw;
        }
    }
}
