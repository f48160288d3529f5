using Catalog.Tests.Support;

namespace Catalog.Tests.Transfer;

/// <summary>A small catalog with unusual values, and the requests that read all of it.</summary>
internal static class TransferContent
{
    /// <summary>The password of the connection.</summary>
    public const string Canary = "c4nary-7781";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static readonly object Connection = new
    {
        id = "shop",
        type = "postgres",
        config = new { host = "db.example", user = "ann", password = Canary }
    };

    /// <summary>Reads whose answers must be equal before and after a transfer.</summary>
    public static readonly string[] Paths =
    [
        "/api/v1/pipelines/", "/api/v1/pipelines/?format=export", "/api/v1/pipelines/daily_orders",
        "/api/v1/pipelines/daily_orders/versions", "/api/v1/pipelines/?q=sales",
        "/api/v1/runs/", "/api/v1/runs/r-1", "/api/v1/runs/r-1/events", "/api/v1/runs/?status=failed", "/api/v1/checks/",
        "/api/v1/checks/orders_not_empty?pipeline_id=daily_orders",
        "/api/v1/checks/orders_not_empty/history?pipeline_id=daily_orders", "/api/v1/checks/results/", "/api/v1/checks/results/c-1",
        "/api/v1/connections/", "/api/v1/connections/shop",
        "/api/v1/datasets/", "/api/v1/lineage/mart.orders", "/api/v1/lineage/public.orders/impact",
    ];

    /// <summary>Posts pipelines, runs, results and a connection.</summary>
    public static async Task Fill(HttpClient client)
    {
        async Task Post(string path, string body)
        {
            using var answer = await client.PostAsync(path, new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Ct);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync(Ct)}");
        }

        foreach (var name in new[] { "RegisterPipeline", "RegisterPipeline" })
        {
            await Post("/api/v1/pipelines/", await File.ReadAllTextAsync(Path.Combine(ConventionTests.Root, "docs", "walk", name + ".json"),
                Ct));
        }

        await Post("/api/v1/pipelines/",
            """{"name":"daily_orders","version":"2","owner":"sales-data","tags":["Ärger 🚀"],"number":1.50,"checks":[{"id":"orders_not_empty","sql":"select count(*) from mart.orders","severity":"error"}],"lineage":{"edges":[{"from":"public.orders","to":"mart.orders"},{"from":"mart.orders","to":"mart.daily"}]}}""");
        await Post("/api/v1/pipelines/", """[{"name":"p-2"},{"name":"P-10","tags":["a","b"]}]""");
        await Post("/api/v1/runs/",
            """{"id":"r-1","pipeline_id":"daily_orders","status":"running","started_at":"2026-01-31T06:00:00.123456Z","metadata":{"z":1,"a":[1.0,2e3]}}""");
        using (var stage = await client.PutAsync(
            "/api/v1/runs/r-1/stages/load", new StringContent("""{"status":"completed","records_processed":9007199254740993}""",
                System.Text.Encoding.UTF8, "application/json"), Ct))
        {
            Assert.True(stage.IsSuccessStatusCode);
        }

        await Post("/api/v1/runs/",
            """{"id":"r-1","pipeline_id":"daily_orders","status":"completed","completed_at":"2026-01-31T06:02:00Z"}""");
        await Post("/api/v1/runs/", """{"id":"r-2","pipeline_id":"p-2","status":"skipped"}""");
        await Post("/api/v1/checks/results",
            """{"id":"c-1","pipeline_id":"daily_orders","check_id":"orders_not_empty","run_id":"r-1","status":"fail","dataset":"mart.orders","observed_value":0.1,"message":"zażółć 🚀","executed_at":"2026-01-31T06:05:00.000001Z","duration_seconds":5e-324}""");
        await Post("/api/v1/checks/results",
            """[{"id":"c-2","pipeline_id":"p-2","check_id":"nobody_knows_it","run_id":"a-run-nobody-knows","status":"pass","observed_value":{"b":[null,true]},"failed_rows":0},{"id":"c-3","pipeline_id":"daily_orders","check_id":"orders_not_empty","status":"warn","severity":"warn"}]""");
        using var connection = await client.PostJson("/api/v1/connections/", Connection);
        Assert.True(connection.IsSuccessStatusCode);
    }
}
