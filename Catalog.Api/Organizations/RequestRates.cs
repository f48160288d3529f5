using System.Collections.Concurrent;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>
/// How often organizations may still ask here: a bucket for each that this replica has seen. <see cref="RateMerging"/> brings in, each second, what
/// the other replicas have let through.
/// </summary>
internal sealed class RequestRates(RequestRateRepository repository, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);

    /// <summary>Lets one request of an organization through, or not.</summary>
    public async ValueTask<Allowance> Take(string organization, int perMinute, CancellationToken ct)
    {
        var bucket = Of(organization);
        if (!bucket.IsKnown)
        {
            // What the others have left is asked for once; a replica that has just come must not begin with a full minute.
            await bucket.Learn(() => repository.Merge(organization, perMinute, 0, time.Now(), CancellationToken.None), perMinute, time).WaitAsync(ct);
        }

        return bucket.Take(perMinute, time.GetTimestamp(), time);
    }

    /// <summary>What is left, without taking any.</summary>
    public int Left(string organization, int perMinute) => Of(organization).Left(perMinute, time.GetTimestamp(), time);

    /// <summary>The buckets that have let something through since they were last merged; those that are full and idle are let go.</summary>
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

/// <summary>Whether a request was let through, and what is left.</summary>
/// <param name="Allowed">Whether it was.</param>
/// <param name="Left">How many more may follow at once.</param>
/// <param name="SecondsToOne">Seconds until one may follow, 0 when it may now.</param>
/// <param name="SecondsToFull">Seconds until a whole minute's allowance is there again.</param>
internal readonly record struct Allowance(bool Allowed, int Left, int SecondsToOne, int SecondsToFull);

/// <summary>What is left for one organization.</summary>
internal sealed class Bucket
{
    private readonly Lock _turn = new();
    private double _tokens = double.MaxValue;
    private int _perMinute;
    private long _at;
    private long _uses;
    private Task? _learning;

    /// <summary>Whether it has been asked what the others have left.</summary>
    public bool IsKnown => _learning is { IsCompleted: true };

    /// <summary>Asks, once for all who wait. Where it cannot be asked the bucket begins full.</summary>
    public Task Learn(Func<Task<double>> ask, int perMinute, TimeProvider time)
    {
        lock (_turn)
        {
            return _learning ??= Learned();
        }

        async Task Learned()
        {
            await Task.Yield();
            try
            {
                var left = await ask();
                lock (_turn)
                {
                    (_perMinute, _tokens, _at) = (perMinute, left, time.GetTimestamp());
                }
            }
            catch (DatabaseUnavailableException)
            {
                // The request itself will meet it.
            }
        }
    }

    /// <summary>Whether requests were let through since the last merge.</summary>
    public bool HasUses => Interlocked.Read(ref _uses) > 0;

    /// <summary>The allowance that was last asked with.</summary>
    public int PerMinute => _perMinute;

    public Allowance Take(int perMinute, long now, TimeProvider time)
    {
        lock (_turn)
        {
            Fill(perMinute, now, time);
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

    public int Left(int perMinute, long now, TimeProvider time)
    {
        lock (_turn)
        {
            Fill(perMinute, now, time);
            return (int)Math.Max(0, _tokens);
        }
    }

    /// <summary>Whether it has been full for a while, so that a new one would say the same.</summary>
    public bool IsIdle(long now, TimeProvider time)
    {
        lock (_turn)
        {
            return time.GetElapsedTime(_at, now) > TimeSpan.FromMinutes(2);
        }
    }

    /// <summary>What to tell the others.</summary>
    public long TakeUses() => Interlocked.Exchange(ref _uses, 0);

    /// <summary>They could not be told; next time.</summary>
    public void GiveBack(long uses) => Interlocked.Add(ref _uses, uses);

    /// <summary>What is left according to all, less what was let through here meanwhile.</summary>
    public void Set(double tokens, long now)
    {
        lock (_turn)
        {
            // A debt of more than a minute would punish for what the merging let through.
            _tokens = Math.Max(tokens, -_perMinute) - _uses;
            _at = now;
        }
    }

    private void Fill(int perMinute, long now, TimeProvider time)
    {
        // A plan that has grown adds what it allows more; one that has shrunk cuts.
        var more = _perMinute == 0 ? 0 : Math.Max(0, perMinute - _perMinute);
        _tokens = Math.Min(perMinute, _tokens + more + (_at == 0 ? 0 : time.GetElapsedTime(_at, now).TotalMinutes * perMinute));
        (_perMinute, _at) = (perMinute, now);
    }
}
