using System.Text.Json;
using Catalog.Api.Runs;
using Catalog.Data;

namespace Catalog.Tests.Runs;

public sealed class StageEventTests
{
    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"status": "running"}""")]
    [InlineData(
        """{"status":"failed","started_at":null,"error_message":"né \u0041 <\"b\">","records_processed":12345678901234567890.50}""")]
    public void The_digest_is_that_of_the_stored_event(string report)
    {
        using var json = JsonDocument.Parse(report);

        var stored = StageEvent.Of("run", "a \"stage\" é", new PutStage { Status = "running" }, json.RootElement);

        using var body = JsonDocument.Parse(stored.Body);
        Assert.Equal("a \"stage\" é", body.RootElement.GetProperty("stages")[0].GetProperty("stage_name").GetString());
        Assert.Equal(CanonicalJson.Hash(body.RootElement), stored.Digest);
    }
}
