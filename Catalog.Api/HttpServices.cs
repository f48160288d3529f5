using Catalog.Api.Background;
using Catalog.Api.Http;
using Catalog.Api.Organizations;
using FluentValidation;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration.Memory;

namespace Catalog.Api;

/// <summary>What every feature's routes stand on: JSON, keys, limits, errors and paths.</summary>
internal static class HttpServices
{
    // Unversioned paths of older clients; they reach the same handlers and stay out of the document.
    private static readonly PathString[] Unversioned = ["/pipelines", "/runs", "/checks", "/connections", "/lineage", "/datasets"];

    private static readonly PathString V1 = "/api/v1";

    public static void AddHttp(this WebApplicationBuilder builder, ServiceSettings settings)
    {
        // Below every other source, so that any of them can say otherwise: a line for each request would cost more than the request.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>
            {
                ["Logging:LogLevel:Default"] = "Information",
                ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
                // It says twice for each wrong key what RepeatedWarnings says once.
                ["Logging:LogLevel:Catalog.Api.Authentication.CallerAuthentication"] = "Warning",
                // One line an entry, with the time, also of what the framework logs.
                ["Logging:Console:FormatterName"] = settings.LogAsJson ? "json" : "simple",
                ["Logging:Console:FormatterOptions:SingleLine"] = "true",
                ["Logging:Console:FormatterOptions:UseUtcTimestamp"] = "true",
                ["Logging:Console:FormatterOptions:TimestampFormat"] = settings.LogAsJson ? "yyyy-MM-dd'T'HH:mm:ss.fff'Z'" : "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ",
                // Authentication brings it along; no key of ours is one of its.
                ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error",
                // Each attempt of an outgoing question; who asked logs how it ended.
                ["Logging:LogLevel:Polly"] = "Error",
                // A start that fails is told in one line by Program, without the stack that the host would log.
                ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "Critical",
            },
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = Limits.ServerBody;
            // Above ours, so that a long line or header is answered as a problem; the server's own refusal has no body.
            kestrel.Limits.MaxRequestLineSize = Limits.ServerHead;
            kestrel.Limits.MaxRequestHeadersTotalSize = Limits.ServerHead;
            kestrel.Limits.MaxRequestHeaderCount = 2000;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
        });
        // A request begins on the pool thread that its socket woke: handing it to another would wake that one up first.
        // And it reads at once: asking first whether there is something to read would spare an idle connection 4 KiB.
        builder.WebHost.UseSockets(sockets => (sockets.UnsafePreferInlineScheduling, sockets.WaitForDataBeforeAllocatingBuffer) = (true, false));
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(options => ApiJson.Configure(options.SerializerOptions));
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(25));
        builder.Services.AddValidatorsFromAssemblyContaining<ServiceSettings>(ServiceLifetime.Singleton, includeInternalTypes: true);
        builder.Services.AddRequestDecompression();
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddRecurring<RepeatedWarnings>();
    }

    public static void UseHttp(this WebApplication app)
    {
        app.Use(DefaultHeaders.Add);
        if (app.Services.GetRequiredService<ServiceSettings>().AccessLog)
        {
            app.UseMiddleware<AccessLog>();
        }

        app.UseMiddleware<ExceptionHandling>();
        app.Use(Refuse);
        app.Use(Version);
        app.UseRequestDecompression();
        app.UseRouting();
        app.UseAuthentication();
        app.UseMiddleware<RateLimiting>();
        app.UseAuthorization();
        app.Use(QueryParameters.Judge);
    }

    private static Task Refuse(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (RawPath.Refusal(target) is { } refusal)
        {
            return refusal.ExecuteAsync(context);
        }

        if (RawPath.Unambiguous(target) is { } path)
        {
            // A string alone would be decoded once more.
            request.Path = new PathString(path);
        }

        return request.Path.Value!.Length + RawPath.LengthOf(request.QueryString.Value!) > Limits.RequestLine
            ? Problems.UriTooLong().ExecuteAsync(context)
            : LengthOf(request.Headers) > Limits.Headers
                ? Problems.HeadersTooLarge().ExecuteAsync(context)
                : next(context);
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

    private static Task Version(HttpContext context, RequestDelegate next)
    {
        if (Array.Exists(Unversioned, prefix => context.Request.Path.StartsWithSegments(prefix, StringComparison.Ordinal)))
        {
            context.Request.Path = V1.Add(context.Request.Path);
        }

        return next(context);
    }
}
