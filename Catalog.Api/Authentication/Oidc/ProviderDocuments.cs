using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Catalog.Data.Warehouses;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Reads the provider's discovery document and keys, and believes neither more than it must.</summary>
internal sealed class ProviderDocuments : IDisposable
{
    /// <summary>For each document, from connecting to its last byte.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const int LargestDocument = 256 * 1024;

    // Providers often live at private addresses; none lives at a cloud's metadata service.
    private static readonly AddressGuard Guard = new(allowPrivate: true);

    private readonly OidcSettings _settings;
    private readonly HttpClient _client;

    public ProviderDocuments(OidcSettings settings)
    {
        _settings = settings;
        _client = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !new Uri(settings.Authority).IsLoopback,
            ConnectCallback = Connect,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        })
        { MaxResponseContentBufferSize = LargestDocument, Timeout = Patience };
    }

    /// <summary>The members of the key set.</summary>
    /// <exception cref="ProviderException">The provider is away or says what cannot be used.</exception>
    public async Task<JsonElement.ArrayEnumerator> Keys(CancellationToken ct)
    {
        var discovery = await Read(new Uri(_settings.Authority.TrimEnd('/') + "/.well-known/openid-configuration"), ct);
        if (discovery.Text("issuer") != _settings.Authority)
        {
            throw new ProviderException("its discovery names another issuer; DATAXPIPE_OIDC_AUTHORITY must be the issuer to the letter, slashes too");
        }

        if (!Uri.TryCreate(discovery.Text("jwks_uri"), UriKind.Absolute, out var address) || !OidcSettings.IsSafe(address)
            || (address.IsLoopback && !new Uri(_settings.Authority).IsLoopback))
        {
            throw new ProviderException("its jwks_uri is missing or not https");
        }

        return (await Read(address, ct)).TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array
            ? keys.EnumerateArray()
            : throw new ProviderException("its key set holds no keys");
    }

    public void Dispose() => _client.Dispose();

    private async Task<JsonElement> Read(Uri address, CancellationToken ct)
    {
        try
        {
            using var answer = await _client.GetAsync(address, ct);
            return answer.StatusCode != HttpStatusCode.OK
                ? throw new ProviderException($"it answered {(int)answer.StatusCode} for {address.AbsolutePath}")
                : StrictJson.Object(await answer.Content.ReadAsByteArrayAsync(ct))
                    ?? throw new ProviderException($"what it answered for {address.AbsolutePath} is no JSON object");
        }
        catch (HttpRequestException failure)
        {
            throw new ProviderException(failure.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded
                ? $"what it answered for {address.AbsolutePath} is too large" : failure.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new ProviderException($"it took longer than {Patience.TotalSeconds} s for {address.AbsolutePath}");
        }
    }

    private static async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var (addresses, refused) = await Guard.Resolve(context.DnsEndPoint.Host, ct);
        if (addresses.Count == 0)
        {
            throw new IOException(refused ? "its address is one that is never connected to" : "its name is not known");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync([.. addresses], context.DnsEndPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>The provider is away or says what cannot be used; the message completes "because …" and is for the log.</summary>
internal sealed class ProviderException(string reason) : Exception(reason);
