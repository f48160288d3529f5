using Catalog.Api.Http;
using Microsoft.AspNetCore.Authentication;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Where access tokens meet the service's keys.</summary>
internal static class TokenSignIn
{
    /// <summary>Takes tokens where a provider is configured; otherwise <see cref="AccessTokens"/> is not there.</summary>
    public static IServiceCollection AddTokenSignIn(this IServiceCollection services, OidcSettings? settings) => settings is null ? services : services
        .AddSingleton(settings)
        .AddSingleton<ProviderDocuments>()
        .AddSingleton<SigningKeys>()
        .AddSingleton<AccessTokens>();

    /// <summary>Whether the request carries a token in its one place, <c>Authorization</c>, rather than a key.</summary>
    public static bool IsToken(HttpRequest request, string key) => request.Headers.Authorization.Count == 1 && key.AsSpan().Count('.') == 2;

    public static async Task<AuthenticateResult> Authenticate(this AccessTokens tokens, string token, string scheme, CancellationToken ct)
    {
        var verdict = await tokens.Validate(token, ct);
        return verdict.Caller is { } caller ? AuthenticateResult.Success(new(Callers.Principal("oidc:" + caller.Subject, caller.Organization, caller.Scopes), scheme))
            : verdict.ProviderAway ? AuthenticateResult.Fail(new ProviderException("No key of the identity provider has been read yet."))
            : AuthenticateResult.Fail(verdict.Refusal!);
    }

    /// <summary>The answer to a request that was not let in.</summary>
    public static Problem Refusal(AuthenticateResult result) =>
        result.Failure is ProviderException ? Problems.IdentityProviderUnavailable() : Problems.Unauthorized();
}
