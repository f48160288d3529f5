using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>
/// A provider's keys, read when first needed and again from time to time. A start never waits for the provider, and keys that
/// were read hold while it is away.
/// </summary>
/// <remarks>
/// The library's own ConfigurationManager takes the machine's clock only, asks a provider that is away again for each request, and
/// takes keys of yesterday for the first request after a silence.
/// </remarks>
internal sealed partial class SigningKeys(ProviderDocuments provider, TimeProvider time, ILogger<SigningKeys> log)
    : IConfigurationManager<OpenIdConnectConfiguration>, IDisposable
{
    /// <summary>Between two readings, whatever strangers send.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    /// <summary>How long a key that the provider has withdrawn may still be taken, while the provider answers.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    private readonly Lock _turn = new();
    private volatile Reading? _last;
    private Task _reading = Task.CompletedTask;
    private long _triedAt;

    /// <exception cref="ProviderException">No keys were ever read.</exception>
    public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(CancellationToken cancel)
    {
        if (_last is not { } last)
        {
            await Read().WaitAsync(cancel);
        }
        else if (time.GetElapsedTime(last.At) >= Period)
        {
            // While requests come, the reading happens beside them. After a silence the keys may be of yesterday, so it is waited for.
            var silence = time.GetElapsedTime(Volatile.Read(ref _triedAt)) >= 2 * Period;
            var reading = Read();
            await (silence ? reading.WaitAsync(cancel) : Task.CompletedTask);
        }

        return _last?.Configuration ?? throw new ProviderException("No key of the identity provider has been read yet.");
    }

    /// <summary>The keys for a token that names one: read again where it is not among them, unless that was done a moment ago.</summary>
    /// <exception cref="ProviderException">No keys were ever read.</exception>
    public async Task<OpenIdConnectConfiguration> For(string? id, CancellationToken ct)
    {
        var known = await GetConfigurationAsync(ct);
        if (id is null || known.SigningKeys.Any(key => key.KeyId == id))
        {
            return known;
        }

        await Read().WaitAsync(ct);
        return await GetConfigurationAsync(ct);
    }

    public void RequestRefresh() => Read();

    public void Dispose() => provider.Dispose();

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
            var read = await provider.Read(CancellationToken.None);
            _last = new(read, time.GetTimestamp());
            LogRead(read.SigningKeys.Count, provider.Issuer);
        }
        catch (ProviderException failure)
        {
            LogFailure(provider.Issuer, failure.Message, _last is null ? "no token of it can be judged" : "the keys read before are kept");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Read {Count} usable keys of the identity provider {Issuer}")]
    private partial void LogRead(int count, string issuer);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The keys of the identity provider {Issuer} could not be read, because {Reason}; {Consequence}")]
    private partial void LogFailure(string issuer, string reason, string consequence);

    private sealed record Reading(OpenIdConnectConfiguration Configuration, long At);
}
