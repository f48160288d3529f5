using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Catalog.Data.Warehouses;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Reads a provider's discovery document and signing keys, and validates both.</summary>
internal sealed class ProviderDocuments : IDisposable
{
    /// <summary>The time limit for reading one document, including the connection.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    private const int MaxDocumentBytes = 256 * 1024;

    // A provider may have a private address, but never the address of a cloud's metadata service.
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
        { MaxResponseContentBufferSize = MaxDocumentBytes, Timeout = MaxWait };
    }

    /// <summary>The issuer, exactly as tokens contain it.</summary>
    public string Issuer { get; }

    /// <summary>Reads the keys of the issuer. Keys that must not be used are left out.</summary>
    /// <exception cref="ProviderException">The provider is not available, or a document is not valid.</exception>
    public async Task<OpenIdConnectConfiguration> Read(CancellationToken ct)
    {
        var discovery = await Read(new Uri(Issuer.TrimEnd('/') + "/.well-known/openid-configuration"), ct);
        if (discovery.Text("issuer") != Issuer)
        {
            throw new ProviderException(
                "its discovery document names another issuer; the setting must be exactly the issuer of that document, with a slash at its "
                    + "end only if that issuer has one");
        }

        if (!Uri.TryCreate(discovery.Text("jwks_uri"), UriKind.Absolute, out var address) || !OidcSettings.IsSafe(address)
            || (address.IsLoopback && !new Uri(Issuer).IsLoopback))
        {
            throw new ProviderException("its jwks_uri is missing or not https");
        }

        if (!(await Read(address, ct)).TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
        {
            throw new ProviderException("its key set contains no keys");
        }

        var configuration = new OpenIdConnectConfiguration { Issuer = Issuer };
        foreach (var key in keys.EnumerateArray().Select(SigningKeySelection.Read).OfType<Microsoft.IdentityModel.Tokens.JsonWebKey>())
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
            using var response = await _client.GetAsync(address, ct);
            return response.StatusCode != HttpStatusCode.OK
                ? throw new ProviderException($"it answered {(int)response.StatusCode} for {address.AbsolutePath}")
                : StrictJson.Object(await response.Content.ReadAsByteArrayAsync(ct))
                    ?? throw new ProviderException($"its response for {address.AbsolutePath} is not a JSON object");
        }
        catch (HttpRequestException failure)
        {
            throw new ProviderException(failure.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded
                ? $"its response for {address.AbsolutePath} is too large" : failure.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new ProviderException($"it took longer than {MaxWait.TotalSeconds} s for {address.AbsolutePath}");
        }
    }

    private static async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var (addresses, refused) = await Guard.Resolve(context.DnsEndPoint.Host, ct);
        if (addresses.Count == 0)
        {
            throw new IOException(refused ? "its address is not allowed" : "its host name cannot be resolved");
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

/// <summary>
/// The provider is not available, or a document is not valid. The message is for the log.
/// <see cref="ProviderDocuments"/> writes it so that it completes a sentence with "because …".
/// </summary>
internal sealed class ProviderException(string reason) : Exception(reason);
