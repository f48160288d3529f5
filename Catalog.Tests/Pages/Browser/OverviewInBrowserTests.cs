using System.Globalization;

namespace Catalog.Tests.Pages.Browser;

/// <summary>Acceptance rows 4 and 12: the numbers of the overview are those of the lists that they link to.</summary>
public sealed class OverviewInBrowserTests(ExampleCatalog catalog) : ExampleBrowserTests(catalog), IClassFixture<ExampleCatalog>
{
    [Theory]
    [InlineData("Runs failed", "1h")]
    [InlineData("Runs failed", "7d")]
    [InlineData("Runs failed", "30d")]
    [InlineData("Running now", "1h")]
    [InlineData("Running now", "24h")]
    [InlineData("Checks failing now", "24h")]
    public async Task A_number_equals_the_list_that_it_links_to(string tile, string range)
    {
        var visit = await SignedIn();
        await visit.Go($"/ui?range={range}");
        var number = await Number(visit, tile);

        await visit[$".tile:has-text('{tile}')"].ClickAsync();
        await visit["form.filters"].WaitForAsync();

        Assert.True(number > 0);
        Assert.StartsWith($"{number}", await visit[".head span.muted, main > p.muted"].First.InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(number, await visit["tbody tr"].CountAsync());
    }

    [Fact]
    public async Task The_number_of_late_pipelines_equals_the_rows_below()
    {
        var visit = await SignedIn();
        await visit.Go("/ui");

        var number = await Number(visit, "Pipelines late");

        Assert.True(number > 0);
        Assert.Equal(number, await visit["#late tbody tr"].CountAsync());
    }

    [Fact]
    public async Task A_run_that_began_long_before_the_range_is_shown_when_it_failed_in_it_or_still_runs()
    {
        var visit = await SignedIn();
        await visit.Go("/ui?range=1h");

        Assert.Equal(1, await visit[$"#failed a:text-is('{ExampleData.Long}')"].CountAsync());
        Assert.Equal(1, await visit[$"#running a:text-is('{ExampleData.Endless}')"].CountAsync());
    }

    private static async Task<int> Number(Visit visit, string tile) =>
        int.Parse(await visit[$".tile:has-text('{tile}') b"].InnerTextAsync(), NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
}
