using Microsoft.Extensions.Caching.Memory;

namespace Catalog.Api.Authentication;

/// <summary>Answers that are asked for once and then known for a short time; one asks for all who wait. A failure is not remembered.</summary>
/// <param name="keep">For how long an answer holds.</param>
/// <param name="most">How many answers are kept at once.</param>
/// <param name="ask">Gives the answer.</param>
internal sealed class ShortMemory<T>(TimeSpan keep, int most, Func<string, Task<T>> ask) : IDisposable
{
    private readonly MemoryCache _answers = new(new MemoryCacheOptions { SizeLimit = most });

    public ValueTask<T> Get(string key, CancellationToken ct)
    {
        var asked = _answers.TryGetValue(key, out Task<T>? known) ? known! : Ask(key);
        return asked.IsCompletedSuccessfully ? new(asked) : new(Wait(key, asked, ct));
    }

    /// <summary>The next one asks again.</summary>
    public void Forget(string key) => _answers.Remove(key);

    public void Dispose() => _answers.Dispose();

    private Task<T> Ask(string key)
    {
        lock (_answers)
        {
            if (_answers.TryGetValue(key, out Task<T>? other))
            {
                return other!;
            }

            var asked = ask(key);
            return _answers.Set(key, asked, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = keep, Size = 1 });
        }
    }

    private async Task<T> Wait(string key, Task<T> asked, CancellationToken ct)
    {
        try
        {
            return await asked.WaitAsync(ct);
        }
        catch when (asked.IsFaulted)
        {
            Forget(key);
            throw;
        }
    }
}
