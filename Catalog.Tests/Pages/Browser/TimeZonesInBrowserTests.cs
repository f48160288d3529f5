namespace Catalog.Tests.Pages.Browser;

/// <summary>Acceptance row 6: one time zone, chosen once, on all times and axes; UTC in title and datetime; 24 hours.</summary>
public sealed class TimeZonesInBrowserTests(ExampleCatalog catalog) : ExampleBrowserTests(catalog), IClassFixture<ExampleCatalog>
{
    // Reads the text of each time, without the name of a zone, and the text that Intl formats for this time in the
    // zone. Ages ("3 min ago") are left out.
    private const string Times = """
        zone => [...document.querySelectorAll("time")].filter(time => /^\d{4}-/.test(time.textContent.trim())).map(time => ({
            text: time.textContent.trim(),
            title: time.title,
            expected: new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" })
                .format(new Date(Math.floor(new Date(time.dateTime).getTime() / 1000) * 1000)),
            utc: time.dateTime.slice(0, 19).replace("T", " ") + " UTC",
        }))
        """;

    [Fact]
    public async Task The_chosen_zone_is_used_and_printed_on_every_page()
    {
        const string Zone = "Asia/Kathmandu";
        var visit = await SignedIn();
        await visit.Go($"/ui/runs/{ExampleData.Failed}");
        await visit["details.zone summary"].ClickAsync();
        await visit["#zone"].FillAsync(Zone);
        await visit["details.zone button"].First.ClickAsync();
        await visit[$"details.zone summary >> text='Times in {Zone}'"].WaitForAsync();
        Assert.Equal($"/ui/runs/{ExampleData.Failed}", visit.Address);

        Assert.Equal("Asia/Kathmandu, UTC+05:45", await visit[".axis-zone"].First.InnerTextAsync());
        foreach (var name in ExamplePages.All.Keys.Except(ExamplePages.Errors.Keys))
        {
            await visit.Go(ExamplePages.Address(name, Catalog.Data));
            foreach (var time in await visit.Read<ShownTime[]>(Times, Zone))
            {
                Assert.Equal((name, time.Expected, time.Utc), (name, time.Text, time.Title));
            }

            Assert.Equal($"Times in {Zone}", await visit["details.zone summary"].InnerTextAsync());
            Assert.All(await visit[".axis-zone"].AllInnerTextsAsync(), text => Assert.StartsWith(Zone, text, StringComparison.Ordinal));
            Assert.DoesNotMatch(@"\d (AM|PM)\b", await visit["body"].InnerTextAsync());
        }
    }

    [Fact]
    public async Task The_zone_of_the_browser_is_one_click_away_and_UTC_is_the_default()
    {
        var visit = await SignedIn(options => options.TimezoneId = "Asia/Kolkata");
        await visit.Go("/ui/runs");
        Assert.Equal("Times in UTC", await visit["details.zone summary"].InnerTextAsync());

        await visit["details.zone summary"].ClickAsync();
        await visit["button.own-zone"].ClickAsync();

        await visit["details.zone summary >> text=/Times in Asia.(Kolkata|Calcutta)/"].WaitForAsync();
        Assert.All(await visit.Read<ShownTime[]>(Times, "Asia/Kolkata"), time => Assert.Equal(time.Expected, time.Text));
    }

    private sealed class ShownTime
    {
        public string Text { get; set; } = "";
        public string Title { get; set; } = "";
        public string Expected { get; set; } = "";
        public string Utc { get; set; } = "";
    }
}
