using System.Runtime.InteropServices;

namespace Catalog.Api.Http;

/// <summary>Counts what happens over and over, so that it is told once and then as a number, round by round.</summary>
/// <param name="most">How many different ones are told apart in a round: the rest are counted as the last.</param>
/// <param name="rest">What the rest is counted as.</param>
internal sealed class Tally<TKey>(int most, TKey rest) where TKey : notnull
{
    private readonly Lock _turn = new();
    private readonly Dictionary<TKey, (long More, bool Fresh)> _counts = [];

    /// <summary>Counts one.</summary>
    /// <returns>True for the first, which is told at once; the others are told by <see cref="Round"/>.</returns>
    public bool Add(TKey key)
    {
        lock (_turn)
        {
            if (!_counts.ContainsKey(key) && _counts.Count >= most)
            {
                key = rest;
            }

            ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, key, out var known);
            count = known ? (count.More + 1, count.Fresh) : (0, true);
            return !known;
        }
    }

    /// <summary>Ends a round. What began in it has been told in it, and its count comes with the next.</summary>
    /// <param name="last">No other round follows.</param>
    /// <returns>What came more than once, and how often since it was last told.</returns>
    public IReadOnlyList<(TKey Key, long More)> Round(bool last = false)
    {
        lock (_turn)
        {
            var told = new List<(TKey, long)>();
            foreach (var (key, (more, fresh)) in _counts.ToList())
            {
                if (fresh && !last)
                {
                    _counts[key] = (more, false);
                }
                else if (more > 0)
                {
                    told.Add((key, more));
                    _counts[key] = (0, false);
                }
                else
                {
                    _counts.Remove(key);
                }
            }

            return told;
        }
    }
}
