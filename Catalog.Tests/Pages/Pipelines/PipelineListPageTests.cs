using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Pipelines;

/// <summary>The list of pipelines.</summary>
[Trait("Category", "Fast")]
public sealed class PipelineListPageTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Fact]
    public async Task Each_pipeline_has_its_last_run_its_failures_and_its_schedule_in_words()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/pipelines");

        Assert.Equal("Pipelines · Catalog", page.Title);
        var row = page.Rows().Single(row => row[0] == "nightly Builds the marts");
        Assert.StartsWith("failed", row[1], StringComparison.Ordinal);
        Assert.Equal("4 min median 2 min", row[2]);
        Assert.Equal("1", row[4]);
        Assert.Equal("sales-team", row[5]);
        Assert.StartsWith("every day at 02:00, UTC next in", row[6], StringComparison.Ordinal);
        Assert.Equal(["gold", "nightly"], page.Texts("#pipeline-nightly .tag"));
        Assert.Equal("2 runs, 1 failed, median 2 min", page.One("#pipeline-nightly .sparkline").GetAttribute("aria-label"));
        Assert.Equal("/ui/checks?pipeline_id=nightly&status=fail", page.One("#pipeline-nightly .failures").GetAttribute("href"));
        Assert.Contains("no run", page.Rows().Single(row => row[0] == "ingest")[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipeline_that_missed_its_schedule_is_late()
    {
        using var client = await App.Organization(Name);
        await PageData.Post(client, "/api/v1/pipelines/", new { name = "late", schedule = "* * * * *" });
        await PageData.Post(client, "/api/v1/pipelines/", new { name = "fine", schedule = "* * * * *" });
        await PageData.Post(client, "/api/v1/runs/", new { id = "now", pipeline_id = "fine", status = "running" });
        await Database.Database.Write(Name, session => session.Execute(
            "update pipelines set created_at = @at where organization_id = @Name", new { at = DateTimeOffset.UnixEpoch, Name }, Ct), Ct);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/pipelines");
        var rows = page.Rows(".attention ~ table");

        Assert.Contains("late expected", rows.Single(row => row[0] == "late")[6], StringComparison.Ordinal);
        Assert.DoesNotContain("late", rows.Single(row => row[0] == "fine")[6], StringComparison.Ordinal);
        var block = Assert.Single(page.Rows(".attention table"));
        Assert.Equal("late", block[0]);
        Assert.StartsWith("late expected", block[1], StringComparison.Ordinal);

        var list = await browser.Open(page.One(".attention .links a[href*=late]").GetAttribute("href")!);
        Assert.Equal(("Late pipelines 1", "late"), (list.Texts("h1")[0], Assert.Single(list.Rows())[0]));
        foreach (var other in new[] { "owner=ana", "tag=t", "status=running", "download=csv" })
        {
            Assert.Contains("leave out the other parameters", (await browser.Open($"/ui/pipelines?late=true&{other}", 422)).Text,
                StringComparison.Ordinal);
        }

        var one = await browser.Open("/ui/pipelines/late");
        Assert.Matches(@"late since .{19} \(.+ ago\), when a run should have started by the schedule: every minute, UTC\.", one.Text);
        Assert.Contains("No run has ever started.", one.Text, StringComparison.Ordinal);
        Assert.Empty((await browser.Open("/ui/pipelines/fine")).Texts(".alert"));
    }

    [Fact]
    public async Task Failing_pipelines_are_above_the_list_once_with_the_reason()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        await PageData.Post(client, "/api/v1/pipelines/", new { name = "healed" });
        foreach (var (status, day) in new[] { ("failed", "2025-01-01T00:00:00Z"), ("completed", "2025-01-02T00:00:00Z") })
        {
            await PageData.Post(client, "/api/v1/runs/", new { pipeline_id = "healed", status, started_at = day });
        }

        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/pipelines");

        var block = Assert.Single(page.Rows(".attention table"));
        Assert.Equal("nightly", block[0]);
        Assert.StartsWith("last run failed", block[1], StringComparison.Ordinal);
        Assert.Contains("1 failing check", block[1], StringComparison.Ordinal);
        Assert.Equal("Needs attention 1", page.Texts("#attention")[0]);
        Assert.Equal("All with a failed run", page.One(".attention .links a[href='/ui/pipelines?status=failed']").TextContent);
        foreach (var query in new[] { "?status=failed", "?owner=sales-team", "?q=nightly", "?deleted=true" })
        {
            Assert.Empty((await browser.Open($"/ui/pipelines{query}")).Texts(".attention"));
        }

        var first = await browser.Open("/ui/pipelines?limit=1");
        Assert.NotEmpty(first.Texts(".attention"));
        Assert.Empty((await browser.Open(first.One("a[rel=next]").GetAttribute("href")!)).Texts(".attention"));
    }

    [Theory]
    [InlineData("status=failed", "nightly")]
    [InlineData("status=completed", "")]
    [InlineData("owner=data", "ingest")]
    [InlineData("tag=gold", "nightly")]
    [InlineData("environment=test", "ingest")]
    [InlineData("q=NIGHT", "nightly")]
    [InlineData("owner=data&status=failed", "")]
    [InlineData("q=&tag=&status=", "nightly ingest")]
    public async Task Filters_are_in_the_address_and_in_the_form(string query, string expected)
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open($"/ui/pipelines?{query}");

        Assert.Equal(expected, string.Join(' ', page.Texts("main table tbody td.name a")));
        Assert.Equal($"{expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length}", page.Texts("h1 .count")[0]);
        foreach (var (name, value) in page.Fields("form.filters").Where(field => !string.IsNullOrEmpty(field.Value)))
        {
            Assert.Contains($"{name}={value}", query, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Pages_follow_each_other_and_downloads_are_what_is_seen()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        await client.PostJson("/api/v1/pipelines/", new { name = "=cmd()", tags = new[] { "a,b" } });
        using var browser = await PageClient.SignedIn(App, client, "read");

        var first = await browser.Open("/ui/pipelines?limit=2");
        var second = await browser.Open(first.One("a[rel=next]").GetAttribute("href")!);
        Assert.Equal(["=cmd()", "nightly", "ingest"],
            first.Texts("main table td.name a").Concat(second.Texts("main table td.name a")));

        var csv = await browser.Get("/ui/pipelines?limit=2&download=csv");
        Assert.Equal("attachment; filename=pipelines.csv", csv.Content.Headers.ContentDisposition?.ToString());
        var lines = (await csv.Content.ReadAsStringAsync(Ct)).Split("\r\n");
        Assert.StartsWith("id,version,owner,", lines[0].TrimStart('\uFEFF'), StringComparison.Ordinal);
        Assert.StartsWith("'=cmd(),", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("nightly,", lines[2], StringComparison.Ordinal);
        var json = await (await browser.Get("/ui/pipelines?tag=gold&download=json")).Json();
        Assert.Equal("nightly", json.GetProperty("items")[0].GetProperty("id").GetString());
    }

    [Fact]
    public async Task Deleted_pipelines_are_behind_a_link_and_say_what_remains()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        Assert.Equal(204, (int)(await client.DeleteAsync("/api/v1/pipelines/nightly", Ct)).StatusCode);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var list = await browser.Open("/ui/pipelines");
        Assert.Equal(["ingest"], list.Texts("main table td.name a"));
        var deleted = await browser.Open(list.One(".head a").GetAttribute("href")!);
        Assert.Equal(["nightly"], deleted.Texts("main table td.name a"));
        var page = await browser.Open(deleted.One("main table td.name a").GetAttribute("href")!);
        Assert.Equal("pipeline nightly, deleted · Catalog", page.Title);
        Assert.Contains("Runs2", page.Text, StringComparison.Ordinal);
        await browser.Open("/ui/pipelines/nobody", 404);
    }

    [Fact]
    public async Task An_empty_list_has_a_command_to_paste_and_wrong_filters_are_explained()
    {
        using var client = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var empty = await browser.Open("/ui/pipelines");
        Assert.Contains("/api/v1/pipelines/", empty.One(".empty pre").TextContent, StringComparison.Ordinal);
        Assert.Contains("No pipeline matches", (await browser.Open("/ui/pipelines?q=x")).Text, StringComparison.Ordinal);
        Assert.Contains("must be one of pending", (await browser.Open("/ui/pipelines?status=lost", 422)).Text, StringComparison.Ordinal);
        await browser.Open("/ui/pipelines?download=xml", 422);
        Assert.Equal(JsonValueKind.Array, (await (await browser.Get("/ui/pipelines?download=json")).Json()).GetProperty("items").ValueKind);
    }
}
