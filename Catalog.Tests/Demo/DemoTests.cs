using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Tests.Support;

namespace Catalog.Tests.Demo;

/// <summary>The demo as a newcomer starts it: a process with <c>--demo</c> and nothing configured.</summary>
[Trait("Category", "Slow")]
public sealed partial class DemoTests(DemoProcess demo) : IClassFixture<DemoProcess>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_month_has_pipelines_runs_and_results()
    {
        using var client = Client("admin-key");
        var pipelines = await All(client, "/api/v1/pipelines/");
        var runs = await All(client, "/api/v1/runs/");
        var results = await All(client, "/api/v1/checks/results");

        Assert.InRange(pipelines.Count, 20, 40);
        Assert.All(pipelines, pipeline => Assert.NotEqual("", pipeline.GetProperty("owner").GetString()));
        Assert.InRange(runs.Count, 1_800, 2_400);
        Assert.InRange(results.Count, 2_000, 6_000);
        Assert.Equal(["completed", "failed", "running"], Words(runs).Except(["cancelled"]));
        Assert.Superset(new HashSet<string>(["fail", "pass", "warn"]), Words(results).ToHashSet());
        Assert.InRange(runs.Count(run => run.GetProperty("status").GetString() == "failed"), 15, 150);

        // What happened in the past was also received in the past.
        var age = DateTimeOffset.UtcNow - runs.Min(run => run.GetProperty("created_at").GetDateTimeOffset());
        Assert.InRange(age.TotalDays, 29, 31);
        Assert.All(runs, run => Assert.True(
            run.GetProperty("started_at").GetDateTimeOffset() <= run.GetProperty("created_at").GetDateTimeOffset()));
    }

    [Fact]
    public async Task Some_things_need_attention()
    {
        using var client = Client("admin-key");
        var failing = (await All(client, "/api/v1/checks/?status=fail")).Select(check => check.GetProperty("id").GetString());
        var carts = await client.GetJson("/api/v1/checks/carts_have_a_session/history?limit=30");
        var ads = await client.GetJson("/api/v1/runs/?pipeline_id=ingest_ads&limit=2&status=failed");
        var late = await client.GetJson("/api/v1/runs/?pipeline_id=accounting_export&sort=started_at&limit=1");
        var versions = await client.GetJson("/api/v1/pipelines/ingest_payments/versions");

        Assert.Contains("refunds_match_orders", failing);
        Assert.True(carts.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("status").GetString())
            .Aggregate((Changes: 0, Last: ""), (seen, status) => (seen.Changes + (status == seen.Last ? 0 : 1), status!)).Changes > 15);
        Assert.Contains("401 Unauthorized", ads.GetProperty("items")[0].GetProperty("error_message").GetString());
        var started = late.GetProperty("items")[0].GetProperty("started_at").GetDateTimeOffset();
        Assert.True(DateTimeOffset.UtcNow - started > TimeSpan.FromDays(3));
        Assert.Equal(3, versions.GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task The_lineage_has_layers()
    {
        using var client = Client("admin-key");

        var graph = await client.GetJson("/api/v1/lineage?dataset=shop.orders&direction=downstream&depth=10");

        Assert.True(graph.GetRawText().Contains("reports.board", StringComparison.Ordinal), graph.GetRawText());
    }

    [Fact]
    public async Task The_checks_of_the_warehouse_can_be_executed()
    {
        using var client = Client("admin-key");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/pipelines/core_orders/checks/execute");
        request.Headers.Add("Prefer", "wait=30");

        using var answer = await client.SendAsync(request, Ct);
        var outcomes = (await answer.Json()).GetProperty("outcomes");

        Assert.Equal((4, 1, 0, 0), (outcomes.GetProperty("pass").GetInt32(), outcomes.GetProperty("warn").GetInt32(),
            outcomes.GetProperty("fail").GetInt32(), outcomes.GetProperty("error").GetInt32()));
        Assert.Equal("ok", (await (await client.PostAsync("/api/v1/connections/warehouse/test", null, Ct)).Json())
            .GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_run_goes_on_while_the_demo_runs()
    {
        using var client = Client("admin-key");
        var path = "/api/v1/runs/?pipeline_id=stream_web_events&limit=1&sort=started_at";
        var before = (await client.GetJson(path)).GetProperty("items")[0].GetRawText();

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while ((await client.GetJson(path)).GetProperty("items")[0].GetRawText() == before)
        {
            await Task.Delay(500, limit.Token);
        }
    }

    [Fact]
    public async Task One_click_signs_in_and_the_pages_answer()
    {
        using var browser = Client(null);
        var page = await browser.GetStringAsync("/ui", Ct);
        Assert.Contains("Sign in with the development key", page);
        var token = FormToken().Match(page).Groups["token"].Value;
        using var answer = await browser.PostAsync("/ui/sign-in",
            new FormUrlEncodedContent([new("key", "admin-key"), new("__RequestVerificationToken", token)]), Ct);
        Assert.Equal(200, (int)answer.StatusCode);

        var runs = await browser.GetStringAsync("/ui/runs", Ct);
        var run = await browser.GetStringAsync(RunLink().Match(runs).Groups["path"].Value, Ct);

        Assert.Contains("stream_web_events", runs);
        Assert.DoesNotContain("Sign in with the development key", runs);
        Assert.DoesNotContain(">duplicate<", run);
    }

    [Theory]
    [InlineData("DATAXPIPE_DB", "catalog.db")]
    [InlineData("DATABASE_URL", "postgresql://user:c4nary@db.example/catalog")]
    [InlineData("DATABASE__HOST", "db.example")]
    public async Task A_configured_database_stops_the_start_and_nothing_is_created(string name, string value)
    {
        using var refused = new DemoProcess((name, value));

        Assert.Equal(2, await refused.Exit(Ct));
        Assert.StartsWith($"catalog: {name} is set, and the demo uses only a temporary database.", refused.Output);
        Assert.DoesNotContain("c4nary", refused.Output);
        Assert.Empty(refused.Files);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task The_folder_is_deleted_when_the_demo_stops()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        using var stopping = new DemoProcess();
        await stopping.Address(Ct);
        Assert.Single(stopping.Files);

        stopping.Terminate();

        Assert.Equal(0, await stopping.Exit(Ct));
        Assert.Empty(stopping.Files);
    }

    private HttpClient Client(string? key)
    {
        var client = new HttpClient { BaseAddress = demo.Ready };
        if (key is not null)
        {
            client.DefaultRequestHeaders.Add("X-API-KEY", key);
        }

        return client;
    }

    private static IEnumerable<string> Words(IEnumerable<JsonElement> items) =>
        items.Select(item => item.GetProperty("status").GetString()!).Distinct().Order(StringComparer.Ordinal);

    private static async Task<List<JsonElement>> All(HttpClient client, string path)
    {
        List<JsonElement> items = [];
        for (string? cursor = ""; cursor is not null;)
        {
            var next = cursor.Length == 0 ? "" : $"&cursor={Uri.EscapeDataString(cursor)}";
            var page = await client.GetJson($"{path}{(path.Contains('?', StringComparison.Ordinal) ? "&" : "?")}limit=500{next}");
            items.AddRange(page.GetProperty("items").EnumerateArray());
            cursor = page.GetProperty("next_cursor").GetString();
        }

        return items;
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"(?<token>[^\"]+)\"")]
    private static partial Regex FormToken();

    [GeneratedRegex("href=\"(?<path>/ui/runs/stream_web_events-[^\"?]+)\"")]
    private static partial Regex RunLink();
}
