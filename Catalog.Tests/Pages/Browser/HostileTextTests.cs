using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Browser;

/// <summary>
/// The tests post strings that break careless pages, as ids and texts of everything that the API accepts. The pages
/// must show them as text and never run them: a dialog, an error of a script or a report of the Content-Security-Policy
/// fails the test.
/// </summary>
public sealed class HostileTextTests(SqliteTestDatabase database) : BrowserTestBase, IClassFixture<SqliteTestDatabase>
{
    private static readonly SearchValues<char> Special = SearchValues.Create("<>\"'`&{\\%");

    private readonly CatalogApp _app = database.SharedService();
    private readonly List<string> _ids = [];
    private int _texts;

    protected override Uri Root
    {
        get
        {
            _app.StartServer();
            return _app.ClientOptions.BaseAddress;
        }
    }

    [Fact]
    public async Task Hostile_strings_are_shown_as_text_on_every_page()
    {
        await Post([.. JsonSerializer.Deserialize<string[]>(await File.ReadAllTextAsync(
            RealInput.Files("hostile").Single(file => file.EndsWith("strings.json", StringComparison.Ordinal)), Ct))!,
            "<script>window.__xss = 1</script>", "\"><img src=x onerror=\"window.__xss = 1\">", "' autofocus onfocus='window.__xss = 1"]);
        Assert.True(_ids.Count > 100, $"{_ids.Count} accepted");
        var visit = await Visit();
        await SignIn(visit);

        foreach (var list in Lists)
        {
            await ReadList(visit, list.Address, list.Shows ? _ids : []);
        }

        await ReadAll(visit, "/ui/runs/all?stages=all", _ids);
        var turn = 0;
        // The addresses of the other ids contain no special characters, only letters of other scripts. They are not
        // visited.
        foreach (var id in _ids.Where(id => id.AsSpan().ContainsAny(Special)))
        {
            // Each id is read on one page in turn. An id that is markup with a script is read on all pages.
            foreach (var page in id.Contains("__xss", StringComparison.Ordinal) ? Pages : [Pages[turn++ % Pages.Length]])
            {
                await ReadAll(visit, page.Replace("ID", Uri.EscapeDataString(id), StringComparison.Ordinal), [id]);
            }
        }
    }

    // The list pages, and whether they show the id of every item.
    private static readonly (string Address, bool Shows)[] Lists =
    [
        ("/ui?range=30d", false), ("/ui/runs", true), ("/ui/pipelines", true), ("/ui/checks", true), ("/ui/checks/flapping", false),
        ("/ui/checks/results", true), ("/ui/datasets", true), ("/ui/search?q=script", false), ("/ui/audit", false),
    ];

    private static readonly string[] Pages =
    [
        "/ui/runs/ID", "/ui/pipelines/ID", "/ui/pipelines/ID?tab=stages", "/ui/pipelines/ID?tab=versions", "/ui/pipelines/ID?tab=body",
        "/ui/checks/ID?pipeline_id=ID", "/ui/datasets/ID", "/ui/lineage?dataset=ID", "/ui/search?q=ID",
    ];

    // Reads all pages of a list, one after the other.
    private static async Task ReadList(Visit visit, string address, List<string> shown)
    {
        var text = "";
        for (string? next = address; next is not null;)
        {
            await Open(visit, next);
            text += Plain(await visit.Read<string>("() => document.body.textContent"));
            next = await visit.Read<string?>("() => document.querySelector('a[rel=next]')?.getAttribute('href')");
        }

        RequireShown(address, text, shown);
    }

    private static async Task ReadAll(Visit visit, string address, List<string> shown)
    {
        await Open(visit, address);
        RequireShown(address, Plain(await visit.Read<string>("() => document.body.textContent")), shown);
    }

    private static void RequireShown(string address, string text, List<string> shown)
    {
        var missing = shown.Where(id => !text.Contains(Plain(id), StringComparison.Ordinal)).ToList();
        Assert.True(missing.Count == 0, $"{address} does not show: {string.Join(" | ", missing)}");
    }

    private static async Task Open(Visit visit, string address)
    {
        Assert.Equal((address, 200), (address, await visit.Go(address)));
        Assert.False(await visit.Read<bool>("() => '__xss' in window"), $"A text ran as a script on {address}.");
    }

    private async Task Post(string[] strings)
    {
        using var client = _app.Client();
        Assert.True(await Accepts(client, "pipelines/", new { name = "plain", version = "1" }));
        foreach (var text in strings)
        {
            var free = await Accepts(client, "runs/", new
            {
                id = $"text-{_texts++}",
                pipeline_id = "plain",
                status = "failed",
                error_message = text,
                trigger = text,
            });
            // If the API accepts the text as an id, the text is posted in all places. Otherwise it is posted in no
            // other place.
            if (free && await Accepts(client, "pipelines/",
                new { name = text, version = "1", owner = text, description = text, environment = text, tags = new[] { text } })
                && await Accepts(client, "runs/", Run(text)))
            {
                _ids.Add(text);
                await Accepts(client, "checks/results", new
                {
                    pipeline_id = text,
                    check_id = text,
                    run_id = text,
                    status = "fail",
                    dataset = text,
                    message = text,
                    observed_value = text,
                });
                await Accepts(client, "runs/", new { id = text, pipeline_id = text, status = "failed", external_url = text });
                await Accepts(client, "pipelines/", new
                {
                    name = $"edge-{_ids.Count}",
                    version = "1",
                    edges = new[] { new { from = text, to = "to " + text } },
                });
            }
        }

        var stages = _ids.Select(id => new { stage_name = id, status = "failed", error_message = id });
        Assert.True(await Accepts(client, "runs/", new { id = "all", pipeline_id = "plain", status = "failed", stages }));
    }

    private static object Run(string text) => new
    {
        id = text,
        pipeline_id = text,
        status = "failed",
        completed_at = DateTimeOffset.UtcNow,
        error_message = text,
        trigger = text,
        metadata = new Dictionary<string, string> { [text] = text },
        stages = new[] { new { stage_name = text, status = "failed", error_message = text } },
    };

    private static async Task<bool> Accepts(HttpClient client, string path, object body)
    {
        var answer = await client.PostJson($"/api/v1/{path}", body);
        Assert.InRange((int)answer.StatusCode, 200, 499);
        return answer.IsSuccessStatusCode;
    }

    // Removes the characters in which a page may differ from the posted text. HTML folds white space, and drawings omit
    // characters that are invisible or change the direction of text.
    private static string Plain(string text) => string.Concat(text.EnumerateRunes().Where(rune =>
        !System.Text.Rune.IsWhiteSpace(rune) && System.Text.Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control
        or UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate)
        && rune.Value != 0xFFFD));
}
