using System.Collections.Concurrent;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>
/// The number of requests that each organization has left, as this replica knows it: one token bucket per organization.
/// <see cref="RateMerging"/> adds, once a second, the requests that the other replicas have accepted.
/// </summary>
internal sealed class RequestRates(RequestRateRepository repository, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);

    /// <summary>Takes one request of an organization from its bucket, if one is left.</summary>
    public async ValueTask<Allowance> Take(string organization, int perMinute, CancellationToken ct)
    {
        var bucket = Of(organization);
        if (!bucket.IsLoaded)
        {
            // Read the shared state first: otherwise a new replica would start with the allowance of a full minute.
            await bucket.Load(() => repository.Merge(organization, perMinute, 0, time.Now(), CancellationToken.None), perMinute, time)
                .WaitAsync(ct);
        }

        return bucket.Take(perMinute, time.GetTimestamp(), time);
    }

    /// <summary>The number of remaining requests, without taking one.</summary>
    public int Remaining(string organization, int perMinute) => Of(organization).Remaining(perMinute, time.GetTimestamp(), time);

    /// <summary>
    /// Returns the buckets with accepted requests since the last merge, and removes buckets that are idle.
    /// </summary>
    public IEnumerable<(string Organization, Bucket Bucket)> ToMerge()
    {
        foreach (var (organization, bucket) in _buckets)
        {
            if (bucket.HasUses)
            {
                yield return (organization, bucket);
            }
            else if (bucket.IsIdle(time.GetTimestamp(), time))
            {
                _buckets.TryRemove(organization, out _);
            }
        }
    }

    private Bucket Of(string organization) => _buckets.GetOrAdd(organization, _ => new Bucket());
}

/// <summary>Whether a request was accepted, and how many remain.</summary>
/// <param name="Allowed">Whether the request was accepted.</param>
/// <param name="Remaining">The number of requests that can be sent now.</param>
/// <param name="SecondsUntilNext">Seconds until the next request is accepted; 0 when one is accepted now.</param>
/// <param name="SecondsUntilFull">Seconds until the bucket is full again.</param>
internal readonly record struct Allowance(bool Allowed, int Remaining, int SecondsUntilNext, int SecondsUntilFull);

/// <summary>The token bucket of one organization.</summary>
internal sealed class Bucket
{
    private readonly Lock _lock = new();
    private double _tokens = double.MaxValue;
    private int _perMinute;
    private long _at;
    private long _uses;
    private Task? _loading;

    /// <summary>Whether the shared state was read.</summary>
    public bool IsLoaded => _loading is { IsCompleted: true };

    /// <summary>
    /// Reads the shared state. Concurrent callers share one read. If it cannot be read, the bucket starts full.
    /// </summary>
    public Task Load(Func<Task<double>> readTokens, int perMinute, TimeProvider time)
    {
        lock (_lock)
        {
            return _loading ??= LoadTokens();
        }

        async Task LoadTokens()
        {
            await Task.Yield();
            try
            {
                var left = await readTokens();
                lock (_lock)
                {
                    (_perMinute, _tokens, _at) = (perMinute, left, time.GetTimestamp());
                }
            }
            catch (DatabaseUnavailableException)
            {
                // The request itself gets the same error when it uses the database.
            }
        }
    }

    /// <summary>Whether requests were accepted since the last merge.</summary>
    public bool HasUses => Interlocked.Read(ref _uses) > 0;

    /// <summary>The limit of the plan, in requests per minute, at the last use.</summary>
    public int PerMinute => _perMinute;

    public Allowance Take(int perMinute, long now, TimeProvider time)
    {
        lock (_lock)
        {
            Refill(perMinute, now, time);
            var allowed = _tokens >= 1;
            if (allowed)
            {
                _tokens--;
                Interlocked.Increment(ref _uses);
            }

            var perSecond = perMinute / 60.0;
            return new(
                allowed,
                (int)Math.Max(0, _tokens),
                _tokens >= 1 ? 0 : (int)Math.Ceiling((1 - _tokens) / perSecond),
                (int)Math.Ceiling((perMinute - _tokens) / perSecond));
        }
    }

    public int Remaining(int perMinute, long now, TimeProvider time)
    {
        lock (_lock)
        {
            Refill(perMinute, now, time);
            return (int)Math.Max(0, _tokens);
        }
    }

    /// <summary>
    /// Whether the bucket was not used for two minutes. It is full then, so a new bucket would be the same.
    /// </summary>
    public bool IsIdle(long now, TimeProvider time)
    {
        lock (_lock)
        {
            return time.GetElapsedTime(_at, now) > TimeSpan.FromMinutes(2);
        }
    }

    /// <summary>Returns the number of accepted requests since the last merge, and resets it.</summary>
    public long TakeUses() => Interlocked.Exchange(ref _uses, 0);

    /// <summary>Adds the number back after a failed merge, for the next merge.</summary>
    public void RestoreUses(long uses) => Interlocked.Add(ref _uses, uses);

    /// <summary>
    /// Sets the shared number of tokens after a merge, less the requests that were accepted here in the meantime.
    /// </summary>
    public void Set(double tokens, long now)
    {
        lock (_lock)
        {
            // Limit the debt to one minute: the requests above the limit were accepted because merging takes time, not
            // by fault of the client.
            _tokens = Math.Max(tokens, -_perMinute) - _uses;
            _at = now;
        }
    }

    private void Refill(int perMinute, long now, TimeProvider time)
    {
        // A larger plan adds the difference at once; a smaller plan cuts the tokens to its limit.
        var more = _perMinute == 0 ? 0 : Math.Max(0, perMinute - _perMinute);
        _tokens = Math.Min(perMinute, _tokens + more + (_at == 0 ? 0 : time.GetElapsedTime(_at, now).TotalMinutes * perMinute));
        (_perMinute, _at) = (perMinute, now);
    }
}
