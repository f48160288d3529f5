namespace Catalog.Tests.Pages.Browser;

/// <summary>
/// The cost of a page depends on its limit and not on the length of the history (acceptance rows 1, 2, 8, 14 and 15).
/// </summary>
public sealed class BoundedPageTests(ExampleCatalog catalog) : ExampleBrowserTests(catalog), IClassFixture<ExampleCatalog>
{
    [Fact]
    public async Task Row_1_a_run_of_900_stages_shows_a_part_and_all_on_request()
    {
        var visit = await SignedIn();
        await visit.Go($"/ui/runs/{ExampleData.WideRun}");
        Assert.InRange(await visit["table.timeline tbody tr"].CountAsync(), 100, 201);

        await visit[".timeline-folded a"].ClickAsync();
        await visit.Page.WaitForURLAsync("**stages=all");

        Assert.Equal(ExampleData.WideStages, await visit["table.timeline tbody tr"].CountAsync());
    }

    [Theory]
    [InlineData("/ui/runs")]
    [InlineData("/ui/pipelines")]
    [InlineData("/ui/checks/results")]
    [InlineData("/ui/datasets")]
    public async Task Row_2_a_list_shows_at_most_50_rows_and_transfers_less_than_150_KB_with_all_its_files(string address)
    {
        var visit = await SignedIn();
        var sizes = new System.Collections.Concurrent.ConcurrentBag<Task<int>>();
        visit.Page.RequestFinished += (_, request) => sizes.Add(SizeOf(request));

        await visit.Go(address);
        await visit.Page.WaitForLoadStateAsync(Microsoft.Playwright.LoadState.NetworkIdle);

        Assert.InRange(await visit["main tbody tr:not(.attention tr)"].CountAsync(), 1, 50);
        Assert.InRange((await Task.WhenAll(sizes)).Sum(), 1, 150 * 1024);
    }

    [Fact]
    public async Task Row_8_a_long_text_is_plain_and_selectable_with_a_note_of_what_is_left_out()
    {
        var visit = await SignedIn();
        await visit.Go(ExamplePages.Address("run-hostile", Catalog.Data));

        var text = visit["main pre:has(.left-out)"].First;
        Assert.Matches(@"… [\d,]+ KB left out …", await text.InnerTextAsync());
        Assert.Contains("\nat <b>line</b>\nat <b>line</b>", await text.InnerTextAsync(), StringComparison.Ordinal);
        Assert.True(await visit.Read<bool>("() => find('KB left out')"));
        var download = await visit.Page.RunAndWaitForDownloadAsync(
            () => visit["main a >> text='Download the whole text'"].First.ClickAsync());
        Assert.Equal("error.txt", download.SuggestedFilename);
        Assert.Equal(2000, (await File.ReadAllLinesAsync(await download.PathAsync(), Ct)).Count(line => line == "at <b>line</b>"));
        Assert.Equal("text", await text.EvaluateAsync<string>("element => getComputedStyle(element).userSelect.replace('auto', 'text')"));
    }

    [Fact]
    public async Task Row_14_failed_and_running_stages_come_first_and_the_list_names_the_culprit()
    {
        var visit = await SignedIn();
        await visit.Go($"/ui/runs/{ExampleData.WideRun}");
        Assert.Equal("table_700", (await visit["table.timeline tbody th"].First.InnerTextAsync()).Trim());

        await visit.Go("/ui/runs?status=failed");

        Assert.Equal("Stage 'table_700' failed.",
            await visit[$"tr:has(a:text-is('{ExampleData.WideRun}')) [data-label=Reason]"].InnerTextAsync());
    }

    [Theory]
    [InlineData("CSV of this page", "runs.csv")]
    [InlineData("JSON of this page", "runs.json")]
    public async Task Row_15_an_export_is_a_download(string link, string file)
    {
        var visit = await SignedIn();
        await visit.Go("/ui/runs?status=failed");

        var download = await visit.Page.RunAndWaitForDownloadAsync(() => visit[$".pager a >> text='{link}'"].ClickAsync());

        Assert.Equal(file, download.SuggestedFilename);
        Assert.Contains(ExampleData.WideRun, await File.ReadAllTextAsync(await download.PathAsync(), Ct), StringComparison.Ordinal);
        Assert.Equal("/ui/runs?status=failed", visit.Address);
    }

    [Fact]
    public async Task Row_15_an_error_is_in_words_with_the_next_step()
    {
        var visit = await SignedIn();
        visit.Expect("status of 422");
        await visit.Go("/ui/runs?status=wrong");

        Assert.Contains("must be one of", await visit["main"].InnerTextAsync(), StringComparison.Ordinal);
        await visit["main a >> text='Show this page without filters'"].ClickAsync();
        await visit["form.filters"].WaitForAsync();
        Assert.Equal("/ui/runs", visit.Address);
    }

    private static async Task<int> SizeOf(Microsoft.Playwright.IRequest request)
    {
        var sizes = await request.SizesAsync();
        return sizes.ResponseBodySize + sizes.ResponseHeadersSize;
    }
}
