using Catalog.Api.Background;
using Catalog.Api.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Options;

namespace Catalog.Api.SignIn;

/// <summary>Sign-in to the pages with a session cookie. Only the pages accept this cookie; the API does not.</summary>
internal static class SignInServices
{
    /// <summary>The name of the authentication scheme, and of the cookie.</summary>
    public const string Scheme = "catalog-session";

    /// <summary>The page that asks for a key. <c>next</c> is the page to show afterwards.</summary>
    public const string Path = "/ui/sign-in";

    /// <summary>How long a cookie is valid after its last use.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    public static IServiceCollection AddSignIn(this IServiceCollection services)
    {
        services.AddSingleton<SessionTicket>().AddRecurring<DatabaseKeyRing>().AddRecurring<EndedSessions>();
        services.AddDataProtection().SetApplicationName("catalog");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider =>
            new ConfigureOptions<KeyManagementOptions>(options =>
            {
                options.XmlRepository = provider.GetRequiredService<DatabaseKeyRing>();
                // The framework does not have to encrypt the keys, because the repository does.
                options.XmlEncryptor = new Microsoft.AspNetCore.DataProtection.XmlEncryption.NullXmlEncryptor();
            }));
        services.AddAuthentication().AddCookie(Scheme, options =>
        {
            options.Cookie.Name = Scheme;
            options.Cookie.HttpOnly = true;
            options.Cookie.SameSite = SameSiteMode.Lax;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.Cookie.Path = "/";
            options.ExpireTimeSpan = Lifetime;
            options.SlidingExpiration = true;
            options.LoginPath = Path;
            options.ReturnUrlParameter = "next";
            options.Events.OnValidatePrincipal = FindCaller;
            options.Events.OnRedirectToLogin = AskForKey;
            options.Events.OnRedirectToAccessDenied = Refuse;
        });
        services.AddAntiforgery(options =>
        {
            options.Cookie.Name = "catalog-form";
            options.Cookie.SameSite = SameSiteMode.Lax;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.SuppressXFrameOptionsHeader = true;
        });
        return services;
    }

    /// <summary>Makes a session necessary whose caller has a scope.</summary>
    public static TBuilder RequiresSession<TBuilder>(this TBuilder route, string scope) where TBuilder : IEndpointConventionBuilder =>
        route.RequireAuthorization(new AuthorizeAttribute(scope) { AuthenticationSchemes = Scheme });

    /// <summary>
    /// The route needs no session. If there is one, its caller is known, because the token of a form is valid only for
    /// the caller who received it.
    /// </summary>
    public static TBuilder ReadsSession<TBuilder>(this TBuilder route) where TBuilder : IEndpointConventionBuilder =>
        route.RequireAuthorization(new AuthorizeAttribute { AuthenticationSchemes = Scheme }).AllowAnonymous();

    private static async Task FindCaller(CookieValidatePrincipalContext context)
    {
        var tickets = context.HttpContext.RequestServices.GetRequiredService<SessionTicket>();
        if (await tickets.Find(context.HttpContext, context.Principal!) is { } caller)
        {
            context.HttpContext.Items[typeof(SessionTicket)] = context.Principal;
            context.ReplacePrincipal(caller);
            return;
        }

        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(Scheme);
    }

    private static Task AskForKey(RedirectContext<CookieAuthenticationOptions> context)
    {
        // A script asks for a part of a page. The address of that part must not be the page after sign-in, so this
        // redirect does not name one.
        if (context.Request.Headers.ContainsKey("HX-Request"))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers["HX-Redirect"] = Path;
            return Task.CompletedTask;
        }

        var next = HttpMethods.IsGet(context.Request.Method) ? context.Request.Path + context.Request.QueryString.Value : "/ui";
        context.Response.Redirect($"{Path}?next={Uri.EscapeDataString(next)}");
        return Task.CompletedTask;
    }

    private static Task Refuse(RedirectContext<CookieAuthenticationOptions> context)
    {
        var scope = context.HttpContext.GetEndpoint()?.Metadata.GetOrderedMetadata<IAuthorizeData>()
            .LastOrDefault(data => data.Policy is not null)?.Policy ?? "";
        return Problems.Forbidden(scope).ExecuteAsync(context.HttpContext);
    }
}
