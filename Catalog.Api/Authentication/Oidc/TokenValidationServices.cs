using Microsoft.AspNetCore.Authentication.JwtBearer;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Registers the validation of access tokens.</summary>
internal static class TokenValidationServices
{
    public static IServiceCollection AddTokenValidation(this IServiceCollection services, IReadOnlyList<TokenTrust> trusts)
    {
        foreach (var (index, issuer) in trusts.GroupBy(trust => trust.Issuer).Index())
        {
            var scheme = $"oidc-{index + 1}";
            services.AddSingleton(provider => new TrustedIssuer(scheme, [.. issuer], new(
                new(issuer.Key), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<SigningKeyCache>>())));
            services.AddAuthentication().AddJwtBearer(scheme, _ => { });
            services.AddOptions<JwtBearerOptions>(scheme).Configure<IEnumerable<TrustedIssuer>, TimeProvider>((options, issuers, time) =>
                issuers.Single(candidate => candidate.Scheme == scheme).Configure(options, time));
        }

        // At the level Information, JwtBearer logs a stack trace for every invalid token. RepeatedWarnings logs invalid
        // tokens instead.
        return services.AddLogging(log => log.AddFilter("Microsoft.AspNetCore.Authentication.JwtBearer", LogLevel.Warning))
            .AddSingleton<AccessTokenValidator>();
    }
}
