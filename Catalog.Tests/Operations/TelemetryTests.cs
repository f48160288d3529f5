using System.Net;
using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Operations;

public sealed class TelemetryOnSqlite(SqliteTestDatabase database) : TelemetryTests(database), IClassFixture<SqliteTestDatabase>
{
    protected override string[] Statements => [];
}

public sealed class TelemetryOnPostgres(PostgresTestDatabase database) : TelemetryTests(database), IClassFixture<PostgresTestDatabase>
{
    protected override string[] Statements => ["PipelineRegistration.Lock", "-- PipelineRegistration.Lock"];
}

/// <summary>What a collector and Prometheus receive from a service that runs as a process of its own.</summary>
public abstract class TelemetryTests(TestDatabase database)
{
    private const string Secret = $"{SecretSearch.Word}-pa55word";
    private readonly TestDatabase _database = database.Require();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Names of statements that have a span.</summary>
    protected abstract string[] Statements { get; }

    [Fact]
    public async Task A_collector_receives_traces_metrics_and_logs_and_no_secret()
    {
        await using var collector = await OtlpReceiver.Start();
        using var service = new ServiceProcess(_database.ServiceAddress,
            [.. collector.Settings, ("DATAXPIPE_SECRET_KEY", SecretSearch.SecretKey)]);
        using var client = await service.Client();

        var (pipeline, refused) = await Traffic(client);

        foreach (var name in (string[])["POST /api/v1/pipelines/", "GET /api/v1/pipelines/", "ingest check_results", .. Statements])
        {
            await collector.Wait("/v1/traces", name);
        }

        await collector.Wait("/v1/traces", OtlpReceiver.Bytes(refused.GetProperty("trace_id").GetString()!));
        await collector.Wait("/v1/traces", "catalog.organization");
        await collector.Wait("/v1/metrics", "catalog.ingest.wait");
        await collector.Wait("/v1/metrics", "http.server.request.duration");
        await collector.Wait("/v1/logs", "Invalid key or token from 127.0.0.1");
        var traces = collector.Text("/v1/traces");
        Assert.DoesNotContain("/ready", traces);
        Assert.DoesNotContain("/ui/assets", traces);
        Assert.DoesNotContain(pipeline, collector.Text("/v1/metrics"));
        Assert.Contains("service.name", traces);
        Assert.All(new[] { "/v1/traces", "/v1/metrics", "/v1/logs" }, path =>
        {
            Assert.InRange(collector.Posts(path), 1, int.MaxValue);
            Assert.False(SecretSearch.IsIn(collector.Text(path)), path);
        });
    }

    [Fact]
    public async Task Metrics_have_routes_and_neither_paths_nor_names_of_objects()
    {
        using var service = new ServiceProcess(_database.ServiceAddress, ("DATAXPIPE_METRICS", "true"),
            ("DATAXPIPE_SECRET_KEY", SecretSearch.SecretKey));
        using var client = await service.Client();
        var (pipeline, _) = await Traffic(client);
        client.DefaultRequestHeaders.Clear();

        using var answer = await client.GetAsync("/metrics", Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.StartsWith("text/plain; version=0.0.4", answer.Content.Headers.ContentType!.ToString());
        Assert.Contains("http_route=\"/api/v1/pipelines/{id}\"", text);
        Assert.Contains("\ncatalog_ready{} 1", text);
        Assert.Contains("\ncatalog_schema_at_head{} 1", text);
        Assert.Contains("\ncatalog_schema_revision{revision=\"00", text);
        Assert.DoesNotContain(pipeline, text);
        Assert.DoesNotContain("organization=", text);
        Assert.DoesNotContain("127.0.0.1", text);
        Assert.DoesNotContain("/ready", text);
        Assert.Equal(200, (int)(await client.GetAsync("/metrics?name[]=up", Ct)).StatusCode);
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS")]
    [InlineData("Kestrel__Endpoints__Api__Url")]
    public async Task A_port_of_its_own_serves_metrics_and_nothing_else(string address)
    {
        var port = PostgresCluster.FreePort();
        using var service = new ServiceProcess(_database.ServiceAddress, ("DATAXPIPE_METRICS_PORT", $"{port}"),
            (address, $"http://127.0.0.1:{PostgresCluster.FreePort()}"));
        using var client = await service.Client();
        using var scraper = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}") };
        client.DefaultRequestHeaders.Add("X-API-KEY", CatalogApp.Key);
        scraper.DefaultRequestHeaders.Add("X-API-KEY", CatalogApp.Key);

        Assert.Equal(200, (int)(await client.GetAsync("/api/v1/pipelines/", Ct)).StatusCode);
        Assert.Contains("catalog_ready", await scraper.GetStringAsync("/metrics", Ct));
        await (await client.GetAsync("/metrics", Ct)).Problem(404, "not_found");
        // ASPNETCORE_URLS is always set. Only the endpoints of Kestrel may override it, so only then may the log say
        // so.
        Assert.DoesNotContain(service.Log, line => address == "ASPNETCORE_URLS" && line.Contains("Overriding", StringComparison.Ordinal));
        foreach (var path in new[] { "/", "/health", "/api/v1/pipelines/", "/ui", "/openapi/v1.json" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await scraper.GetAsync(path, Ct)).StatusCode);
        }
    }

    [Fact]
    public async Task Without_the_setting_there_are_no_metrics()
    {
        using var client = _database.SharedService().Anonymous();

        await (await client.GetAsync("/metrics", Ct)).Problem(404, "not_found");
    }

    // Requests with secrets in every place where a client can put one.
    private static async Task<(string Pipeline, JsonElement Refused)> Traffic(HttpClient client)
    {
        var pipeline = $"p{Guid.NewGuid():N}";
        client.DefaultRequestHeaders.Add("X-API-KEY", "wr0ng-key-c4nary");
        var refused = await (await client.GetAsync("/api/v1/pipelines/", Ct)).Problem(401, "unauthorized");
        client.DefaultRequestHeaders.Remove("X-API-KEY");
        client.DefaultRequestHeaders.Add("X-API-KEY", CatalogApp.Key);
        Assert.Equal(201, (int)(await client.PostJson("/api/v1/pipelines/", new { name = pipeline })).StatusCode);
        Assert.Equal(201, (int)(await client.PostJson("/api/v1/checks/results/",
            new { check_id = "c", pipeline_id = pipeline, status = "pass" })).StatusCode);
        Assert.Equal(200, (int)(await client.GetAsync($"/api/v1/pipelines/{pipeline}", Ct)).StatusCode);
        Assert.Equal(200, (int)(await client.GetAsync($"/api/v1/pipelines/?q={Secret}", Ct)).StatusCode);
        var connection = new
        {
            id = pipeline,
            type = "postgres",
            config = new { host = "127.0.0.1", port = 1, user = "u", password = Secret },
        };
        Assert.Equal(201, (int)(await client.PostJson("/api/v1/connections/", connection)).StatusCode);
        await client.PostAsync($"/api/v1/connections/{pipeline}/test", null, Ct);
        await client.GetAsync("/ready", Ct);
        return (pipeline, refused);
    }
}
