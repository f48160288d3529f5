using Catalog.Api.Background;
using Catalog.Api.Http;
using Catalog.Api.Pages.Layout;
using Catalog.Api.Pages.Lineage;
using Catalog.Api.Pages.Live;
using Catalog.Api.Pages.Overview;
using Catalog.Api.Pages.Pipelines;
using Catalog.Api.Pages.Runs;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Catalog.Api.Pages;

/// <summary>
/// The pages for people, under <c>/ui</c>: HTML rendered on the server by Razor components, which read through the same
/// repositories as the API.
/// </summary>
internal static class PageServices
{
    /// <summary>The path of all pages.</summary>
    public static readonly PathString Root = "/ui";

    // Every style and script comes from this service, and none is inline.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
        + "frame-ancestors 'none'; base-uri 'none'";

    private static readonly ProblemWriter ErrorPages = new((context, problem) =>
    {
        // The headers are set again, because an exception discards them.
        SetHeaders(context.Response.Headers);
        return PageResult.Of<ErrorPage>(problem.Status, (nameof(ErrorPage.Problem), problem)).ExecuteAsync(context);
    });

    public static IServiceCollection AddPages(this IServiceCollection services)
    {
        services.AddRazorComponents();
        // A compressed page with a secret and a text of the request could reveal the secret (BREACH). The only secret
        // of a page is its antiforgery token, which differs in each response.
        services.AddResponseCompression(options => options.EnableForHttps = true);
        services.AddRecurring<RunChangeNotifier>();
        services.AddSingleton<GraphReader>().AddSingleton<PipelineOverviewReader>().AddSingleton<AttentionReader>();
        return services.AddSingleton<PageAssets>().AddSingleton<ComponentRenderer>().AddSingleton<RunPageStream>()
            .AddSingleton<OverviewCache>();
    }

    /// <summary>
    /// Middleware for requests under <c>/ui</c>: security headers, errors as pages, and redirects from addresses with
    /// empty filters.
    /// </summary>
    private static Task Prepare(HttpContext context, RequestDelegate next)
    {
        if (!context.Request.Path.StartsWithSegments(Root, StringComparison.OrdinalIgnoreCase))
        {
            return next(context);
        }

        context.Features.Set(ErrorPages);
        SetHeaders(context.Response.Headers);
        // Behind a proxy that ends TLS the request itself is http. A false header can only make cookies stricter.
        var scheme = context.Request.Headers["X-Forwarded-Proto"].ToString().Split(',')[0].Trim();
        if (scheme.Equals("https", StringComparison.OrdinalIgnoreCase))
        {
            context.Request.Scheme = "https";
        }

        // A browser also sends the empty fields of a form. The redirect leads to the address without them, so that
        // people share short addresses. The raw target keeps the encoding of ids; it must begin with the path of pages,
        // because another target could lead to another host.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (HttpMethods.IsGet(context.Request.Method) && target.StartsWith(Root.Value!, StringComparison.OrdinalIgnoreCase)
            && context.Request.Query.Any(parameter => parameter.Value.All(string.IsNullOrEmpty)))
        {
            var query = context.Request.Query.Where(parameter => !parameter.Value.All(string.IsNullOrEmpty))
                .SelectMany(parameter => parameter.Value, (parameter, value) => KeyValuePair.Create(parameter.Key, value));
            context.Response.Redirect(QueryHelpers.AddQueryString(target.Split('?')[0], query));
            return Task.CompletedTask;
        }

        // The validation of parameters replaces a relative time such as 24h with a point in time. Links keep the text
        // as it was written.
        context.Items[Links.QueryKey] = context.Request.Query;
        return next(context);
    }

    /// <summary>
    /// Adds the middleware of the pages, with compression. The API does not compress, because its answers are small and
    /// its clients are close.
    /// </summary>
    public static void UsePages(this WebApplication app)
    {
        app.Use(Prepare);
        app.UseWhen(context => context.Request.Path.StartsWithSegments(Root), pages => pages.UseResponseCompression());
    }

    /// <summary>
    /// Makes the route a list page. It reads the parameters of the API's list and the parameters that every list page
    /// has.
    /// </summary>
    public static RouteHandlerBuilder ReadsPage<T>(this RouteHandlerBuilder route) where T : class =>
        route.ReadsQuery<T>().ReadsQuery<DownloadQuery>();

    /// <summary>
    /// Rejects a form that no page of this service has sent: its token must be valid, and the browser must not say that
    /// another site sent it.
    /// </summary>
    public static TBuilder RequiresForm<TBuilder>(this TBuilder route) where TBuilder : IEndpointConventionBuilder =>
        route.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            var site = http.Request.Headers["Sec-Fetch-Site"];
            return site is ["cross-site"] or ["same-site"] || !await HasToken(http) ? Problems.FormExpired() : await next(context);
        });

    private static async Task<bool> HasToken(HttpContext context)
    {
        try
        {
            return await context.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context);
        }
        // The body is not a form. If the body is too large or was cut off, the request gets a more exact error instead.
        catch (AntiforgeryValidationException exception) when (exception.InnerException is not BadHttpRequestException)
        {
            return false;
        }
    }

    private static void SetHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
    }
}
