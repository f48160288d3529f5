using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>
/// Validates access tokens. JwtBearer validates a token in the scheme of its issuer. <see cref="TokenText"/> and
/// <see cref="TokenClaims"/> add checks.
/// </summary>
internal sealed class AccessTokenValidator(IEnumerable<TrustedIssuer> issuers, TimeProvider time)
{
    private const int MaxCached = 10_000;

    private readonly Dictionary<string, TrustedIssuer> _issuers = issuers.ToDictionary(issuer => issuer.Name);

    // Clients send the same token many times, and validation costs as much as a typical request. The key of an entry is
    // a hash, so that no token is kept in memory. Only valid tokens are cached, so that invalid tokens cannot fill the
    // cache. An entry is used only until the keys of the issuer are read again.
    private readonly ConcurrentDictionary<string, CachedToken> _cache = new();

    /// <summary>
    /// Whether the credential is a token and not a key: it comes from <c>Authorization</c> and has three parts.
    /// </summary>
    public bool IsToken(HttpRequest request, string credential) =>
        _issuers.Count > 0 && request.Headers.Authorization.Count == 1 && credential.AsSpan().Count('.') == 2;

    /// <summary>
    /// The token that JwtBearer must validate; null when there is none. It is passed in Items, because a request that
    /// signs in to the pages does not contain the token in a header.
    /// </summary>
    public static string? TokenOf(HttpContext context) => context.Items[typeof(AccessTokenValidator)] as string;

    public async Task<AuthenticateResult> Authenticate(HttpContext context, string token)
    {
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        try
        {
            var valid = _cache.TryGetValue(hash, out var known) && time.GetUtcNow() < known.ExpiresAt
                && await known.Issuer.Keys.GetConfigurationAsync(context.RequestAborted) == known.Keys
                ? known
                : await Validate(context, token);
            if (valid != known)
            {
                Cache(hash, valid);
            }

            return AuthenticateResult.Success(new(valid.Principal, CallerAuthentication.SchemeName));
        }
        catch (Exception refusal) when (refusal is SecurityTokenValidationException or ProviderException)
        {
            return AuthenticateResult.Fail(refusal);
        }
    }

    private async Task<CachedToken> Validate(HttpContext context, string token)
    {
        var text = TokenText.Read(token);
        if (text.Payload.Text("iss") is not { } name || !_issuers.TryGetValue(name, out var issuer))
        {
            throw new SecurityTokenValidationException(
                "The token's issuer is not trusted: neither DATAXPIPE_OIDC_AUTHORITY nor DATAXPIPE_OIDC_TRUST names it.");
        }

        var keys = await issuer.Keys.For(text.Header.Text("kid"), context.RequestAborted);
        context.Items[typeof(AccessTokenValidator)] = token;
        if (await context.AuthenticateAsync(issuer.Scheme) is { Succeeded: false } result)
        {
            // Only the type of the failure is used. Its message can contain parts of the token, which must not be
            // logged.
            throw new SecurityTokenValidationException(
                "The token cannot be read, or its signature, issuer, audience or lifetime is not valid: "
                    + $"{result.Failure?.GetType().Name}.");
        }

        var claims = TokenClaims.Read(text.Payload, issuer.Trusts, time.GetUtcNow());
        return new(CallerServices.Principal("oidc:" + claims.Subject, claims.Organization, claims.Scopes), claims.ExpiresAt, issuer, keys);
    }

    private void Cache(string hash, CachedToken valid)
    {
        if (_cache.Count >= MaxCached)
        {
            _cache.Clear();
        }

        _cache[hash] = valid;
    }

    private sealed record CachedToken(ClaimsPrincipal Principal, DateTimeOffset ExpiresAt, TrustedIssuer Issuer,
        OpenIdConnectConfiguration Keys);
}
