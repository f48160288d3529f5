using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Catalog.Api.Operations;

/// <summary>Spans and metrics of the Postgres driver.</summary>
internal static class PostgresTelemetry
{
    /// <summary>The name of the driver's meter.</summary>
    public const string Meter = "Npgsql";

    public static TracerProviderBuilder AddPostgres(this TracerProviderBuilder traces) => traces.AddNpgsql();

    public static MeterProviderBuilder AddPostgres(this MeterProviderBuilder metrics) => metrics.AddNpgsqlInstrumentation();
}
