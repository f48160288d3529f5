using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Judges access tokens: each by JwtBearer in the scheme of its issuer, and by what that leaves open.</summary>
internal sealed class AccessTokens(IEnumerable<TrustedIssuer> issuers, TimeProvider time)
{
    private const int MostRemembered = 10_000;

    private readonly Dictionary<string, TrustedIssuer> _issuers = issuers.ToDictionary(issuer => issuer.Name);

    // Clients send one token many times, and judging it costs as much as many a request. By hash, so that no token lies in memory;
    // good ones only, so that nobody can fill it with others; and only as long as the very keys hold that it was judged with.
    private readonly ConcurrentDictionary<string, Remembered> _remembered = new();

    /// <summary>Whether the request carries a token in its one place, <c>Authorization</c>, rather than a key.</summary>
    public bool Takes(HttpRequest request, string credential) =>
        _issuers.Count > 0 && request.Headers.Authorization.Count == 1 && credential.AsSpan().Count('.') == 2;

    public async Task<AuthenticateResult> Authenticate(HttpContext context, string token)
    {
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        try
        {
            var good = _remembered.TryGetValue(hash, out var known) && time.GetUtcNow() < known.Ends
                && await known.Issuer.Keys.GetConfigurationAsync(context.RequestAborted) == known.Keys
                ? known
                : await Judge(context, token);
            if (good != known)
            {
                Remember(hash, good);
            }

            return AuthenticateResult.Success(new(good.Principal, CallerAuthentication.SchemeName));
        }
        catch (Exception refusal) when (refusal is SecurityTokenValidationException or ProviderException)
        {
            return AuthenticateResult.Fail(refusal);
        }
    }

    private async Task<Remembered> Judge(HttpContext context, string token)
    {
        var text = TokenText.Read(token);
        if (text.Payload.Text("iss") is not { } name || !_issuers.TryGetValue(name, out var issuer))
        {
            throw new SecurityTokenValidationException("The token is of another issuer.");
        }

        var keys = await issuer.Keys.For(text.Header.Text("kid"), context.RequestAborted);
        if (await context.AuthenticateAsync(issuer.Scheme) is { Succeeded: false } judged)
        {
            // Its message may repeat what the token says, which must not come into a log.
            throw new SecurityTokenValidationException($"JwtBearer refused the token: {judged.Failure?.GetType().Name}.");
        }

        var claims = TokenClaims.Read(text.Payload, issuer.Trusts, time.GetUtcNow());
        return new(Callers.Principal("oidc:" + claims.Subject, claims.Organization, claims.Scopes), claims.Ends, issuer, keys);
    }

    private void Remember(string hash, Remembered good)
    {
        if (_remembered.Count >= MostRemembered)
        {
            _remembered.Clear();
        }

        _remembered[hash] = good;
    }

    private sealed record Remembered(ClaimsPrincipal Principal, DateTimeOffset Ends, TrustedIssuer Issuer, OpenIdConnectConfiguration Keys);
}
