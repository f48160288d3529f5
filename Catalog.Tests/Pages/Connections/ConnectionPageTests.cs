using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Connections;

/// <summary>The pages of connections. Secrets are never shown: every answer is searched for them.</summary>
public sealed class ConnectionPageTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    private const string Password = $"pw-{SecretSearch.Word}";

    [Fact]
    public async Task A_connection_shows_its_type_and_host_and_no_secret()
    {
        await Register(Name, new { host = "db.example.com", port = 5433, user = "reader", dbname = "<i>shop</i>", password = Password });
        using var browser = await PageClient.SignedIn(App);

        var row = (await browser.Open("/ui/connections?type=postgres")).Rows().Single(cells => cells[0] == Name);
        var page = await browser.Open($"/ui/connections/{Name}");

        Assert.Equal(("postgres", "db.example.com:5433"), (row[1], row[2]));
        Assert.Contains("<i>shop</i>", page.Text, StringComparison.Ordinal);
        Assert.Contains("***", page.Text, StringComparison.Ordinal);
        var service = page.Answer.RequestMessage!.RequestUri!.GetLeftPart(UriPartial.Authority);
        Assert.Contains(
            $"curl -X DELETE -H \"X-API-KEY: $KEY\" '{service}/api/v1/connections/{Name}'", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Name, (await browser.Open("/ui/connections?type=mysql")).Source, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_test_says_its_verdict_in_one_word_and_what_to_do()
    {
        await Register(Name, new { host = "127.0.0.1", port = 1, user = "u", dbname = "d", password = Password });
        using var browser = await PageClient.SignedIn(App);

        var page = await browser.Submit(await browser.Open($"/ui/connections/{Name}"), $"form[action='/ui/connections/{Name}/test']");

        Assert.Contains(page.Texts(".verdict")[0], new[] { "refused", "unreachable" });
        Assert.NotEqual("", page.Texts("section[role=status] p")[1]);
    }

    [Fact]
    public async Task Only_the_scope_execute_tests_and_only_manage_sees_how_to_change()
    {
        using var owner = await App.Organization(Name);
        await owner.PostJson(
            "/api/v1/connections/", new { id = "c", type = "postgres", config = new { host = "h", user = "u", dbname = "d" } });
        using var reader = await PageClient.SignedIn(App, owner, "read");
        using var manager = await PageClient.SignedIn(App, owner, "read", "manage");

        var page = await reader.Open("/ui/connections/c");

        Assert.Empty(page.Html.QuerySelectorAll("main form"));
        Assert.DoesNotContain("curl", page.Text, StringComparison.Ordinal);
        Assert.Contains("'execute'", (await reader.Post("/ui/connections/c/test", 403)).Text, StringComparison.Ordinal);
        Assert.Contains("curl -X PUT", (await manager.Open("/ui/connections/c")).Text, StringComparison.Ordinal);
        await manager.Open("/ui/connections/absent", 404);
    }

    [Fact]
    public async Task Without_connections_the_page_shows_how_to_register_one()
    {
        using var owner = await App.Organization(Name);
        using var browser = await PageClient.SignedIn(App, owner, "read");

        var empty = (await browser.Open("/ui/connections")).One(".empty pre").TextContent;
        Assert.Contains("/api/v1/connections/", empty, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_with_quotes_stays_one_argument_of_the_shown_command()
    {
        var id = $"{Name}'; rm -rf $HOME; \"";
        await Register(id, new { host = "h", user = "u", dbname = "d" });
        using var browser = await PageClient.SignedIn(App);

        var page = await browser.Open($"/ui/connections/{Uri.EscapeDataString(id)}");

        Assert.Contains($"{Name}%27%3B%20rm%20-rf%20%24HOME%3B%20%22'", page.Text, StringComparison.Ordinal);
    }

    private async Task Register(string id, object config) =>
        Assert.Equal(201, (int)(await Client.PostJson("/api/v1/connections/", new { id, type = "postgres", config })).StatusCode);
}
