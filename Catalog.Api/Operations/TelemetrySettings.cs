using Catalog.Data.Settings;

namespace Catalog.Api.Operations;

/// <summary>Which metrics, traces and logs the service serves or sends.</summary>
/// <param name="ServesMetrics">Whether <c>/metrics</c> exists.</param>
/// <param name="MetricsPort">
/// The port of <c>/metrics</c>; null when <c>/metrics</c> has the addresses of the service.
/// </param>
/// <param name="SendsOtlp">Whether traces, metrics and logs are sent to a collector.</param>
internal sealed record TelemetrySettings(bool ServesMetrics, int? MetricsPort, bool SendsOtlp)
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string Protocol = "OTEL_EXPORTER_OTLP_PROTOCOL";

    /// <summary>
    /// Reads <c>DATAXPIPE_METRICS</c>, <c>DATAXPIPE_METRICS_PORT</c> and <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>. The SDK
    /// reads the other settings that begin with <c>OTEL_</c>, and ignores invalid ones.
    /// </summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="urls">The addresses of the service.</param>
    /// <exception cref="SettingException">A value is not valid.</exception>
    public static TelemetrySettings Read(IConfiguration configuration, IReadOnlyList<string> urls)
    {
        var port = Setting.Number(configuration, "DATAXPIPE_METRICS_PORT", 1, 65535);
        var serves = Setting.Flag(configuration, "DATAXPIPE_METRICS");
        if (port is not null && serves is false)
        {
            throw new SettingException(
                "DATAXPIPE_METRICS is false, but DATAXPIPE_METRICS_PORT is set. Leave out one of them.");
        }

        if (urls.Any(url => BindingAddress.Parse(url).Port == port))
        {
            throw new SettingException(
                "DATAXPIPE_METRICS_PORT is a port of the service itself. Choose another one, or set DATAXPIPE_METRICS=true instead.");
        }

        return new(serves ?? port is not null, port, SendsTo(configuration));
    }

    private static bool SendsTo(IConfiguration configuration)
    {
        if (Setting.Text(configuration, Endpoint) is not { } endpoint)
        {
            return false;
        }

        // The address is validated here, because the SDK replaces an invalid address with localhost.
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0)
        {
            throw new SettingException(
                $"{Endpoint} must be an address such as http://collector:4317, without a user or a password. Put a token into "
                    + "OTEL_EXPORTER_OTLP_HEADERS.");
        }

        return Setting.Text(configuration, Protocol) is null or "grpc" or "http/protobuf" ? true
            : throw new SettingException($"{Protocol} must be grpc or http/protobuf.");
    }
}
