using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Catalog.Api.Authentication.Oidc;
using Catalog.Api.Http;
using Catalog.Data.Organizations;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Catalog.Api.Authentication;

/// <summary>Authenticates a request by <c>X-API-KEY</c> or <c>Authorization: Bearer</c>.</summary>
internal sealed class CallerAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder, ServiceSettings settings,
    ApiKeyCache keys,
    RepeatedWarnings warnings, AccessTokens tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
{
    public const string SchemeName = "Catalog";

    private static readonly string[] ForwardingHeaders =
    [
        "Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Client-IP",
        "True-Client-IP", "CF-Connecting-IP",
    ];

    private static readonly ClaimsPrincipal Operator = Callers.Principal(
        "platform-key", Organization.Default, Scopes.All, new Claim(Scopes.Operator, ""));
    private static readonly ClaimsPrincipal Admin = Callers.Principal("admin-key", Organization.Default, Scopes.All);
    private static readonly ClaimsPrincipal Developer = Callers.Principal("dev-key", Organization.Default, [Scopes.Read, Scopes.Write]);

    private readonly byte[]? _platformKey = settings.PlatformKey is { } key ? SHA256.HashData(Encoding.UTF8.GetBytes(key)) : null;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var result = await Authenticate();
        if (result.Failure is not null)
        {
            warnings.InvalidKey(Context.Connection.RemoteIpAddress);
        }

        return result;
    }

    private async Task<AuthenticateResult> Authenticate()
    {
        if (Credential() is not { } credential)
        {
            return AuthenticateResult.NoResult();
        }

        // The operator's key is compared first, because it may look like a token.
        if (tokens.IsToken(Request, credential) && !IsPlatformKey(credential))
        {
            return await tokens.Authenticate(Context, credential);
        }

        var caller = KeyText.TryParse(credential, out var key) ? await keys.Find(key, Context.RequestAborted)
            : IsPlatformKey(credential) ? Operator
            : settings.DevKeys && IsLocal() ? DevKey(credential)
            : null;
        return caller is null
            ? AuthenticateResult.Fail("No such key.") : AuthenticateResult.Success(new AuthenticationTicket(caller, SchemeName));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var result = await HandleAuthenticateOnceSafeAsync();
        var problem = result.Failure is ProviderException ? Problems.IdentityProviderUnavailable()
            : settings.DevKeys && Credential() is { } key && DevKey(key) is not null ? Problems.DevelopmentKeyNotLocal()
            : Problems.Unauthorized();
        await problem.ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var scope = Context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>()?.Policy ?? "";
        return (scope == Scopes.Operator ? Problems.OperatorOnly() : Problems.Forbidden(scope)).ExecuteAsync(Context);
    }

    // Two credentials in one request are a mistake or an attack, so neither is used.
    private string? Credential()
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

    // These keys are publicly known, so the connection must come from this machine: not through a proxy, and not from a
    // web page whose host name resolves to loopback (DNS rebinding).
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
}
