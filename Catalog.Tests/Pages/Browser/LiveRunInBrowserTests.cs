using System.Net;
using System.Net.Sockets;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Browser;

/// <summary>A run that is followed while it runs, on a service that can be killed.</summary>
public sealed class LiveRunInBrowserTests(SqliteTestDatabase database) : BrowserTestBase, IClassFixture<SqliteTestDatabase>
{
    private readonly int _port = FreePort();
    private readonly string _run = $"live-{Guid.NewGuid():N}";
    private ServiceProcess? _service;

    protected override Uri Root => new($"http://127.0.0.1:{_port}/");

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Start();
        await Post("pipelines/", new { name = "live", version = "1" });
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _service?.Dispose();
    }

    // Acceptance row 7: updates replace elements by id; the scroll position, the focus and open details stay; the page
    // catches up after a restart.
    [Fact]
    public async Task A_run_is_followed_from_pending_to_failed_through_a_restart_of_the_service()
    {
        await Report("pending");
        var visit = await Visit();
        visit.Expect("ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)");
        visit.Expect("htmx:sse:error: (network error|Failed to fetch)");
        await SignIn(visit, next: $"/ui/runs/{_run}");
        await visit.Read<bool>("""
            () => {
                window.announced = [];
                const announcer = document.getElementById("announcer");
                new MutationObserver(() => announced.push(announcer.textContent)).observe(announcer, { childList: true });
                return true;
            }
            """);

        await Report("running", [.. Enumerable.Range(0, 40).Select(number => ($"part_{number:00}", "running"))]);
        await visit["#stage-part_00"].WaitForAsync();
        await visit["#events details summary"].First.ClickAsync();
        await visit["#stage-part_20 a"].FocusAsync();
        var scroll = await visit.Read<double>("() => { scrollTo(0, 500); return scrollY; }");
        await Report("running", ("part_00", "completed"), ("late_part", "running"));
        await visit["#stage-late_part .status-running"].First.WaitForAsync();
        await visit["#stage-part_00.status-completed"].WaitForAsync();

        Assert.Equal("#stage-part_20", await visit.Read<string>("() => document.activeElement.getAttribute('href')"));
        Assert.Equal(scroll, await visit.Read<double>("() => scrollY"));
        Assert.True(await visit.Read<bool>("() => document.querySelector('#events details').open"));

        _service!.Dispose();
        await Start();
        await Report("failed", ("part_00", "failed"));
        await visit["[data-announce] .head .status-failed"].WaitForAsync();

        Assert.Equal("#stage-part_20", await visit.Read<string>("() => document.activeElement.getAttribute('href')"));
        Assert.Equal($"run {_run}, failed · Catalog", await visit.Page.TitleAsync());
        var announced = await visit.Read<string[]>("() => announced");
        Assert.Equal([$"Run {_run} is running.", $"Run {_run} is failed."],
            announced.Where(text => !text.EndsWith("is pending.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Updates_can_be_paused()
    {
        await Report("running", ("first", "running"));
        var visit = await Visit();
        await SignIn(visit, next: $"/ui/runs/{_run}");
        await visit["button.pause"].ClickAsync();
        await visit.Read<bool>("""
            () => {
                document.addEventListener("htmx:sse:before:message", event => window.sent ||= event.detail.message.data.includes("stage-second"));
                return true;
            }
            """);

        await Report("running", ("second", "running"));
        await visit.Until("() => window.sent");
        await visit.Read<bool>("() => new Promise(done => requestAnimationFrame(() => setTimeout(() => done(true))))");

        Assert.Equal(0, await visit["#stage-second"].CountAsync());
        await visit["button.pause"].ClickAsync();
        await visit["#stage-second"].WaitForAsync();
    }

    private Task Report(string status, params (string Name, string Status)[] stages) => Post("runs/", new
    {
        id = _run,
        pipeline_id = "live",
        status,
        started_at = DateTimeOffset.UtcNow,
        completed_at = status == "failed" ? DateTimeOffset.UtcNow : (DateTimeOffset?)null,
        stages = stages.Select(stage => new { stage_name = stage.Name, status = stage.Status, started_at = DateTimeOffset.UtcNow }),
    });

    private async Task Post(string path, object body)
    {
        using var client = new HttpClient(new SecretSearchHandler(SecretSearch.Suite)) { BaseAddress = Root };
        client.DefaultRequestHeaders.Add("X-API-KEY", CatalogApp.Key);
        Assert.True((await client.PostJson($"/api/v1/{path}", body)).IsSuccessStatusCode);
    }

    private async Task Start()
    {
        _service = new(database.ServiceAddress, ("DATAXPIPE_SECRET_KEY", SecretSearch.SecretKey), ("ASPNETCORE_URLS", Root.ToString()));
        using var client = new HttpClient(new SecretSearchHandler(SecretSearch.Suite)) { BaseAddress = Root };
        for (var answers = false; !answers;)
        {
            try
            {
                answers = (await client.GetAsync("/ready", Ct)).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(50, Ct);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
