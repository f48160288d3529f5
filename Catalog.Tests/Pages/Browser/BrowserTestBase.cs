using Catalog.Tests.Support;
using Microsoft.Playwright;

namespace Catalog.Tests.Pages.Browser;

/// <summary>
/// Tests in a real browser. Each visit has a browser context of its own; when the test ends, no visit may have a fault.
/// </summary>
[Trait("Category", "Browser")]
[Trait("Category", "Slow")]
public abstract class BrowserTestBase : IAsyncLifetime
{
    private readonly List<(IBrowserContext Context, Visit Visit)> _visits = [];

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The address of the service.</summary>
    protected abstract Uri Root { get; }

    public virtual async ValueTask InitializeAsync() => await Chromium.Require();

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var (context, _) in _visits)
        {
            await context.CloseAsync();
        }

        GC.SuppressFinalize(this);
        var faults = _visits.SelectMany(visit => visit.Visit.Faults).ToList();
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    /// <summary>Starts a visit without sign-in.</summary>
    protected async Task<Visit> Visit(Action<BrowserNewContextOptions>? options = null)
    {
        var settings = new BrowserNewContextOptions
        {
            ViewportSize = new() { Width = 1280, Height = 900 },
            Locale = "en-GB",
            TimezoneId = "UTC",
            AcceptDownloads = true,
        };
        options?.Invoke(settings);
        var context = await (await Chromium.Require()).NewContextAsync(settings);
        // Builds and other tests use the same cores, so an action may take up to 30 s.
        context.SetDefaultTimeout(30_000);
        var visit = await Browser.Visit.Start(context, Root);
        _visits.Add((context, visit));
        return visit;
    }

    /// <summary>Signs in on the sign-in page.</summary>
    protected static async Task SignIn(Visit visit, string key = CatalogApp.Key, string next = "/ui")
    {
        await visit.Go($"/ui/sign-in?next={Uri.EscapeDataString(next)}");
        await visit["#key"].FillAsync(key);
        await visit["form:has(#key) button.primary"].ClickAsync();
        await visit["details.account"].WaitForAsync();
    }
}

/// <summary>Tests with the shared example catalog, signed in.</summary>
public abstract class ExampleBrowserTests(ExampleCatalog catalog) : BrowserTestBase
{
    private static readonly SemaphoreSlim Turn = new(1, 1);

    protected override Uri Root => catalog.Root;

    protected ExampleCatalog Catalog => catalog;

    /// <summary>Starts a visit with the session of the operator. Each service signs in once.</summary>
    protected async Task<Visit> SignedIn(Action<BrowserNewContextOptions>? options = null)
    {
        await Turn.WaitAsync(Ct);
        try
        {
            if (catalog.Session is null)
            {
                var first = await Visit();
                await SignIn(first);
                catalog.Session = await first.Page.Context.StorageStateAsync();
            }
        }
        finally
        {
            Turn.Release();
        }

        return await Visit(settings =>
        {
            settings.StorageState = catalog.Session;
            options?.Invoke(settings);
        });
    }
}
