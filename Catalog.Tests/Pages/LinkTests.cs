using Catalog.Tests.Support;

namespace Catalog.Tests.Pages;

/// <summary>
/// Every link of every page leads to a page. Unusual spellings of an address lead to pages with the usual headers and
/// forms.
/// </summary>
public sealed class LinkTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    private const int MaxPages = 400;

    [Fact]
    public async Task Every_link_leads_to_a_page()
    {
        using var client = await App.Organization(Name);
        await PageData.Sales(client);
        await PageData.Pipeline(client, PageData.Hostile, ("x%2Fy", "a/b c"));
        await client.PostJson("/api/v1/checks/results",
            new { pipeline_id = "nightly", check_id = "rows", status = "pass", dataset = "only/results" });
        using var browser = await PageClient.SignedIn(App, client, "read", "write", "manage", "execute");
        var open = new Queue<string>(["/ui"]);
        var seen = new HashSet<string>(open, StringComparer.Ordinal);

        while (open.TryDequeue(out var address) && seen.Count < MaxPages)
        {
            using var answer = await browser.Get(address);
            var status = (int)answer.StatusCode;
            Assert.True(status is 200 or 302, $"{status} at {address}");
            if (answer.Content.Headers.ContentType?.MediaType != "text/html")
            {
                continue;
            }

            var links = (await WebPage.Read(answer)).Html.QuerySelectorAll("a[href]").Select(link => link.GetAttribute("href")!);
            foreach (var href in links.Select(link => link.Split('#')[0]))
            {
                if (href.StartsWith("/ui", StringComparison.Ordinal) && seen.Add(href))
                {
                    open.Enqueue(href);
                }
            }
        }

        Assert.True(seen.Count > 60, $"{seen.Count} pages");
    }

    [Theory]
    [InlineData("/UI/sign-in")]
    [InlineData("/Ui/absent")]
    [InlineData("/%55I/sign-in")]
    public async Task An_address_in_other_letters_is_a_page_with_the_same_headers(string path)
    {
        using var browser = new PageClient(App);

        using var answer = await browser.Get(path);

        Assert.StartsWith(
            "default-src 'none'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task The_time_zone_form_of_an_answer_to_a_form_leads_back_to_the_page_with_the_form()
    {
        using var browser = new PageClient(App);
        var form = await browser.Open("/ui/sign-in?next=/ui/runs");
        var token = form.Fields("form:has(#key)").First(field => field.Name.StartsWith("__", StringComparison.Ordinal));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/ui/sign-in");
        request.Content = new FormUrlEncodedContent([new(token.Name, token.Value!), new("key", "wrong")]);
        request.Headers.Referrer = new Uri(form.Answer.RequestMessage!.RequestUri!, "/ui/sign-in?next=/ui/runs");

        var failed = await WebPage.Read(await browser.Send(request));

        var page = await browser.Submit(failed, "form[action='/ui/time-zone']", 200, ("zone", "UTC"));
        Assert.Equal("/ui/sign-in?next=/ui/runs", page.Address);
    }
}
