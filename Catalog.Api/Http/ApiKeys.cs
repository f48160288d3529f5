using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Catalog.Api.Authentication.Oidc;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Catalog.Api.Http;

/// <summary>Finds out who asks, from <c>X-API-KEY</c> or <c>Authorization: Bearer</c>.</summary>
internal sealed class ApiKeys(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder, ServiceSettings settings, AccessTokens? tokens = null)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
{
    public const string SchemeName = "ApiKey";

    private static readonly string[] ForwardingHeaders =
    [
        "Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Client-IP",
        "True-Client-IP", "CF-Connecting-IP",
    ];

    private static readonly ClaimsPrincipal Operator = Principal("platform-key", Scopes.All);
    private static readonly ClaimsPrincipal Admin = Principal("admin-key", Scopes.All);
    private static readonly ClaimsPrincipal Developer = Principal("dev-key", [Scopes.Read, Scopes.Write]);

    private readonly byte[]? _platformKey = settings.PlatformKey is { } key ? SHA256.HashData(Encoding.UTF8.GetBytes(key)) : null;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Key() is not { } key)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        if (tokens is not null && TokenSignIn.IsToken(Request, key) && !IsPlatformKey(key))
        {
            return tokens.Authenticate(key, SchemeName, Context.RequestAborted);
        }

        var caller = IsPlatformKey(key) ? Operator : settings.DevKeys && IsLocal() ? DevKey(key) : null;
        return Task.FromResult(caller is null
            ? AuthenticateResult.Fail("No such key.")
            : AuthenticateResult.Success(new AuthenticationTicket(caller, SchemeName)));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties) =>
        await TokenSignIn.Refusal(await HandleAuthenticateOnceSafeAsync()).ExecuteAsync(Context);

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Problems.Forbidden(Context.GetEndpoint()?.Metadata.GetMetadata<Microsoft.AspNetCore.Authorization.IAuthorizeData>()?.Policy ?? "")
            .ExecuteAsync(Context);

    // Two keys in one request are a mistake or an attack; neither is guessed at.
    private string? Key()
    {
        var header = Request.Headers["X-API-KEY"];
        var authorization = Request.Headers.Authorization;
        if (header.Count + authorization.Count != 1)
        {
            return null;
        }

        return header.Count == 1 ? header[0]
            : authorization[0] is { } text && text.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? text[7..].Trim()
            : null;
    }

    private bool IsPlatformKey(string key) =>
        _platformKey is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(key)), _platformKey);

    // Everybody knows these keys, so the connection must come from this machine itself: no proxy in between, and no page of another
    // site whose name was made to resolve to this machine.
    private bool IsLocal() =>
        Context.Connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote)
        && !ForwardingHeaders.Any(Request.Headers.ContainsKey)
        && (Request.Host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(Request.Host.Host.Trim('[', ']'), out var host) && IPAddress.IsLoopback(host)));

    private static ClaimsPrincipal? DevKey(string key) => key switch
    {
        "platform-key" => Operator,
        "admin-key" => Admin,
        "dev-key" => Developer,
        _ => null,
    };

    private static ClaimsPrincipal Principal(string name, string[] scopes) => new(new ClaimsIdentity(
        [new(ClaimTypes.Name, name), new(Caller.OrganizationClaim, "default"), .. scopes.Select(scope => new Claim("scope", scope))], SchemeName));
}
