using System.Text.Encodings.Web;
using Catalog.Api.Authentication.Oidc;
using Catalog.Api.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Catalog.Api.Authentication;

/// <summary>Authenticates a request by <c>X-API-KEY</c> or <c>Authorization: Bearer</c>.</summary>
internal sealed class CallerAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder, KeyVerifier keys,
    RepeatedWarnings warnings, AccessTokenValidator tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
{
    public const string SchemeName = "Catalog";

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

        // The operator's key can look like a token. In that case it must not be validated as a token.
        if (tokens.IsToken(Request, credential) && !keys.IsPlatformKey(credential))
        {
            return await tokens.Authenticate(Context, credential);
        }

        var caller = await keys.Find(Context, credential);
        return caller is null
            ? AuthenticateResult.Fail("No such key.") : AuthenticateResult.Success(new AuthenticationTicket(caller, SchemeName));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var result = await HandleAuthenticateOnceSafeAsync();
        var problem = result.Failure is ProviderException ? Problems.IdentityProviderUnavailable()
            : keys.IsDevelopmentKey(Credential()) ? Problems.DevelopmentKeyNotLocal()
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
}
