using System.Text.RegularExpressions;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pages;

/// <summary>
/// The frame of every page: errors, the time zone, addresses. <see cref="PageRules"/> checks each page that a test reads.
/// </summary>
public sealed partial class FrameTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Fact]
    public async Task The_root_leads_to_the_pages()
    {
        using var browser = new PageClient(App);

        Assert.Equal("/ui", (await browser.Get("/")).Headers.Location?.OriginalString);
    }

    [Theory]
    [InlineData("/ui/absent", 404, "not_found")]
    [InlineData("/ui/runs/absent", 404, "not_found")]
    [InlineData("/ui/runs?stauts=failed", 422, "invalid")]
    [InlineData("/ui/runs?status=borken", 422, "invalid")]
    [InlineData("/ui/runs?download=exe", 422, "invalid")]
    public async Task Errors_are_pages_with_a_code(string path, int status, string code)
    {
        using var browser = await PageClient.SignedIn(App);

        var page = await browser.Open(path, status);

        Assert.Contains($"Code {code}", page.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/ui/runs?stauts=failed", "Stauts: this page has no such filter.")]
    [InlineData("/ui/runs?pipeline_id=%00", "Pipeline: ")]
    [InlineData("/ui/checks/flapping?window=x", "Last results: ")]
    public async Task An_error_names_the_field_of_the_page_and_no_word_of_the_API(string path, string expected)
    {
        using var browser = await PageClient.SignedIn(App);

        var page = await browser.Open(path, 422);

        Assert.Equal("Not valid · Catalog", page.Title);
        Assert.Contains(expected, page.Text, StringComparison.Ordinal);
        Assert.DoesNotMatch("(?i)json|pointer|body|query parameter|_id", page.Text);
    }

    [Theory]
    [InlineData("/ui")]
    [InlineData("/ui/pipelines")]
    [InlineData("/ui/runs")]
    [InlineData("/ui/checks")]
    [InlineData("/ui/datasets")]
    [InlineData("/ui/lineage")]
    [InlineData("/ui/executions")]
    [InlineData("/ui/connections")]
    public async Task A_command_names_the_address_of_the_service_as_the_reader_sees_it(string path)
    {
        using var client = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, client, "read");

        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = "catalog.example:8443";
        request.Headers.Add("X-Forwarded-Proto", "https");
        var page = await WebPage.Read(await browser.Send(request));

        Assert.Contains("https://catalog.example:8443/api/v1/", page.One("main pre").TextContent, StringComparison.Ordinal);
        Assert.DoesNotContain("localhost", page.Source, StringComparison.Ordinal);
        Assert.DoesNotContain("{service}", page.Source, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_elsewhere_are_problem_documents()
    {
        using var browser = await PageClient.SignedIn(App);

        await (await browser.Get("/absent", ("Accept", "text/html"))).Problem(404, "not_found");
        await (await browser.Get("/api/v1/runs/", ("Accept", "text/html"))).Problem(401, "unauthorized");
    }

    [Fact]
    public async Task Every_time_is_in_the_chosen_zone_with_UTC_beside_it()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        await Client.PostJson("/api/v1/runs/", new
        {
            id = Name,
            pipeline_id = Name,
            status = "completed",
            started_at = "2026-01-31T23:30:00Z",
            completed_at = "2026-01-31T23:40:00Z",
        });
        using var browser = await PageClient.SignedIn(App);
        var utc = await browser.Open($"/ui/runs?pipeline_id={Name}");

        var berlin = await browser.Submit(utc, "form[action='/ui/time-zone']", 200, ("zone", "Europe/Berlin"));
        var kolkata = await browser.Submit(berlin, "form[action='/ui/time-zone']", 200, ("zone", "Asia/Kolkata"));

        Assert.Equal(utc.Address, berlin.Address);
        foreach (var (page, zone, text) in new[]
        {
            (utc, "UTC", "2026-01-31 23:30:00"), (berlin, "Europe/Berlin", "2026-02-01 00:30:00"),
            (kolkata, "Asia/Kolkata", "2026-02-01 05:00:00"),
        })
        {
            var time = page.One("main td time");
            Assert.Equal((text, "2026-01-31T23:30:00Z", "2026-01-31 23:30:00 UTC"),
                (time.TextContent, time.GetAttribute("datetime"), time.GetAttribute("title")));
            Assert.Equal($"Times in {zone}", page.One(".zone summary").TextContent);
        }
    }

    [Theory]
    [InlineData("Europe/Nowhere")]
    [InlineData("../../etc/passwd")]
    [InlineData("<b>")]
    [InlineData("")]
    public async Task A_time_zone_that_does_not_exist_is_refused(string zone)
    {
        using var browser = await PageClient.SignedIn(App);

        var page = await browser.Submit(await browser.Open("/ui/runs"), "form[action='/ui/time-zone']", 422, ("zone", zone));

        Assert.Contains("IANA", page.Text, StringComparison.Ordinal);
        Assert.Contains("Times in UTC", (await browser.Open("/ui/runs")).Source, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_contains_only_the_filters_that_are_set()
    {
        using var browser = await PageClient.SignedIn(App);

        var page = await browser.Submit(await browser.Open("/ui/runs?status=failed"), "form.filters", 200, ("pipeline_id", "a b&c=d"));

        Assert.Equal("/ui/runs?status=failed&pipeline_id=a%20b%26c%3Dd", page.Address);
        Assert.Equal("a b&c=d", page.One("#pipeline_id").GetAttribute("value"));
    }

    [Fact]
    public async Task Styles_and_scripts_are_compressed_and_never_change()
    {
        using var browser = new PageClient(App);
        var page = await browser.Open("/ui/sign-in");
        var addresses = Asset().Matches(page.Source).Select(match => match.Value).Distinct().ToList();

        Assert.Equal(6, addresses.Count);
        foreach (var address in addresses)
        {
            var plain = await browser.Get(address);
            var packed = await browser.Get(address, ("Accept-Encoding", "gzip, br"));

            Assert.True(plain.Headers.CacheControl is { Public: true, MaxAge.TotalDays: 365 });
            Assert.Contains("immutable", plain.Headers.CacheControl!.Extensions.Select(extension => extension.Name));
            Assert.Equal(Path.GetExtension(address) switch { ".css" => "text/css", ".js" => "text/javascript", _ => "image/svg+xml" },
                plain.Content.Headers.ContentType?.MediaType);
            Assert.Equal(["br"], packed.Content.Headers.ContentEncoding);
            await using var brotli = new System.IO.Compression.BrotliStream(await packed.Content.ReadAsStreamAsync(Ct),
                System.IO.Compression.CompressionMode.Decompress);
            using var reader = new StreamReader(brotli);
            Assert.Equal(await plain.Content.ReadAsStringAsync(Ct), await reader.ReadToEndAsync(Ct));
        }
    }

    [Fact]
    public async Task An_asset_of_another_release_is_served_but_not_kept()
    {
        using var browser = new PageClient(App);

        var answer = await browser.Get("/ui/assets/0000000000000000/ui.css");

        Assert.Equal((200, "no-store"), ((int)answer.StatusCode, answer.Headers.CacheControl?.ToString()));
        Assert.Equal(404, (int)(await browser.Get("/ui/assets/0000000000000000/..%2F..%2F..%2Fcatalog.db")).StatusCode);
        await browser.Open("/ui/assets/0000000000000000/absent.css", 404);
    }

    [GeneratedRegex("/ui/assets/[^\"]+")]
    private static partial Regex Asset();
}
