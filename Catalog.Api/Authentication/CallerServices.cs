using System.Security.Claims;
using Catalog.Api.Background;
using Catalog.Api.Http;
using Microsoft.AspNetCore.Authentication;

namespace Catalog.Api.Authentication;

/// <summary>Registers authentication and authorization, and creates the principals of callers.</summary>
internal static class CallerServices
{
    public static IServiceCollection AddCallers(this IServiceCollection services)
    {
        services.AddAuthentication(CallerAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, CallerAuthentication>(CallerAuthentication.SchemeName, null);
        services.AddSingleton<ApiKeyCache>().AddSingleton<KeyVerifier>().AddSingleton<PlanCache>().AddRecurring<KeyUsageWriter>();
        var authorization = services.AddAuthorizationBuilder();
        foreach (var scope in Scopes.All)
        {
            authorization.AddPolicy(scope, policy => policy.RequireClaim("scope", scope));
        }

        authorization.AddPolicy(Scopes.Operator, policy => policy.RequireClaim(Scopes.Operator));
        return services;
    }

    /// <summary>Creates the principal of an authenticated caller.</summary>
    /// <param name="actor">The caller's name in the logs.</param>
    /// <param name="organization">The organization whose data the caller may access.</param>
    /// <param name="scopes">The caller's scopes.</param>
    /// <param name="more">Further claims.</param>
    public static ClaimsPrincipal Principal(string actor, string organization, IReadOnlyList<string> scopes, params Claim[] more) =>
        new CallerPrincipal(
        new(organization, actor, scopes, more.Any(claim => claim.Type == Scopes.Operator)),
        new([new(ClaimTypes.Name, actor), .. scopes.Select(scope => new Claim("scope", scope)), .. more], CallerAuthentication.SchemeName));
}
