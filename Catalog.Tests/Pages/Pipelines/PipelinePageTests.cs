using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Pipelines;

/// <summary>The page of one pipeline.</summary>
[Trait("Category", "Fast")]
public sealed class PipelinePageTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Fact]
    public async Task The_overview_shows_facts_runs_checks_durations_lineage_and_what_is_affected()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        await PageData.Pipeline(client, "report", ("mart.sales", "bi.report"));
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/pipelines/nightly");

        Assert.Equal("pipeline nightly · Catalog", page.Title);
        Assert.Equal("nightly failed", page.Texts("h1")[0]);
        Assert.Contains("every day at 02:00, UTC", page.Texts("section.card")[0], StringComparison.Ordinal);
        Assert.Equal(["run-2", "run-1"], page.Rows(Of("runs")).Select(row => row[1]));
        Assert.Equal("fail rows row_count mart.sales error 3", string.Join(' ', page.Rows(Of("checks"))[0][..6]));
        Assert.Equal(["whole run", "3 min", "4 min", "4 min", "× 1.33", "2"], page.Rows(Of("durations"))[0]);
        Assert.Equal("load/raw", page.Rows(Of("durations"))[1][0]);
        Assert.Equal("Lineage: 2 datasets and 1 edge from left to right; 1 with a failed run",
            page.One("svg.lineage").GetAttribute("aria-label"));
        Assert.Equal(["report", "owner of report", "–"], page.Rows(Of("affected"))[0]);
        Assert.Contains("1 dataset, 1 pipeline, 0 failing checks", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tabs_are_addresses()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        using var browser = await PageClient.SignedIn(App, client, "read");

        foreach (var (tab, text) in new[]
        {
            ("overview", "Facts"), ("stages", "Durations of the last 2"), ("versions", "From 1 to 2"), ("body", "Body of version 2"),
        })
        {
            var page = await browser.Open($"/ui/pipelines/nightly?tab={tab}");
            Assert.Contains(text, page.Text, StringComparison.Ordinal);
            Assert.Equal(tab, page.One(".tabs a[aria-current]").TextContent.ToLowerInvariant());
        }

        var lost = await browser.Open("/ui/pipelines/nightly?tab=lost", 422);
        Assert.Contains("must be one of: overview", lost.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_versions_are_compared()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/pipelines/nightly?tab=versions");
        Assert.Equal(["≠ changed", "/checks/0/fail", "10", "100"], Assert.Single(page.Rows("table.changes")));
        Assert.Equal(["since the version before 2", "first version"], page.Rows("section form table").Select(row => row[4]));
        // If there is a next page, the last row of a page is not the first version.
        Assert.Equal(["since the version before 2"],
            (await browser.Open("/ui/pipelines/nightly?tab=versions&limit=1")).Rows("section form table").Select(row => row[4]));
        var first = await browser.Submit(page, "section form", 200, ("from", null), ("to", "1"));
        Assert.Contains("the first version", first.Text, StringComparison.Ordinal);
        var back = await browser.Submit(page, "section form", 200, ("from", "2"), ("to", "1"));
        Assert.Equal(["≠ changed", "/checks/0/fail", "100", "10"], Assert.Single(back.Rows("table.changes")));
        await browser.Open("/ui/pipelines/nightly?tab=versions&from=9", 404);
        await browser.Open("/ui/pipelines/nightly?tab=versions&to=9", 404);
    }

    [Fact]
    public async Task The_body_is_text_to_select_and_a_file_as_it_was_sent()
    {
        using var client = await App.Organization(Name);
        const string Body = """{"name":"x","note":"</pre><script>alert(1)</script>","big":12345678901234567890.10}""";
        await client.PostAsync("/api/v1/pipelines/", new StringContent(Body, System.Text.Encoding.UTF8, "application/json"), Ct);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var text = (await browser.Open("/ui/pipelines/x?tab=body")).One("section[aria-labelledby=body] pre").TextContent;
        Assert.Contains("</pre><script>alert(1)</script>", text, StringComparison.Ordinal);
        Assert.Contains("12345678901234567890.10", text, StringComparison.Ordinal);
        var file = await browser.Get("/ui/pipelines/x?download=json");
        Assert.Equal("attachment; filename=pipeline.json", file.Content.Headers.ContentDisposition?.ToString());
        Assert.Equal(Body, await file.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task Checks_are_executed_with_the_scope_execute_only()
    {
        using var client = await App.Organization(Name);
        await PageData.Post(client, "/api/v1/pipelines/", new
        {
            name = "runs",
            checks = new[] { new { id = "rows", kind = "row_count", connection_id = "wh", @params = new { table = "t" } } },
        });
        await PageData.Post(
            client, "/api/v1/pipelines/", new { name = "none", checks = new[] { new { id = "rows", kind = "row_count" } } });
        using var reader = await PageClient.SignedIn(App, client, "read");
        using var executor = await PageClient.SignedIn(App, client, "read", "execute");

        Assert.Empty((await reader.Open("/ui/pipelines/runs")).Html.QuerySelectorAll("form[action$='/execute']"));
        Assert.Empty((await executor.Open("/ui/pipelines/none")).Html.QuerySelectorAll("form[action$='/execute']"));
        Assert.Equal(403, (await reader.Post("/ui/pipelines/runs/execute", null)).Status);
        Assert.Equal(409, (await executor.Post("/ui/pipelines/none/execute", null)).Status);
        Assert.Equal(404, (await executor.Post("/ui/pipelines/nobody/execute", null)).Status);

        var page = await executor.Submit(await executor.Open("/ui/pipelines/runs"), "form[action$='/execute']", null);
        var execution = (await client.GetJson("/api/v1/executions/")).GetProperty("items")[0];
        Assert.Equal($"/ui/executions/{execution.GetProperty("id").GetString()}", page.Path);
        Assert.Equal("runs", execution.GetProperty("pipeline_id").GetString());
    }

    [Fact]
    public async Task A_hostile_id_is_text_and_each_link_with_it_works()
    {
        using var client = await App.Organization(Name);
        var id = PageData.Hostile;
        await PageData.Post(client, "/api/v1/pipelines/", new
        {
            name = id,
            version = id,
            owner = id,
            environment = id,
            description = id,
            tags = new[] { id },
            checks = new[] { new { id, kind = "row_count", dataset = id } },
            edges = new[] { new { from = id, to = $"{id}2" } },
        });
        await PageData.Post(client, "/api/v1/runs/", new { id, pipeline_id = id, status = "failed", error_message = id });
        using var browser = await PageClient.SignedIn(App, client, "read");

        var list = await browser.Open("/ui/pipelines");
        Assert.Equal(id, list.One("main table td.name a").TextContent);
        foreach (var link in list.Html.QuerySelectorAll("main table a").Select(link => link.GetAttribute("href")!).Distinct())
        {
            var page = await browser.Open(link, link.StartsWith("/ui/checks", StringComparison.Ordinal) ? null : 200);
            Assert.DoesNotContain("<i>", page.Source, StringComparison.Ordinal);
        }

        var own = await browser.Open(list.One("main table td.name a").GetAttribute("href")!);
        Assert.Equal($"pipeline {id} · Catalog", own.Title);
        foreach (var tab in own.Html.QuerySelectorAll(".tabs a").Take(4))
        {
            Assert.Equal($"{id} failed", (await browser.Open(tab.GetAttribute("href")!)).One("h1").TextContent.Trim());
        }

        const string Links = "main a[href^='/ui/datasets/'], main a[href^='/ui/lineage'], main a[href^='/ui/runs/']";
        foreach (var link in own.Html.QuerySelectorAll(Links)
            .Select(link => link.GetAttribute("href")!).Distinct())
        {
            await browser.Open(link);
        }

        var versions = await browser.Open($"/ui/pipelines/{Uri.EscapeDataString(id)}?tab=versions&to={Uri.EscapeDataString(id)}");
        Assert.Contains("the first version", versions.Text, StringComparison.Ordinal);
    }

    private static string Of(string section) => $"section[aria-labelledby={section}] table";
}
