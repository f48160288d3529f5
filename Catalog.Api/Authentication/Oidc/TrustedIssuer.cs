using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>
/// A trusted issuer. It has its own keys and its own scheme, so that a key of one issuer cannot verify a token of
/// another issuer.
/// </summary>
/// <param name="scheme">The name of the JwtBearer scheme that validates its tokens.</param>
/// <param name="trusts">The trust rules of this issuer. The first rule that matches a token applies.</param>
/// <param name="keys">The signing keys of this issuer.</param>
internal sealed class TrustedIssuer(string scheme, IReadOnlyList<TokenTrust> trusts, SigningKeyCache keys) : IDisposable
{
    public string Scheme { get; } = scheme;

    public string Name { get; } = trusts[0].Issuer;

    public IReadOnlyList<TokenTrust> Trusts { get; } = trusts;

    public SigningKeyCache Keys { get; } = keys;

    /// <summary>
    /// Configures JwtBearer according to RFC 9068 and RFC 8725: three algorithms, only this issuer's keys, and a
    /// required expiry time.
    /// </summary>
    public void Configure(JwtBearerOptions options, TimeProvider time)
    {
        options.ConfigurationManager = Keys;
        // AccessTokens has already refreshed the keys for an unknown key id.
        options.RefreshOnIssuerKeyNotFound = false;
        options.MapInboundClaims = false;
        options.Events = new()
        {
            OnMessageReceived = received =>
            {
                received.Token = AccessTokenValidator.TokenOf(received.HttpContext);
                return Task.CompletedTask;
            },
        };
        options.TokenValidationParameters = new()
        {
            ValidAlgorithms = SigningKeySelection.Algorithms,
            ValidIssuer = Name,
            ValidAudiences = [.. Trusts.Select(trust => trust.Audience)],
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            TryAllIssuerSigningKeys = false,
            IssuerSigningKeyResolver = (_, token, id, parameters) =>
                SigningKeySelection.Find(parameters.IssuerSigningKeys, id, ((JsonWebToken)token).Alg),
            LifetimeValidator = (from, end, _, _) => IsCurrent(from, end, time.GetUtcNow().UtcDateTime),
        };
    }

    public void Dispose() => Keys.Dispose();

    // The library's own comparison does not take a TimeProvider.
    private static bool IsCurrent(DateTime? from, DateTime? end, DateTime now) =>
        end is null ? throw new SecurityTokenNoExpirationException()
        : now - TokenClaims.ClockSkew >= end ? throw new SecurityTokenExpiredException()
        : from > now + TokenClaims.ClockSkew ? throw new SecurityTokenNotYetValidException()
        : true;
}
