using System.Diagnostics.Metrics;
using System.Text;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit.Sdk;

namespace Catalog.Tests.Secrets;

/// <summary>
/// The search for secrets finds a planted one. Each test has a search of its own, so that the run does not fail.
/// </summary>
public sealed class SecretSearchTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>
{
    /// <summary>The meter whose tags contain a secret on purpose.</summary>
    public const string PlantedMeter = "Catalog.Planted";

    private const string Key = "dxp_0123456789AB0123456789012345678901234567890abcdefghi";
    private readonly SecretSearch _canaries = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("password=c4nary-1", true)]
    [InlineData("password=C4NARY-1", true)]
    [InlineData("password=canary", false)]
    [InlineData(Key, true)]
    [InlineData("dxp_0123456789AB…", false)]
    [InlineData("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.x", true)]
    [InlineData("eyJzdWIiOiJhIn0", false)]
    public void A_text_with_a_secret_is_a_hit(string text, bool isHit)
    {
        Assert.Equal(isHit, _canaries.Search("A test", text));
        Assert.Equal((isHit ? 1 : 0, 1, text.Length), (_canaries.Hits.Count, _canaries.Texts, _canaries.Characters));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("ab")]
    public void A_secret_in_Base64_is_a_hit(string before) =>
        Assert.True(SecretSearch.IsIn(Convert.ToBase64String(Encoding.ASCII.GetBytes($"{before}{SecretSearch.Word}:{before}"))));

    [Theory]
    [InlineData("a " + SecretSearch.Word)]
    [InlineData(Key)]
    public async Task An_answer_with_a_secret_fails_the_test(string text)
    {
        using var app = new CatalogApp(database) { Canaries = _canaries };
        using var client = app.Client();

        var failure = await Assert.ThrowsAnyAsync<XunitException>(() =>
            client.PostJson("/api/v1/pipelines/", new { name = $"n{Guid.NewGuid():N}", version = "1", description = text }));

        Assert.Contains("The answer to POST /api/v1/pipelines/ contains a secret", failure.Message, StringComparison.Ordinal);
        Assert.Single(_canaries.Hits);
    }

    [Theory]
    [InlineData(LogLevel.Trace)]
    [InlineData(LogLevel.Warning)]
    public async Task A_log_line_or_its_exception_with_a_secret_is_a_hit(LogLevel level)
    {
        await using var app = new CatalogApp(database, ("Logging:LogLevel:Default", "Trace")) { Canaries = _canaries };
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Planted");
        Assert.Empty(_canaries.Hits);

        if (log.IsEnabled(level))
        {
            log.Log(level, "Password {Password}", SecretSearch.Word);
            log.Log(level, new InvalidOperationException("x", new IOException(SecretSearch.Word)), "Failed");
        }

        Assert.Equal(2, _canaries.Hits.Count(hit => hit.StartsWith($"A line of level {level} by Planted", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_tag_of_a_metric_with_a_secret_is_a_hit()
    {
        using var meter = new Meter(PlantedMeter);
        using var listener = _canaries.Listen(found => found == meter);
        var counter = meter.CreateCounter<long>("planted");

        counter.Add(1, new KeyValuePair<string, object?>("server", "h"));
        Assert.Empty(_canaries.Hits);
        counter.Add(1, new KeyValuePair<string, object?>("server", $"postgresql://u:{SecretSearch.Word}@h"));

        Assert.StartsWith("Tag server of planted", Assert.Single(_canaries.Hits), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_answer_that_creates_a_key_shows_it_and_a_list_does_not()
    {
        using var app = new CatalogApp(database) { Canaries = _canaries };
        using var owner = await app.Organization("shown");

        Assert.Equal(201, (int)(await owner.PostJson("/api/v1/organizations/me/api-keys", new { name = "k" })).StatusCode);
        Assert.Equal(200, (int)(await owner.GetAsync("/api/v1/organizations/me/api-keys", Ct)).StatusCode);

        Assert.Empty(_canaries.Hits);
    }
}
