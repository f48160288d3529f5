using System.Diagnostics;
using Catalog.Api.Background;
using Catalog.Api.Http;
using Catalog.Api.Marquez;
using Catalog.Api.Operations;
using Catalog.Api.Organizations;
using Catalog.Api.Pages;
using Catalog.Api.Pipelines;
using Catalog.Data;
using FluentValidation;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Logging.Console;

namespace Catalog.Api;

/// <summary>
/// The HTTP setup that all routes share: logging defaults, Kestrel, JSON, limits, error handling and paths.
/// </summary>
internal static class HttpServices
{
    // Paths without a version, for older clients. They reach the same handlers and are not in the OpenAPI document.
    private static readonly PathString[] UnversionedPaths =
        ["/pipelines", "/runs", "/checks", "/executions", "/connections", "/lineage", "/datasets"];

    private static readonly string[] EventPaths = ["/lineage", "/lineage/batch", "/api/v1/lineage", "/api/v1/lineage/batch"];

    private static readonly PathString V1 = "/api/v1";

    public static void AddHttp(this WebApplicationBuilder builder, ServiceSettings settings)
    {
        // This source is below every other source, so that each of them can override these values. The request logging
        // of the framework is off, because a log line per request would cost more than the request.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>
            {
                ["Logging:LogLevel:Default"] = "Information",
                ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
                // At the level Information, CallerAuthentication logs every wrong key twice. RepeatedWarnings logs
                // wrong keys instead.
                ["Logging:LogLevel:Catalog.Api.Authentication.CallerAuthentication"] = "Warning",
                // Each log entry is one line with the time. This is also true for entries of the framework.
                ["Logging:Console:FormatterName"] = settings.LogAsJson ? JsonLogFormatter.FormatterName : "simple",
                ["Logging:Console:FormatterOptions:SingleLine"] = "true",
                ["Logging:Console:FormatterOptions:UseUtcTimestamp"] = "true",
                ["Logging:Console:FormatterOptions:TimestampFormat"] = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ",
                // Antiforgery warns that it overrides Cache-Control, although every page has no-store.
                ["Logging:LogLevel:Microsoft.AspNetCore.Antiforgery"] = "Error",
                // DataProtection warns that keys are not encrypted, but DatabaseKeyRing encrypts them.
                ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error",
                // KeyRingProvider logs a stack trace when the keys cannot be read. The request that needs them logs the
                // reason.
                ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection.KeyManagement.KeyRingProvider"] = "Critical",
                // At the connection limit, Kestrel warns for each connection that it closes. The metric
                // kestrel.rejected_connections counts these connections.
                ["Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel.Connections"] = "Error",
                // Polly logs every attempt of an outgoing request; the caller logs the result.
                ["Logging:LogLevel:Polly"] = "Error",
                // Program reports a failed start in one line; the host would log a stack trace.
                ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "Critical",
            },
        });
        builder.Logging.AddConsoleFormatter<JsonLogFormatter, ConsoleFormatterOptions>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = OpenFileLimit.MaxConnections();
            kestrel.Limits.MaxRequestBodySize = RequestLimits.ServerBody;
            // These limits are higher than the service's own limits, so that a request line or header that is too long
            // gets a problem response. Kestrel's own response has no body.
            kestrel.Limits.MaxRequestLineSize = RequestLimits.ServerHead;
            kestrel.Limits.MaxRequestHeadersTotalSize = RequestLimits.ServerHead;
            kestrel.Limits.MaxRequestHeaderCount = 2000;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
        });
        // A request runs on the pool thread that the socket has woken; handing it to another thread would cost a
        // wake-up. The buffer of a connection is allocated before data arrives. Waiting for data first would save 4 KiB
        // for each idle connection, but cost each request a system call.
        builder.WebHost.UseSockets(sockets => (sockets.UnsafePreferInlineScheduling, sockets.WaitForDataBeforeAllocatingBuffer) = (
            true, false));
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(options => ApiJson.Configure(options.SerializerOptions));
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(25));
        builder.Services.AddValidatorsFromAssemblyContaining<ServiceSettings>(ServiceLifetime.Singleton, includeInternalTypes: true);
        builder.Services.AddSingleton<PipelineCheckValidator>();
        builder.Services.AddRequestDecompression();
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddRecurring<RepeatedWarnings>();
        builder.Services.AddSingleton<Draining>().AddHostedService(services => services.GetRequiredService<Draining>());
    }

    public static void UseHttp(this WebApplication app)
    {
        app.UseMetrics(app.Services.GetRequiredService<ServiceSettings>().Urls);
        app.Use(DefaultHeaders.Add);
        app.Use(app.Services.GetRequiredService<Draining>().CloseConnection);
        if (app.Services.GetRequiredService<ServiceSettings>().AccessLog)
        {
            app.UseMiddleware<AccessLog>();
        }

        app.UsePages();
        app.UseMiddleware<ExceptionHandling>();
        app.Use(ValidateTarget);
        app.Use(AddVersionPrefix);
        app.Use(MarquezPaths.Choose);
        app.UseRequestDecompression();
        app.UseRouting();
        app.Use(MarquezJson.ShapeErrors);
        app.UseAuthentication();
        app.UseMiddleware<RateLimiting>();
        app.UseAuthorization();
        app.Use(TagOrganization);
        app.Use(QueryParameters.Validate);
    }

    private static Task ValidateTarget(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (RawPath.Validate(target) is { } refusal)
        {
            return refusal.ExecuteAsync(context);
        }

        if (RawPath.KeepEncodedPercent(target) is { } path)
        {
            // The constructor is used, because the conversion from a string to a path would decode the string again.
            request.Path = new PathString(path);
        }

        return request.Path.Value!.Length + RawPath.DecodedLength(request.QueryString.Value!) > RequestLimits.RequestLine
            ? Problems.UriTooLong().ExecuteAsync(context)
            : LengthOf(request.Headers) > RequestLimits.Headers
                ? Problems.HeadersTooLarge().ExecuteAsync(context)
                : next(context);
    }

    // Runs after authorization, which authenticates the sessions of the pages. Log lines and spans read the tag.
    private static Task TagOrganization(HttpContext context, RequestDelegate next)
    {
        if (context.User is CallerPrincipal { Caller.Organization: var organization })
        {
            Activity.Current?.SetTag(Tracing.Organization, organization);
        }

        return next(context);
    }

    private static int LengthOf(IHeaderDictionary headers)
    {
        var length = 0;
        foreach (var (name, values) in headers)
        {
            length += name.Length;
            foreach (var value in values)
            {
                length += value?.Length ?? 0;
            }
        }

        return length;
    }

    private static Task AddVersionPrefix(HttpContext context, RequestDelegate next)
    {
        // Some OpenLineage clients join their address and path with a double slash. They lose an event when the service
        // redirects it, so the path is corrected here.
        if (HttpMethods.IsPost(context.Request.Method) && context.Request.Path.Value!.Contains("//", StringComparison.Ordinal)
            && '/' + string.Join('/', context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries)) is var joined
            && EventPaths.Contains(joined))
        {
            context.Request.Path = joined;
        }

        if (Array.Exists(UnversionedPaths, prefix => context.Request.Path.StartsWithSegments(prefix, StringComparison.Ordinal)))
        {
            context.Request.Path = V1.Add(context.Request.Path);
        }

        return next(context);
    }
}
