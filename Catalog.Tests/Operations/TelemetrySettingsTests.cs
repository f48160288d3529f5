using Catalog.Api.Operations;
using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Operations;

[Trait("Category", "Fast")]
public sealed class TelemetrySettingsTests
{
    [Fact]
    public void Everything_is_off_by_default() => Assert.Equal(new(false, null, false), Read());

    [Theory]
    [InlineData("true", null, true)]
    [InlineData(null, "9464", true)]
    [InlineData("true", "9464", true)]
    [InlineData("false", null, false)]
    public void Either_setting_serves_metrics(string? metrics, string? port, bool expected) =>
        Assert.Equal(expected, Read(("DATAXPIPE_METRICS", metrics), ("DATAXPIPE_METRICS_PORT", port)).ServesMetrics);

    [Theory]
    [InlineData("http://collector:4317", null)]
    [InlineData("https://collector.example/otlp", "http/protobuf")]
    [InlineData("http://[::1]:4318\n", "grpc")]
    public void An_endpoint_switches_OTLP_on(string endpoint, string? protocol) =>
        Assert.True(Read(("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)).SendsOtlp);

    [Theory]
    [InlineData("DATAXPIPE_METRICS is false", "DATAXPIPE_METRICS=false", "DATAXPIPE_METRICS_PORT=9464")]
    [InlineData("DATAXPIPE_METRICS must be true or false", "DATAXPIPE_METRICS=maybe")]
    [InlineData("DATAXPIPE_METRICS_PORT must be", "DATAXPIPE_METRICS_PORT=65536")]
    [InlineData("DATAXPIPE_METRICS_PORT is a port of the service", "DATAXPIPE_METRICS_PORT=8000")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT must be", "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT must be", "OTEL_EXPORTER_OTLP_ENDPOINT=https://u:c4nary@collector")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL must be", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector",
        "OTEL_EXPORTER_OTLP_PROTOCOL=http/json")]
    public void An_invalid_value_stops_the_start_and_is_not_repeated(string expected, params string[] settings)
    {
        var failure = Assert.Throws<SettingException>(() => Read([.. settings.Select(setting => (setting.Split('=')[0],
            (string?)setting.Split('=')[1]))]));

        Assert.StartsWith(expected, failure.Message);
        Assert.DoesNotContain("c4nary", failure.Message);
    }

    private static TelemetrySettings Read(params (string Name, string? Value)[] settings) => TelemetrySettings.Read(
        new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(setting => setting.Name, setting => setting.Value)).Build(),
        ["http://localhost:8000"]);
}
