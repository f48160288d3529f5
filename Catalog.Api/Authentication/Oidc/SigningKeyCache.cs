using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>
/// The signing keys of a provider, read when first needed and refreshed regularly. The start of the service does not
/// wait for the provider. Keys that were read stay valid while the provider is not available.
/// </summary>
/// <remarks>
/// The library's ConfigurationManager is not used: it does not take a TimeProvider, it asks an unavailable provider
/// again for each request, and after an idle time it uses outdated keys for the first request.
/// </remarks>
internal sealed partial class SigningKeyCache(ProviderDocuments provider, TimeProvider time, ILogger<SigningKeyCache> log)
    : IConfigurationManager<OpenIdConnectConfiguration>, IDisposable
{
    /// <summary>
    /// The minimum time between two reads, so that tokens with invented key ids cannot cause more reads.
    /// </summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The time between refreshes. While the provider is available, a withdrawn key is accepted for at most twice this
    /// time: the first request after this time still uses the old keys, while the refresh runs.
    /// </summary>
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private volatile KeySet? _last;
    private Task _reading = Task.CompletedTask;
    private long _triedAt;

    /// <summary>The current keys.</summary>
    /// <exception cref="ProviderException">No keys have been read yet.</exception>
    public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(CancellationToken cancel)
    {
        if (_last is not { } last)
        {
            await Read().WaitAsync(cancel);
        }
        else if (time.GetElapsedTime(last.At) >= Period)
        {
            // Normally the refresh runs in the background. After an idle time the keys may be very old, so the request
            // waits for the refresh.
            var idle = time.GetElapsedTime(Volatile.Read(ref _triedAt)) >= 2 * Period;
            var reading = Read();
            await (idle ? reading.WaitAsync(cancel) : Task.CompletedTask);
        }

        return _last?.Configuration ?? throw new ProviderException("The keys of the identity provider have not been read yet.");
    }

    /// <summary>
    /// The keys for a token. If its key id is unknown, the keys are read again, but not more often than
    /// <see cref="Pause"/>.
    /// </summary>
    /// <exception cref="ProviderException">No keys have been read yet.</exception>
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

    // The read does not use the cancellation token of the request that starts it, because other requests wait for the
    // same read.
    private Task Read()
    {
        lock (_lock)
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
            LogFailure(provider.Issuer, failure.Message, _last is null ? "its tokens cannot be verified" : "the previous keys stay in use");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Read {Count} usable keys from the identity provider {Issuer}")]
    private partial void LogRead(int count, string issuer);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The keys of the identity provider {Issuer} could not be read, because {Reason}; {Consequence}")]
    private partial void LogFailure(string issuer, string reason, string consequence);

    private sealed record KeySet(OpenIdConnectConfiguration Configuration, long At);
}
