using Catalog.Tests.Support;

namespace Catalog.Tests.Pages;

/// <summary>Pipelines, runs and results for tests of pages.</summary>
internal static class PageData
{
    /// <summary>An id with everything that is special in an address, in HTML or in a text.</summary>
    public const string Hostile = "a/b%c<i>\"q\"'&amp; 🚀 \u202Ertl ?#&=+é`{{x}}";

    /// <summary>
    /// Two pipelines: <c>ingest</c> without runs, and <c>nightly</c>, whose second run failed and whose check fails.
    /// </summary>
    public static async Task Sales(HttpClient client)
    {
        await Post(client, "/api/v1/pipelines/", new
        {
            name = "ingest",
            owner = "data",
            environment = "test",
            edges = new[] { new { from = "shop.orders", to = "raw.orders" } },
        });
        foreach (var version in new[] { "1", "2" })
        {
            await Post(client, "/api/v1/pipelines/", new
            {
                name = "nightly",
                version,
                description = "Builds the marts",
                owner = "sales-team",
                schedule = "0 2 * * *",
                tags = new[] { "nightly", "gold" },
                checks = new[] { new { id = "rows", kind = "row_count", dataset = "mart.sales", fail = version == "1" ? 10 : 100 } },
                edges = new[] { new { from = "raw.orders", to = "mart.sales" } },
            });
        }

        await Post(client, "/api/v1/runs/", Run("run-1", "completed", "2025-01-01T02:00:00Z", "2025-01-01T02:02:00Z"));
        await Post(client, "/api/v1/runs/", Run("run-2", "failed", "2025-01-02T02:00:00Z", "2025-01-02T02:04:00Z"));
        await Post(client, "/api/v1/checks/results", new
        {
            id = "result-1",
            pipeline_id = "nightly",
            check_id = "rows",
            dataset = "mart.sales",
            status = "fail",
            observed_value = 3,
            message = "too few rows",
            executed_at = "2025-01-02T02:05:00Z",
        });
    }

    /// <summary>A pipeline with the edges given.</summary>
    public static Task Pipeline(HttpClient client, string name, params (string From, string To)[] edges) => Post(
        client, "/api/v1/pipelines/", new
        {
            name,
            owner = $"owner of {name}",
            edges = edges.Select(edge => new { from = edge.From, to = edge.To }),
        });

    /// <summary>Posts a body that must be accepted.</summary>
    public static async Task Post(HttpClient client, string path, object body)
    {
        var answer = await client.PostJson(path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static object Run(string id, string status, string start, string end) => new
    {
        id,
        pipeline_id = "nightly",
        status,
        started_at = start,
        completed_at = end,
        stages = new[]
        {
            new { stage_name = "load/raw", status = "completed", started_at = start, completed_at = end },
        },
    };
}
