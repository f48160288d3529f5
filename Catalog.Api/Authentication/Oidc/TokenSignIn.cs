using Microsoft.AspNetCore.Authentication.JwtBearer;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Registers how access tokens are judged.</summary>
internal static class TokenSignIn
{
    public static IServiceCollection AddTokenSignIn(this IServiceCollection services, IReadOnlyList<TokenTrust> trusts)
    {
        foreach (var (index, issuer) in trusts.GroupBy(trust => trust.Issuer).Index())
        {
            var scheme = $"oidc-{index + 1}";
            services.AddSingleton(provider => new TrustedIssuer(scheme, [.. issuer], new(
                new(issuer.Key), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<SigningKeys>>())));
            services.AddAuthentication().AddJwtBearer(scheme, _ => { });
            services.AddOptions<JwtBearerOptions>(scheme).Configure<IEnumerable<TrustedIssuer>, TimeProvider>((options, issuers, time) =>
                issuers.Single(one => one.Scheme == scheme).Configure(options, time));
        }

        // At Information it logs a stack trace for every bad token; the reason is said once without it.
        return services.AddLogging(log => log.AddFilter("Microsoft.AspNetCore.Authentication.JwtBearer", LogLevel.Warning)).AddSingleton<AccessTokens>();
    }
}
