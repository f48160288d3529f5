using System.Diagnostics;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Organizations;

public sealed class PageRequestRatesOnSqlite(SqliteTestDatabase database)
    : PageRequestRateTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class PageRequestRatesOnPostgres(PostgresTestDatabase database)
    : PageRequestRateTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Pages count as requests of the organization's plan.</summary>
[Trait("Category", "Slow")]
public abstract class PageRequestRateTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task Over_the_rate_of_the_plan_a_page_says_when_to_try_again_and_signing_out_works()
    {
        using var client = await App.Organization(Name, "free");
        await PageData.Pipeline(client, "p");
        await client.PostJson("/api/v1/runs/", new { id = "r", pipeline_id = "p", status = "running" });
        using var browser = await PageClient.SignedIn(App, client, "read");
        var before = await browser.Open("/ui/search");
        var asset = before.Html.QuerySelector("link[rel=stylesheet]")!.GetAttribute("href")!;

        var start = Stopwatch.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, 130).Select(_ => browser.Get("/ui/search")));
        var refilled = (int)Math.Ceiling(Stopwatch.GetElapsedTime(start).TotalMinutes * 100);

        // Six earlier requests also count: three requests of the API, and the pages of the sign-in and after it. So the
        // allowed requests can be a few less than 100.
        Assert.InRange(answers.Count(answer => (int)answer.StatusCode == 200), 90, 100 + refilled);
        var refused = answers.First(answer => (int)answer.StatusCode == 429);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        var page = await WebPage.Read(refused);
        Assert.Contains("The plan 'free' allows 100 requests per minute", page.Text, StringComparison.Ordinal);
        Assert.Contains("Try again in 1 second.", page.Text, StringComparison.Ordinal);
        Assert.Contains("Code rate_limited", page.Text, StringComparison.Ordinal);
        await (await client.GetAsync("/api/v1/runs/?limit=1", Ct)).Problem(429, "rate_limited");
        Assert.Equal(200, (int)(await browser.Get(asset)).StatusCode);
        Assert.Equal("/ui/sign-in", (await browser.Submit(before, "form[action='/ui/sign-out']")).Path);
    }

    [Fact]
    public async Task A_page_is_one_request_and_what_follows_a_run_is_none()
    {
        using var client = await App.Organization(Name, "free");
        await PageData.Pipeline(client, "p");
        await client.PostJson("/api/v1/runs/", new { id = "r", pipeline_id = "p", status = "running" });
        using var browser = await PageClient.SignedIn(App, client, "read");

        var first = Remaining(await browser.Get("/ui/runs/r"));
        for (var i = 0; i < 20; i++)
        {
            using var stream = new HttpRequestMessage(HttpMethod.Get, "/ui/runs/absent/live");
            Assert.Null((await browser.Send(stream)).Headers.TryGetValues("RateLimit-Remaining", out var left) ? left : null);
        }

        Assert.False((await browser.Get("/ui/executions/absent?part=state")).Headers.Contains("RateLimit-Remaining"));
        // The budget refills between the requests, so the remaining number may also be higher than before.
        Assert.InRange(Remaining(await browser.Get("/ui/runs/r")), first - 1, 99);
        Assert.False((await browser.Get("/ui/sign-in")).Headers.Contains("RateLimit-Remaining"));
    }

    private static int Remaining(HttpResponseMessage answer) => int.Parse(
        answer.Headers.GetValues("RateLimit-Remaining").Single(), System.Globalization.CultureInfo.InvariantCulture);
}
