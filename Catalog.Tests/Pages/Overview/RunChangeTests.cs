using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Overview;

/// <summary>The newest starts and ends of runs on the overview page.</summary>
[Trait("Category", "Fast")]
public sealed class RunChangeTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Fact]
    public async Task The_newest_starts_and_ends_of_runs_lead_to_their_run()
    {
        using var client = await App.Organization(Name);
        await PageData.Pipeline(client, "p");
        var now = DateTimeOffset.UtcNow;
        await Run(client, "old", "completed", now.AddHours(-3), now.AddMinutes(-40));
        await Run(client, "broken", "failed", now.AddMinutes(-30), now.AddMinutes(-10));
        await Run(client, "live", "running", now.AddMinutes(-20), null);
        await Run(client, "announced", "pending", null, null);
        await Run(client, "outside", "completed", now.AddDays(-3), now.AddDays(-2));
        using var browser = await PageClient.SignedIn(App, client, "read");

        var page = await browser.Open("/ui?range=24h");

        Assert.Equal(
            ["announced announced", "failed broken", "started live", "started broken", "completed old", "started old"],
            page.Rows("#events table").Select(row => $"{row[1]} {row[2]}"));
        Assert.Equal("out of memory", page.Rows("#events table")[1][4]);
        Assert.Equal("", page.Rows("#events table")[3][4]);
        Assert.Equal("/ui/runs/broken", page.Html.QuerySelectorAll("#events tbody a")[2].GetAttribute("href"));
    }

    [Fact]
    public async Task The_newest_events_are_ten_and_say_when_there_are_none()
    {
        using var client = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, client, "read");
        Assert.Contains("No run has started or ended in this range.", (await browser.Open("/ui")).Text, StringComparison.Ordinal);

        await PageData.Pipeline(client, "p");
        foreach (var number in Enumerable.Range(0, 12))
        {
            var start = DateTimeOffset.UtcNow.AddMinutes(number - 30);
            await Run(client, $"run-{number}", "completed", start, start.AddMinutes(10));
        }

        Assert.Equal(10, (await browser.Open("/ui")).Rows("#events table").Count);
    }

    private static Task Run(HttpClient client, string id, string status, DateTimeOffset? start, DateTimeOffset? end) =>
        PageData.Post(client, "/api/v1/runs/", new
        {
            id,
            pipeline_id = "p",
            status,
            started_at = start,
            completed_at = end,
            error_message = status == "failed" ? "out of memory" : null,
        });
}
