namespace Catalog.Api.Authentication.Oidc;

/// <summary>
/// The provider's keys, read when first needed and again from time to time. A start never waits for the provider, and keys that
/// were read hold while it is away.
/// </summary>
internal sealed partial class SigningKeys(ProviderDocuments provider, TimeProvider time, ILogger<SigningKeys> log)
{
    /// <summary>Between two readings, whatever strangers send.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    /// <summary>How long a key that the provider has withdrawn may still be taken, while the provider answers.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    private readonly Lock _turn = new();
    private volatile KeySet? _keys;
    private Task _reading = Task.CompletedTask;
    private long _triedAt;

    /// <returns>The keys, or null when none were ever read.</returns>
    public async ValueTask<KeySet?> Current(CancellationToken ct)
    {
        if (_keys is not { } keys)
        {
            await Read().WaitAsync(ct);
        }
        else if (time.GetElapsedTime(keys.ReadAt) >= Period)
        {
            // While requests come, the reading happens beside them. After a silence the keys may be of yesterday, so it is waited for.
            var silence = time.GetElapsedTime(Volatile.Read(ref _triedAt)) >= 2 * Period;
            var reading = Read();
            await (silence ? reading.WaitAsync(ct) : Task.CompletedTask);
        }

        return _keys;
    }

    /// <returns>The keys, read again unless that was done a moment ago.</returns>
    public async ValueTask<KeySet> Newest(KeySet known, CancellationToken ct)
    {
        await Read().WaitAsync(ct);
        return _keys ?? known;
    }

    // Not under the token of the request that happened to come first: others wait for the same reading.
    private Task Read()
    {
        lock (_turn)
        {
            var now = time.GetTimestamp();
            if (_reading.IsCompleted && (_triedAt == 0 || time.GetElapsedTime(_triedAt, now) >= Pause))
            {
                Volatile.Write(ref _triedAt, now);
                _reading = Task.Run(ReadOnce);
            }

            return _reading;
        }
    }

    private async Task ReadOnce()
    {
        try
        {
            var keys = KeySet.Read(await provider.Keys(CancellationToken.None), time.GetTimestamp());
            _keys = keys;
            LogRead(keys.Count);
        }
        catch (ProviderException failure)
        {
            LogFailure(failure.Message, _keys is null ? "no token can be judged" : "the keys read before are kept");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Read {Count} usable keys of the identity provider")]
    private partial void LogRead(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The identity provider's keys could not be read, because {Reason}; {Consequence}")]
    private partial void LogFailure(string reason, string consequence);
}
