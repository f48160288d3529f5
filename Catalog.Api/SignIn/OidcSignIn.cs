using Catalog.Api.Authentication;
using Catalog.Api.Authentication.Oidc;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Catalog.Api.SignIn;

/// <summary>The settings with which people sign in to the pages at the OpenID provider.</summary>
/// <param name="Authority">The issuer. It is also the issuer of access tokens.</param>
/// <param name="Audience">The audience that access tokens must name.</param>
/// <param name="ClientId">The id of this service at the provider.</param>
/// <param name="ClientSecret">The secret of this service at the provider; null for a public client.</param>
/// <param name="Scopes">The scopes to ask for.</param>
internal sealed record OidcSignInSettings(
    string Authority, string Audience, string ClientId, string? ClientSecret, IReadOnlyList<string> Scopes)
{
    /// <returns>The settings; null when people cannot sign in at a provider.</returns>
    /// <exception cref="SettingException">A value is missing.</exception>
    public static OidcSignInSettings? Read(IConfiguration configuration)
    {
        var client = Setting.Text(configuration, "DATAXPIPE_OIDC_CLIENT_ID");
        var secret = Setting.Text(configuration, "DATAXPIPE_OIDC_CLIENT_SECRET");
        var scopes = Setting.Text(configuration, "DATAXPIPE_OIDC_SCOPES");
        if (client is null)
        {
            return secret is null && scopes is null ? null : throw new SettingException(
                "DATAXPIPE_OIDC_CLIENT_SECRET or DATAXPIPE_OIDC_SCOPES is set without DATAXPIPE_OIDC_CLIENT_ID. Set it to the id of this "
                + "service at the provider, or leave the others out.");
        }

        return new(
            Setting.Text(configuration, "DATAXPIPE_OIDC_AUTHORITY") ?? throw new SettingException(
                "DATAXPIPE_OIDC_CLIENT_ID is set without DATAXPIPE_OIDC_AUTHORITY. Set it to the provider's issuer, or leave the "
                + "client out."),
            Setting.Text(configuration, "DATAXPIPE_OIDC_AUDIENCE") ?? throw new SettingException(
                "DATAXPIPE_OIDC_CLIENT_ID is set without DATAXPIPE_OIDC_AUDIENCE. Set it to the audience that the provider puts into "
                + "access tokens for this service."),
            client, secret, ReadScopes(scopes));
    }

    /// <summary>The provider, without the client's secret.</summary>
    public override string ToString() => $"Sign-in at {Authority}";

    private static IReadOnlyList<string> ReadScopes(string? text)
    {
        string[] scopes = text?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? ["openid", .. Http.Scopes.All];
        // RFC 6749, section 3.3, defines the characters of a scope.
        return scopes.Contains("openid")
            && scopes.All(scope => scope.All(character => character is >= '!' and <= '~' and not ('"' or '\\')))
            ? scopes : throw new SettingException(
                "DATAXPIPE_OIDC_SCOPES must contain openid, and further scopes with spaces between them, such as openid read write.");
    }
}

/// <summary>
/// Sign-in with the authorization code flow and PKCE. The session gets the organization and the scopes of the access
/// token, by the same rules as a request with that token.
/// </summary>
internal static class OidcSignIn
{
    public const string Scheme = "oidc-sign-in";

    // After this time people sign in at the provider again, because a session does not notice changes at the provider.
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(8);

    public static IServiceCollection AddOidcSignIn(this IServiceCollection services, OidcSignInSettings? settings)
    {
        if (settings is null)
        {
            return services;
        }

        services.AddSingleton(settings);
        services.AddAuthentication().AddOpenIdConnect(Scheme, options =>
        {
            options.Authority = settings.Authority;
            options.RequireHttpsMetadata = !new Uri(settings.Authority).IsLoopback;
            options.ClientId = settings.ClientId;
            options.ClientSecret = settings.ClientSecret;
            options.CallbackPath = SignInServices.Path + "/callback";
            options.SignInScheme = SignInServices.Scheme;
            options.ResponseType = OpenIdConnectResponseType.Code;
            options.ResponseMode = OpenIdConnectResponseMode.Query;
            options.MapInboundClaims = false;
            options.BackchannelTimeout = ProviderDocuments.MaxWait;
            options.BackchannelHttpHandler = new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = !new Uri(settings.Authority).IsLoopback,
            };
            options.CorrelationCookie.SameSite = options.NonceCookie.SameSite = SameSiteMode.Lax;
            options.CorrelationCookie.SecurePolicy = options.NonceCookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.Scope.Clear();
            foreach (var scope in settings.Scopes)
            {
                options.Scope.Add(scope);
            }

            options.Events.OnRedirectToIdentityProvider = context =>
            {
                // Providers use different parameters for the audience of the access token: RFC 8707 defines resource,
                // and Auth0 uses audience.
                context.ProtocolMessage.SetParameter("resource", settings.Audience);
                context.ProtocolMessage.SetParameter("audience", settings.Audience);
                return Task.CompletedTask;
            };
            options.Events.OnAuthorizationCodeReceived = context =>
            {
                context.TokenEndpointRequest!.SetParameter("resource", settings.Audience);
                return Task.CompletedTask;
            };
            options.Events.OnTokenValidated = UseAccessToken;
            options.Events.OnRemoteFailure = context =>
            {
                context.HandleResponse();
                context.Response.Redirect($"{SignInServices.Path}?failed=provider");
                return Task.CompletedTask;
            };
        });
        return services;
    }

    /// <summary>Leads the person to the provider, and back to a page of this service.</summary>
    /// <param name="context">The request.</param>
    /// <param name="next">The page to show after sign-in.</param>
    /// <returns>False when the provider does not answer; nothing was sent then.</returns>
    public static async Task<bool> TryChallenge(HttpContext context, string next)
    {
        try
        {
            await context.ChallengeAsync(Scheme, new() { RedirectUri = next });
            return true;
        }
        // These exceptions come from the discovery document and from the requests for it.
        catch (Exception failure) when (!context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted
            && failure is InvalidOperationException or HttpRequestException or IOException or OperationCanceledException
                or OpenIdConnectProtocolException)
        {
            var authority = context.RequestServices.GetRequiredService<OidcSignInSettings>().Authority;
            context.RequestServices.GetRequiredService<RepeatedWarnings>()
                .ProviderUnavailable(authority, failure.InnerException?.Message ?? failure.Message);
            return false;
        }
    }

    private static async Task UseAccessToken(TokenValidatedContext context)
    {
        var services = context.HttpContext.RequestServices;
        var result = context.TokenEndpointResponse?.AccessToken is { Length: > 0 } token
            ? await services.GetRequiredService<AccessTokenValidator>().Authenticate(context.HttpContext, token) : null;
        var plans = services.GetRequiredService<PlanCache>();
        if (result?.Principal is not { } principal
            || await plans.PlanOf(Caller.Of(principal).Organization, context.HttpContext.RequestAborted) is null)
        {
            context.Fail("The access token is not valid for this service.");
            return;
        }

        context.Principal = SessionTicket.OfToken(Caller.Of(principal));
        context.Properties!.AllowRefresh = false;
        context.Properties.ExpiresUtc = services.GetRequiredService<TimeProvider>().Now() + Lifetime;
    }
}
