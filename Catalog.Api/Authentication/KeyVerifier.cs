using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Catalog.Api.Http;
using Catalog.Data.Organizations;

namespace Catalog.Api.Authentication;

/// <summary>Finds the caller of a key: an API key, the operator's key, or a development key.</summary>
internal sealed class KeyVerifier(ServiceSettings settings, ApiKeyCache keys)
{
    private static readonly string[] ForwardingHeaders =
    [
        "Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Client-IP",
        "True-Client-IP", "CF-Connecting-IP",
    ];

    /// <summary>The principal of the operator's key.</summary>
    public static readonly ClaimsPrincipal Operator = CallerServices.Principal(
        "platform-key", Organization.Default, Scopes.All, new Claim(Scopes.Operator, ""));
    private static readonly ClaimsPrincipal Admin = CallerServices.Principal("admin-key", Organization.Default, Scopes.All);
    private static readonly ClaimsPrincipal Developer =
        CallerServices.Principal("dev-key", Organization.Default, [Scopes.Read, Scopes.Write]);

    private readonly byte[]? _platformKey = settings.PlatformKey is { } key ? SHA256.HashData(Encoding.UTF8.GetBytes(key)) : null;

    /// <summary>A text that changes with the operator's key; null when no operator's key is configured.</summary>
    public string? PlatformKeyFingerprint => _platformKey is null ? null : Convert.ToHexStringLower(SHA256.HashData(_platformKey));

    /// <summary>
    /// The principal of a key; null when the key is unknown, expired, revoked, or not accepted from this request.
    /// </summary>
    public async ValueTask<ClaimsPrincipal?> Find(HttpContext context, string credential) =>
        KeyText.TryParse(credential, out var key) ? await keys.Find(key, context.RequestAborted)
        : IsPlatformKey(credential) ? Operator
        : DevelopmentKeysWork(context) ? DevelopmentKey(credential)
        : null;

    /// <summary>Whether a text is the operator's key.</summary>
    public bool IsPlatformKey(string key) =>
        _platformKey is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(key)), _platformKey);

    /// <summary>Whether a text is a development key and the service accepts development keys from loopback.</summary>
    public bool IsDevelopmentKey(string? key) => settings.DevKeys && key is not null && DevelopmentKey(key) is not null;

    /// <summary>
    /// Whether development keys are accepted from this request. These keys are publicly known, so the request must come
    /// from this machine. It must not come through a proxy, or from a web page whose host name resolves to loopback
    /// (DNS rebinding).
    /// </summary>
    public bool DevelopmentKeysWork(HttpContext context) =>
        settings.DevKeys
        && context.Connection.RemoteIpAddress is { } remote
        && IPAddress.IsLoopback(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote)
        && !ForwardingHeaders.Any(context.Request.Headers.ContainsKey)
        && (context.Request.Host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(context.Request.Host.Host.Trim('[', ']'), out var host) && IPAddress.IsLoopback(host)));

    /// <summary>The principal of a development key; null for any other text.</summary>
    public static ClaimsPrincipal? DevelopmentKey(string key) => key switch
    {
        "platform-key" => Operator,
        "admin-key" => Admin,
        "dev-key" => Developer,
        _ => null,
    };
}
