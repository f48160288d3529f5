using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Runs;

/// <summary>The long texts of a run.</summary>
[Trait("Category", "Fast")]
public sealed class RunTextsTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    private static readonly string Long = "<b>first</b>\n" + new string('é', 30_000) + "\n<script>last</script>";

    [Fact]
    public async Task A_long_text_has_its_beginning_its_end_what_is_left_out_and_a_download()
    {
        using var client = await App.Organization(Name);
        await Post(client);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/runs/r%2F1");

        var text = page.One(".alert pre").TextContent;
        Assert.StartsWith("<b>first</b>", text, StringComparison.Ordinal);
        Assert.EndsWith("<script>last</script>", text, StringComparison.Ordinal);
        // The text has 30,036 characters, and the page shows 8,192 of them. Each character that is left out has two
        // bytes.
        Assert.Contains("… 43 KB left out …", text, StringComparison.Ordinal);
        Assert.Contains("59 KB, plain text", page.One(".alert .whole").TextContent, StringComparison.Ordinal);
        foreach (var selector in new[] { ".alert", "h3 ~ .whole", ".event" })
        {
            var link = page.Html.QuerySelector($"{selector} a[download]")!;
            var answer = await browser.Get(link.GetAttribute("href")!);
            Assert.Equal(200, (int)answer.StatusCode);
            Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal("attachment", answer.Content.Headers.ContentDisposition?.DispositionType);
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.True(answer.Headers.CacheControl?.NoStore);
            var whole = await answer.Content.ReadAsStringAsync(Ct);
            Assert.True(selector == ".event" ? whole.Contains("\"stage_name\"", StringComparison.Ordinal) : whole == Long);
        }
    }

    [Fact]
    public async Task A_download_needs_a_session_of_the_organization_and_an_existing_text()
    {
        using var client = await App.Organization(Name);
        await Post(client);
        using var browser = await PageClient.SignedIn(App, client, "read");
        using var other = await App.Organization($"{Name}-other");
        using var stranger = await PageClient.SignedIn(App, other, "read");
        using var nobody = new PageClient(App);
        const string Error = "/ui/runs/r%2F1?download=error";

        Assert.Equal(404, (int)(await stranger.Get(Error)).StatusCode);
        Assert.Equal("/ui/sign-in", (await nobody.Open(Error, null)).Path);
        var unknown = new string('a', 64);
        foreach (var absent in new[] { "metadata", "stage&of=absent", "stage", "event", "event&of=absent", $"event&of={unknown}" })
        {
            await browser.Open($"/ui/runs/r%2F1?download={absent}", 404);
        }

        await browser.Open("/ui/runs/r%2F1?download=all", 422);
        await browser.Open("/ui/runs/absent?download=error", 404);
    }

    [Fact]
    public async Task A_short_text_has_no_download()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/runs/run-2");

        Assert.Empty(page.Texts(".whole"));
        Assert.Equal(404, (int)(await browser.Get("/ui/runs/run-2?download=error")).StatusCode);
    }

    [Fact]
    public async Task A_repeated_run_shows_its_attempt_and_the_earlier_ones()
    {
        using var client = await App.Organization(Name);
        await PageData.Pipeline(client, "p");
        var error = "<i>disk</i> full " + new string('x', 5000);
        for (var attempt = 1; attempt <= 30; attempt++)
        {
            await PageData.Post(client, "/api/v1/runs/", new
            {
                id = "again",
                pipeline_id = "p",
                status = "failed",
                started_at = $"2026-01-01T{attempt / 10:00}:{attempt % 10 * 6:00}:00Z",
                completed_at = $"2026-01-01T{attempt / 10:00}:{(attempt % 10 * 6) + 2:00}:00Z",
                records_processed = 1000 + attempt,
                error_message = error,
            });
        }

        await PageData.Post(client, "/api/v1/runs/", new { id = "once", pipeline_id = "p", status = "completed" });
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui/runs/again");

        Assert.Contains("Attempt 30", page.Texts(".tile"));
        var rows = page.Html.QuerySelectorAll("#attempts tbody tr");
        Assert.Equal(20, rows.Length);
        Assert.Contains("The last 20 are shown", page.One("#attempts").TextContent, StringComparison.Ordinal);
        var first = rows[0].QuerySelectorAll("td").Select(cell => cell.TextContent.Trim()).ToList();
        Assert.Equal(("29", "1,029"), (first[1], first[5]));
        Assert.StartsWith("<i>disk</i> full", first[6], StringComparison.Ordinal);
        Assert.True(page.One("#attempts").OuterHtml.Length < 40_000, $"{page.One("#attempts").OuterHtml.Length}");
        var once = await browser.Open("/ui/runs/once");
        Assert.Empty(once.Texts("#attempts"));
        Assert.DoesNotContain(once.Texts(".tile"), tile => tile.StartsWith("Attempt", StringComparison.Ordinal));
    }

    private static async Task Post(HttpClient client)
    {
        await PageData.Pipeline(client, "p");
        await PageData.Post(client, "/api/v1/runs/", new
        {
            id = "r/1",
            pipeline_id = "p",
            status = "failed",
            error_message = Long,
            stages = new[] { new { stage_name = "load & <check>", status = "failed", error_message = Long } },
        });
    }
}
