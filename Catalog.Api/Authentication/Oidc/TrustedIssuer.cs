using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>An issuer of its own: keys and scheme are never shared, so that a key of one verifies no token of another.</summary>
/// <param name="scheme">The scheme in which JwtBearer judges its tokens.</param>
/// <param name="trusts">What is taken of it; a token takes the first that matches.</param>
/// <param name="keys">Its keys.</param>
internal sealed class TrustedIssuer(string scheme, IReadOnlyList<TokenTrust> trusts, SigningKeys keys) : IDisposable
{
    public string Scheme { get; } = scheme;

    public string Name { get; } = trusts[0].Issuer;

    public IReadOnlyList<TokenTrust> Trusts { get; } = trusts;

    public SigningKeys Keys { get; } = keys;

    /// <summary>Has JwtBearer judge by RFC 9068 and RFC 8725: three algorithms, this issuer's own keys, and an end.</summary>
    public void Configure(JwtBearerOptions options, TimeProvider time)
    {
        options.ConfigurationManager = Keys;
        // A kid that is not known was asked for before, and waited for.
        options.RefreshOnIssuerKeyNotFound = false;
        options.MapInboundClaims = false;
        options.TokenValidationParameters = new()
        {
            ValidAlgorithms = VerifyingKeys.Algorithms,
            ValidIssuer = Name,
            ValidAudiences = [.. Trusts.Select(trust => trust.Audience)],
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            TryAllIssuerSigningKeys = false,
            IssuerSigningKeyResolver = (_, token, id, parameters) =>
                VerifyingKeys.Find(parameters.IssuerSigningKeys, id, ((JsonWebToken)token).Alg),
            LifetimeValidator = (from, end, _, _) => IsNow(from, end, time.GetUtcNow().UtcDateTime),
        };
    }

    public void Dispose() => Keys.Dispose();

    // The library's own comparison takes no clock.
    private static bool IsNow(DateTime? from, DateTime? end, DateTime now) =>
        end is null ? throw new SecurityTokenNoExpirationException()
        : now - TokenClaims.Leeway >= end ? throw new SecurityTokenExpiredException()
        : from > now + TokenClaims.Leeway ? throw new SecurityTokenNotYetValidException()
        : true;
}
