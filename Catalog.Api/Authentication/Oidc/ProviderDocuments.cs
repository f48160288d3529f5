using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Catalog.Data.Warehouses;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Reads a provider's discovery document and keys, and believes neither more than it must.</summary>
internal sealed class ProviderDocuments : IDisposable
{
    /// <summary>For each document, from connecting to its last byte.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const int LargestDocument = 256 * 1024;

    // Providers often live at private addresses; none lives at a cloud's metadata service.
    private static readonly AddressGuard Guard = new(allowPrivate: true);

    private readonly HttpClient _client;

    public ProviderDocuments(string issuer)
    {
        Issuer = issuer;
        _client = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !new Uri(issuer).IsLoopback,
            ConnectCallback = Connect,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        })
        { MaxResponseContentBufferSize = LargestDocument, Timeout = Patience };
    }

    /// <summary>To the letter.</summary>
    public string Issuer { get; }

    /// <summary>The issuer and its usable keys: one that must not be used is left out, and the others hold nevertheless.</summary>
    /// <exception cref="ProviderException">The provider is away or says what cannot be used.</exception>
    public async Task<OpenIdConnectConfiguration> Read(CancellationToken ct)
    {
        var discovery = await Read(new Uri(Issuer.TrimEnd('/') + "/.well-known/openid-configuration"), ct);
        if (discovery.Text("issuer") != Issuer)
        {
            throw new ProviderException("its discovery names another issuer; the setting must hold the issuer to the letter, slashes too");
        }

        if (!Uri.TryCreate(discovery.Text("jwks_uri"), UriKind.Absolute, out var address) || !OidcSettings.IsSafe(address)
            || (address.IsLoopback && !new Uri(Issuer).IsLoopback))
        {
            throw new ProviderException("its jwks_uri is missing or not https");
        }

        if (!(await Read(address, ct)).TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
        {
            throw new ProviderException("its key set holds no keys");
        }

        var configuration = new OpenIdConnectConfiguration { Issuer = Issuer };
        foreach (var key in keys.EnumerateArray().Select(VerifyingKeys.Read).OfType<Microsoft.IdentityModel.Tokens.JsonWebKey>())
        {
            configuration.SigningKeys.Add(key);
        }

        return configuration;
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
