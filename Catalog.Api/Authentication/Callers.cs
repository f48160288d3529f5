using System.Security.Claims;
using Catalog.Api.Background;
using Catalog.Api.Http;
using Microsoft.AspNetCore.Authentication;

namespace Catalog.Api.Authentication;

/// <summary>Who may call: registers how it is found out, and says what a caller is made of.</summary>
internal static class Callers
{
    public static IServiceCollection AddCallers(this IServiceCollection services)
    {
        services.AddAuthentication(CallerAuthentication.SchemeName).AddScheme<AuthenticationSchemeOptions, CallerAuthentication>(CallerAuthentication.SchemeName, null);
        services.AddSingleton<KnownKeys>().AddSingleton<KnownOrganizations>().AddRecurring<KeyUses>();
        var authorization = services.AddAuthorizationBuilder();
        foreach (var scope in Scopes.All)
        {
            authorization.AddPolicy(scope, policy => policy.RequireClaim("scope", scope));
        }

        authorization.AddPolicy(Scopes.Operator, policy => policy.RequireClaim(Scopes.Operator));
        return services;
    }

    /// <summary>A caller who was found out.</summary>
    /// <param name="actor">What logs call them.</param>
    /// <param name="organization">Whose data they may see.</param>
    /// <param name="scopes">What they may do.</param>
    /// <param name="more">What else is known of them.</param>
    public static ClaimsPrincipal Principal(string actor, string organization, IReadOnlyList<string> scopes, params Claim[] more) => new CallerPrincipal(
        new(organization, actor, scopes, more.Any(claim => claim.Type == Scopes.Operator)),
        new([new(ClaimTypes.Name, actor), .. scopes.Select(scope => new Claim("scope", scope)), .. more], CallerAuthentication.SchemeName));
}
