using System.Runtime.InteropServices;

namespace Catalog.Api.Http;

/// <summary>
/// Counts repeated events by key, so that the first event of a key is logged at once, and the number of repeats once
/// per interval.
/// </summary>
/// <param name="maxKeys">The maximum number of keys that are counted separately in one interval.</param>
/// <param name="overflow">The key under which all further keys are counted.</param>
internal sealed class RepeatCounter<TKey>(int maxKeys, TKey overflow) where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, (long Repeats, bool IsNew)> _counts = [];

    /// <summary>Counts one event.</summary>
    /// <returns>
    /// True for the first event of a key, which the caller logs. <see cref="TakeRepeats"/> returns the number of the
    /// further events.
    /// </returns>
    public bool Add(TKey key)
    {
        lock (_lock)
        {
            if (!_counts.ContainsKey(key) && _counts.Count >= maxKeys)
            {
                key = overflow;
            }

            ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, key, out var known);
            count = known ? (count.Repeats + 1, count.IsNew) : (0, true);
            return !known;
        }
    }

    /// <summary>
    /// Ends an interval. The repeats of a key that is new in this interval are returned at the end of the next
    /// interval.
    /// </summary>
    /// <param name="last">True when no interval follows: all repeats are returned.</param>
    /// <returns>The keys with repeats, and for each key the number of repeats since it was last returned.</returns>
    public IReadOnlyList<(TKey Key, long Repeats)> TakeRepeats(bool last = false)
    {
        lock (_lock)
        {
            var repeats = new List<(TKey, long)>();
            foreach (var (key, (more, isNew)) in _counts.ToList())
            {
                if (isNew && !last)
                {
                    _counts[key] = (more, false);
                }
                else if (more > 0)
                {
                    repeats.Add((key, more));
                    _counts[key] = (0, false);
                }
                else
                {
                    _counts.Remove(key);
                }
            }

            return repeats;
        }
    }
}
