using System.Diagnostics.Metrics;
using Catalog.Api.Http;
using Catalog.Data;
using Microsoft.AspNetCore.Http.Features;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Catalog.Api.Operations;

/// <summary>
/// Traces, metrics and logs for a collector (OTLP), and <c>/metrics</c> for Prometheus. Without their settings nothing
/// listens: no span is recorded and no measurement is kept.
/// </summary>
internal static class Telemetry
{
    /// <summary>The path that Prometheus reads.</summary>
    public const string MetricsPath = "/metrics";

    /// <summary>The name of the service in traces, metrics and logs, unless <c>OTEL_SERVICE_NAME</c> is set.</summary>
    public const string ServiceName = "catalog";

    private const string Endpoints = "Kestrel:Endpoints";

    // These requests have no traces: probes, and the files of the pages and of the API reference.
    private static readonly PathString[] Untraced =
        ["/health", "/ready", "/version", MetricsPath, "/ui/assets", "/docs", "/openapi", "/favicon.ico"];

    public static void AddTelemetry(this WebApplicationBuilder builder, TelemetrySettings settings)
    {
        builder.Services.AddSingleton(settings);
        if (settings.MetricsPort is { } port && builder.Configuration.GetSection(Endpoints).GetChildren().Any())
        {
            // Kestrel ignores all other addresses if it has endpoints.
            builder.Configuration.AddInMemoryCollection([new($"{Endpoints}:Metrics:Url", UrlOf(port))]);
        }

        // The SDK runs only if a setting needs it.
        if (settings.ServesMetrics || settings.SendsOtlp)
        {
            Add(builder.Services, settings);
        }
    }

    /// <summary>Serves <c>/metrics</c> on a port of its own if the settings have one.</summary>
    /// <param name="app">The service.</param>
    /// <param name="urls">The addresses of the service.</param>
    public static void UseMetrics(this WebApplication app, IReadOnlyList<string> urls)
    {
        var settings = app.Services.GetRequiredService<TelemetrySettings>();
        if (settings.MetricsPort is not { } port)
        {
            return;
        }

        if (!app.Configuration.GetSection(Endpoints).GetChildren().Any())
        {
            foreach (var url in urls)
            {
                app.Urls.Add(url);
            }

            app.Urls.Add(UrlOf(port));
        }

        // This branch is the first in the pipeline, so that the port serves nothing else.
        app.MapWhen(context => context.Connection.LocalPort == port, UsePort);
    }

    /// <summary>Serves <c>/metrics</c> at the addresses of the service if it has no port of its own.</summary>
    public static void MapMetrics(this IEndpointRouteBuilder routes)
    {
        if (routes.ServiceProvider.GetRequiredService<TelemetrySettings>() is { ServesMetrics: true, MetricsPort: null })
        {
            MapEndpoint(routes);
        }
    }

    private static string UrlOf(int port) => $"http://*:{port}";

    private static void UsePort(IApplicationBuilder branch)
    {
        branch.Use((context, next) =>
        {
            context.Features.Get<IHttpMetricsTagsFeature>()?.MetricsDisabled = true;
            return next(context);
        });
        branch.UseOpenTelemetryPrometheusScrapingEndpoint(MetricsPath);
    }

    private static void MapEndpoint(IEndpointRouteBuilder routes) => routes.MapPrometheusScrapingEndpoint(MetricsPath)
        .WithMetadata(new AcceptsAnyQuery()).DisableHttpMetrics().ExcludeFromDescription();

    private static void Add(IServiceCollection services, TelemetrySettings settings)
    {
        var telemetry = services.AddOpenTelemetry()
            // The environment variables (OTEL_...) come last, so that they override the other values.
            .ConfigureResource(resource => resource.Clear().AddTelemetrySdk()
                .AddService(ServiceName, serviceVersion: OperationsEndpoints.Version).AddEnvironmentVariableDetector())
            .WithMetrics(metrics =>
            {
                metrics.AddMeter("Catalog").AddAspNetCoreInstrumentation().AddHttpClientInstrumentation().AddRuntimeInstrumentation()
                    .AddPostgres().AddView(Select);
                if (settings.ServesMetrics)
                {
                    metrics.AddPrometheusExporter(options => options.ScopeInfoEnabled = false);
                }
            });
        if (settings.SendsOtlp)
        {
            telemetry
                .WithTracing(traces => traces.AddSource(Tracing.SourceName).AddPostgres().AddHttpClientInstrumentation()
                    .AddAspNetCoreInstrumentation(options => options.Filter = IsTraced))
                .WithLogging(
                    logs => logs.AddProcessor(new OrganizationOfLogs()),
                    options => options.IncludeFormattedMessage = true)
                .UseOtlpExporter();
        }
    }

    private static bool IsTraced(HttpContext context) =>
        !Array.Exists(Untraced, path => context.Request.Path.StartsWithSegments(path, StringComparison.OrdinalIgnoreCase));

    // Metrics have no tags with host names, because the hosts of outgoing requests and statements belong to
    // organizations: they are, for example, their warehouses. Of the framework's metrics, only those of requests and of
    // the runtime are kept.
    private static MetricStreamConfiguration? Select(Instrument instrument) => (instrument.Meter.Name, instrument.Name) switch
    {
        (_, "http.server.request.duration") => new() { TagKeys = ["http.request.method", "http.route", "http.response.status_code"] },
        (_, "http.server.active_requests") => new() { TagKeys = [] },
        (_, "http.client.request.duration") => new() { TagKeys = ["http.request.method", "http.response.status_code"] },
        (PostgresTelemetry.Meter, _) => new() { TagKeys = ["db.client.connection.pool.name", "db.client.connection.state"] },
        ("Catalog" or "System.Runtime", _) => null,
        _ => MetricStreamConfiguration.Drop,
    };

    private sealed class OrganizationOfLogs : BaseProcessor<LogRecord>
    {
        public override void OnEnd(LogRecord data)
        {
            if (Tracing.CurrentOrganization() is { } organization)
            {
                data.Attributes = [.. data.Attributes ?? [], new(Tracing.Organization, organization)];
            }
        }
    }
}
