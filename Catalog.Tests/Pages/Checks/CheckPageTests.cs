using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Checks;

public sealed class CheckPagesOnSqlite(SqliteTestDatabase database) : CheckPageTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class CheckPagesOnPostgres(PostgresTestDatabase database) : CheckPageTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>The lists of checks, and the page of one check.</summary>
public abstract class CheckPageTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Hostile = "<img src=x onerror=alert(1)>\"'&";

    [Fact]
    public async Task Checks_are_listed_failing_first_and_filtered()
    {
        await Define("a", "b", "c", "d");
        await Post("a", "pass");
        await Post("b", "warn");
        await Post("c", "fail", message: Hostile);
        await Post("d", "error", severity: "warn");
        using var browser = await PageClient.SignedIn(App);

        var all = await browser.Open($"/ui/checks?pipeline_id={Name}");
        var filtered = await browser.Submit(all, "form.filters", 200, ("status", "fail,error"), ("severity", "error"), ("text", "C"));

        Assert.Equal([$"fail {Name}-c", $"error severity warn {Name}-d", $"warn {Name}-b", $"pass {Name}-a"],
            all.Rows().Select(cells => $"{cells[0]} {cells[1]}"));
        Assert.Equal(Hostile, all.Rows()[0][4]);
        Assert.Contains("4 checks match", all.Text, StringComparison.Ordinal);
        Assert.Equal([$"{Name}-c"], filtered.Rows().Select(cells => cells[1]));
        Assert.Contains("1 check match", filtered.Text, StringComparison.Ordinal);
        Assert.Empty((await browser.Open($"/ui/checks?pipeline_id={Name}&text=%25")).Rows());
    }

    [Fact]
    public async Task The_list_has_pages_and_downloads_of_what_is_seen()
    {
        await Define("a", "b", "c");
        foreach (var check in new[] { "a", "b", "c" })
        {
            await Post(check, "pass", message: "=1+1");
        }

        using var browser = await PageClient.SignedIn(App);
        var first = await browser.Open($"/ui/checks?pipeline_id={Name}&limit=2");
        var second = await browser.Open(first.One(".pager a[rel=next]").GetAttribute("href")!);
        var csv = await browser.Get(second.One(".pager a[href*='download=csv']").GetAttribute("href")!);

        Assert.Equal((2, 1), (first.Rows().Count, second.Rows().Count));
        var text = await csv.Content.ReadAsStringAsync(Ct);
        Assert.Equal(2, text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains(",'=1+1,", text, StringComparison.Ordinal);
        Assert.StartsWith("attachment", csv.Content.Headers.ContentDisposition?.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_results_the_list_shows_how_to_post_one()
    {
        using var owner = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, owner, "read");

        var empty = (await browser.Open("/ui/checks")).One(".empty pre").TextContent;
        Assert.Contains("/api/v1/checks/results", empty, StringComparison.Ordinal);
        Assert.NotEqual("", (await browser.Open("/ui/checks/flapping")).One(".empty").TextContent);
        Assert.NotEqual("", (await browser.Open("/ui/checks/results")).One(".empty").TextContent);
    }

    [Fact]
    public async Task A_check_shows_its_history_limits_and_since_when_it_fails()
    {
        await Client.PostJson("/api/v1/pipelines/", new
        {
            name = Name,
            checks = new object[]
            {
                new { id = "c", sql = $"select 1 -- {Hostile}", severity = "warn", warn = new { above = 5 }, fail = new { above = 10 } },
            },
        });
        var now = DateTimeOffset.UtcNow;
        for (var hours = 5; hours > 0; hours--)
        {
            await PostResult("c", hours > 2 ? "pass" : "fail", now.AddHours(-hours), hours * 3, new
            {
                samples = new[] { new { id = 7, note = Hostile }, new { id = 8, note = "x" } },
            });
        }

        using var browser = await PageClient.SignedIn(App);
        var page = await browser.Open($"/ui/checks/c?pipeline_id={Name}&range=24h");

        Assert.Equal("check c, fail · Catalog", page.Title);
        Assert.Contains("2 results in succession", page.One(".alert").TextContent, StringComparison.Ordinal);
        Assert.Equal(5, page.Rows("#results table").Count);
        Assert.Contains("60 %", page.Texts(".tiles")[0], StringComparison.Ordinal);
        Assert.Contains("fail above 10", page.Texts("figure")[0], StringComparison.Ordinal);
        Assert.Equal([["7", Hostile], ["8", "x"]], page.Rows("#sample table"));
        Assert.Contains(Hostile, page.One("#definition > pre").TextContent, StringComparison.Ordinal);
        var facts = string.Join(' ', page.Texts("#definition dt, #definition dd"));
        Assert.Contains("Warns above 5 Fails above 10", facts, StringComparison.Ordinal);
        Assert.Empty(page.Texts("#definition dl code"));
        var sql = await browser.Get($"/ui/checks/c?pipeline_id={Name}&download=sql");
        Assert.Equal(("text/plain", "attachment; filename=sql.txt"),
            (sql.Content.Headers.ContentType?.MediaType, sql.Content.Headers.ContentDisposition?.ToString()));
        Assert.Equal($"select 1 -- {Hostile}", await sql.Content.ReadAsStringAsync(Ct));
        Assert.Contains("\"severity\":\"warn\"", await (await browser.Get($"/ui/checks/c?pipeline_id={Name}&download=definition"))
            .Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        await browser.Open($"/ui/checks/c?pipeline_id={Name}&download=all", 422);
        Assert.Single((await browser.Open($"/ui/checks/c?pipeline_id={Name}&range=2h")).Rows("#results table"));
        await browser.Open($"/ui/checks/c?pipeline_id={Name}&range=99d", 422);
    }

    [Fact]
    public async Task Numbers_of_a_page_agree_with_the_lists_that_they_lead_to()
    {
        await Define("a");
        for (var hours = 1; hours < 8; hours++)
        {
            await PostResult($"{Name}-a", hours % 3 == 0 ? "fail" : "pass", DateTimeOffset.UtcNow.AddHours(-hours), hours, null);
        }

        using var browser = await PageClient.SignedIn(App);
        var page = await browser.Open($"/ui/checks/{Name}-a?range=7d");

        foreach (var tile in page.Html.QuerySelectorAll("a.tile"))
        {
            var list = await browser.Open(tile.GetAttribute("href")!);
            Assert.Equal(int.Parse(tile.QuerySelector("b")!.TextContent), list.Rows().Count);
        }
    }

    [Fact]
    public async Task An_id_of_several_pipelines_is_chosen_first()
    {
        await Client.PostJson("/api/v1/checks/", new { id = Name, sql = "select 1" });
        await Client.PostJson("/api/v1/pipelines/", new { name = Name, checks = new[] { new { id = Name, sql = "select 2" } } });
        using var browser = await PageClient.SignedIn(App);

        var choice = await browser.Open($"/ui/checks/{Name}");
        var links = choice.Html.QuerySelectorAll("main li a").Select(link => link.GetAttribute("href")!).ToList();

        Assert.Equal(2, links.Count);
        var definitions = new List<string>();
        foreach (var link in links)
        {
            definitions.Add((await browser.Open(link)).One("#definition > pre").TextContent);
        }

        Assert.Equal(["select 1", "select 2"], definitions.Order());
    }

    [Fact]
    public async Task Results_without_a_definition_are_a_history_too()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        await PostResult("undefined", "pass", DateTimeOffset.UtcNow, 1, "not a list of samples");
        using var browser = await PageClient.SignedIn(App);

        Assert.Contains("known by its results only", (await browser.Open($"/ui/checks/undefined?pipeline_id={Name}")).Text,
            StringComparison.Ordinal);
        await browser.Open($"/ui/checks/undefined-{Name}", 404);
        await browser.Open($"/ui/checks/other?pipeline_id={Name}", 404);
    }

    [Fact]
    public async Task Flapping_checks_show_their_last_results()
    {
        await Define("calm", "flaps");
        for (var minutes = 1; minutes < 8; minutes++)
        {
            await PostResult($"{Name}-flaps", minutes % 2 == 0 ? "fail" : "pass", DateTimeOffset.UtcNow.AddMinutes(-minutes), null, null);
            await PostResult($"{Name}-calm", "pass", DateTimeOffset.UtcNow.AddMinutes(-minutes), null, null);
        }

        using var browser = await PageClient.SignedIn(App);
        var page = await browser.Open($"/ui/checks/flapping?pipeline_id={Name}");

        var row = Assert.Single(page.Rows());
        Assert.Equal(($"{Name}-flaps", "6 of 7"), (row[0], row[2]));
        Assert.Equal("pass, fail, pass, fail, pass, fail, pass", page.One("svg.marks").GetAttribute("aria-label"));
        Assert.Equal(["#mark-pass", "#mark-fail"],
            page.Html.QuerySelectorAll("svg.marks use").Take(2).Select(use => use.GetAttribute("href")));
        await browser.Open("/ui/checks/flapping?window=1", 422);
    }

    [Fact]
    public async Task The_largest_page_of_flapping_checks_is_bounded()
    {
        using var client = await App.Organization(Name);
        await PageData.Pipeline(client, "p");
        var now = DateTimeOffset.UtcNow;
        for (var part = 0; part < 2; part++)
        {
            var results = from check in Enumerable.Range(part * 50, 50)
                          from result in Enumerable.Range(0, 100)
                          select new
                          {
                              id = $"r{check}-{result}",
                              pipeline_id = "p",
                              check_id = $"check-{check:000}",
                              status = result % 2 == 0 ? "pass" : "fail",
                              executed_at = now.AddMinutes(-result),
                          };
            foreach (var chunk in results.Chunk(1000))
            {
                await PageData.Post(client, "/api/v1/checks/results", chunk);
            }
        }

        using var browser = await PageClient.SignedIn(App, client, "read");
        var page = await browser.Open("/ui/checks/flapping?window=100&limit=500");

        Assert.Equal((100, 2000), (page.Rows().Count, page.Html.QuerySelectorAll("svg.marks use").Length));
        Assert.Contains("99 of 100", page.Rows()[0][2], StringComparison.Ordinal);
        Assert.Contains("and 80 earlier", page.Rows()[0][3], StringComparison.Ordinal);
        // The page has 100 rows and at most 250 KB, so the largest page, with 500 rows, has at most 1.25 MB.
        Assert.InRange(page.Source.Length, 50_000, 250_000);
        var item = (await client.GetJson("/api/v1/checks/flapping?window=100&limit=1")).GetProperty("items")[0];
        Assert.Equal(100, item.GetProperty("statuses").GetArrayLength());
    }

    [Theory]
    [InlineData("12")]
    [InlineData("\"text\"")]
    [InlineData("{\"outside\":[1]}")]
    [InlineData("{\"above\":\"2h\"}")]
    [InlineData("{\"above\":1,\"unit\":\"percent\"}")]
    [InlineData("[]")]
    public async Task A_definition_of_any_shape_is_shown(string threshold)
    {
        var answer = await Send(HttpMethod.Post, "/api/v1/pipelines/",
            $$"""{"name":"{{Name}}","checks":[{"id":"c","kind":"other","warn":{{threshold}},"columns":{"a":1} }]}""");
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        using var browser = await PageClient.SignedIn(App);

        var page = await browser.Open($"/ui/checks/c?pipeline_id={Name}");
        // The page shows JSON only in the details that a reader opens. It breaks the JSON into lines, so the test
        // ignores white space.
        var json = page.One("#definition details").TextContent.Where(character => !char.IsWhiteSpace(character));
        Assert.Contains(threshold, string.Concat(json), StringComparison.Ordinal);
        Assert.DoesNotMatch("[{\\[]", string.Join(' ', page.Texts("#definition dd")));
    }

    private Task Define(params string[] ids) => Client.PostJson("/api/v1/pipelines/",
        new { name = Name, checks = ids.Select(id => new { id = $"{Name}-{id}", sql = "select 1" }) });

    private Task Post(string check, string status, string? message = null, string severity = "error") =>
        Created(new { pipeline_id = Name, check_id = $"{Name}-{check}", status, message, severity });

    private Task PostResult(string check, string status, DateTimeOffset at, double? value, object? metadata) => Created(new
    {
        pipeline_id = Name,
        check_id = check,
        status,
        executed_at = at,
        observed_value = value,
        metadata = metadata is string ? new { samples = metadata } : metadata,
    });

    private async Task Created(object result) =>
        Assert.Equal(201, (int)(await Client.PostJson("/api/v1/checks/results", result)).StatusCode);
}
