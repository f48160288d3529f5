using Catalog.Tests.Executions;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Executions;

public sealed class ExecutionPagesOnSqlite(SqliteTestDatabase database) : ExecutionPageTests(database), IClassFixture<SqliteTestDatabase>;

/// <summary>The pages of executions, and the button of a check that starts one.</summary>
public abstract class ExecutionPageTests(TestDatabase database) : ExecutionTestBase(database)
{
    [Fact]
    public async Task An_ended_execution_shows_each_outcome_failures_first()
    {
        await Pipeline("pass", "warn", "fail");
        var id = Text(await (await Execute()).Json(), "id");
        using var browser = await PageClient.SignedIn(App);

        var page = await browser.Open($"/ui/executions/{id}");
        var row = (await browser.Open($"/ui/executions?pipeline_id={Name}")).Rows().Single();

        Assert.Contains(", completed", page.Title, StringComparison.Ordinal);
        Assert.Equal(["fail fail-2", "warn warn-1", "pass pass-0"],
            page.Rows("main section:last-of-type table").Select(cells => $"{cells[0]} {cells[1]}"));
        Assert.Equal(["t0", "t1", "t2"], page.Rows("main section:nth-of-type(2) table").Select(cells => cells[0]));
        Assert.False(page.One("#state").HasAttribute("hx-get"));
        Assert.Empty(page.Html.QuerySelectorAll("main form"));
        Assert.Equal(("completed", id, "3 of 3", "1 fail 1 warn 1 pass"), (row[0], row[1], row[3], row[4]));
    }

    [Fact]
    public async Task A_running_execution_is_followed_and_cancelled()
    {
        await Pipeline("slow");
        var id = Text(await (await Execute(wait: null)).Json(), "id");
        await Until(id, execution => Text(execution, "status") == "running");
        using var browser = await PageClient.SignedIn(App);

        var page = await browser.Open($"/ui/executions/{id}");
        var part = await browser.Open(page.One("#state").GetAttribute("hx-get")!);
        await browser.Submit(page, $"form[action='/ui/executions/{id}/cancel']");
        await Ended(id);
        var ended = await browser.Open($"/ui/executions/{id}");

        Assert.Equal("every 2s", page.One("#state").GetAttribute("hx-trigger"));
        Assert.Single(page.Html.QuerySelectorAll("button.pause"));
        Assert.DoesNotContain("<html", part.Source, StringComparison.Ordinal);
        Assert.Equal("running, 0 of 1 checks", part.One("[data-announcement]").GetAttribute("data-announcement"));
        Assert.Contains(", cancelled", ended.Title, StringComparison.Ordinal);
        Assert.Contains("no outcome", ended.Text, StringComparison.Ordinal);
        await browser.Open($"/ui/executions/{id}?part=all", 422);
        await browser.Open("/ui/executions/absent", 404);
    }

    [Fact]
    public async Task A_check_is_executed_from_its_page()
    {
        await Pipeline("pass", "external");
        using var browser = await PageClient.SignedIn(App);
        var form = await browser.Open($"/ui/checks/pass-0?pipeline_id={Name}");

        var page = await browser.Submit(form, "form[action='/ui/checks/pass-0/execute']");
        await Ended(page.Path["/ui/executions/".Length..]);

        Assert.Equal("pass", (await browser.Open(page.Path)).Rows("main section:last-of-type table")[0][0]);
        Assert.Empty((await browser.Open($"/ui/checks/external-1?pipeline_id={Name}")).Html.QuerySelectorAll("main form[method=post]"));
    }

    [Fact]
    public async Task Only_the_scope_execute_starts_and_cancels()
    {
        using var owner = await App.Organization(Name);
        await owner.PostJson("/api/v1/checks/", new { id = "c", kind = "slow", connection_id = "w" });
        var id = Text(await (await owner.PostAsync("/api/v1/checks/c/execute", null, Ct)).Json(), "id");
        using var reader = await PageClient.SignedIn(App, owner, "read");
        using var stranger = await PageClient.SignedIn(App);

        Assert.Empty((await reader.Open("/ui/checks/c")).Html.QuerySelectorAll("main form[method=post]"));
        Assert.Empty((await reader.Open($"/ui/executions/{id}")).Html.QuerySelectorAll("main form"));
        Assert.Contains("'execute'", (await reader.Post("/ui/checks/c/execute", 403)).Text, StringComparison.Ordinal);
        Assert.Contains("'execute'", (await reader.Post($"/ui/executions/{id}/cancel", 403)).Text, StringComparison.Ordinal);
        await stranger.Open($"/ui/executions/{id}", 404);
        await stranger.Post($"/ui/executions/{id}/cancel", 404);
        await stranger.Post("/ui/checks/c/execute", 404);
        Assert.True((await owner.PostAsync($"/api/v1/executions/{id}/cancel", null, Ct)).IsSuccessStatusCode);
    }
}
