using Catalog.Data.Ingest;
using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Ingest;

[Trait("Category", "Fast")]
public sealed class IngestSettingsTests
{
    [Fact]
    public void Without_settings_one_writer_serves_a_queue_of_4096() => Assert.Equal(new IngestSettings(1, 4096), Read(null, " "));

    [Fact]
    public void Settings_are_read() => Assert.Equal(new IngestSettings(8, 1), Read("8", "1"));

    [Theory]
    [InlineData("0", null, "DATAXPIPE_INGEST_WRITERS must be a whole number from 1 to 8.")]
    [InlineData("9", null, "DATAXPIPE_INGEST_WRITERS must be a whole number from 1 to 8.")]
    [InlineData(null, "many", "DATAXPIPE_INGEST_QUEUE must be a whole number from 1 to 1000000.")]
    public void Invalid_values_stop_the_start(string? writers, string? queue, string message) =>
        Assert.Equal(message, Assert.Throws<SettingException>(() => Read(writers, queue)).Message);

    private static IngestSettings Read(string? writers, string? queue) => IngestSettings.Read(new ConfigurationBuilder()
        .AddInMemoryCollection(
            new Dictionary<string, string?> { ["DATAXPIPE_INGEST_WRITERS"] = writers, ["DATAXPIPE_INGEST_QUEUE"] = queue }).Build());
}
