using Catalog.Tests.Pages.Browser;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Chromium))]

namespace Catalog.Tests.Pages.Browser;

/// <summary>
/// The browser of the whole run, started on first use. Without one, tests are skipped on a developer's machine and fail
/// in CI.
/// </summary>
public sealed class Chromium : IAsyncDisposable
{
    private static readonly string? Program = new[]
    {
        "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", @"C:\Program Files\Google\Chrome\Application\chrome.exe",
    }.FirstOrDefault(File.Exists);

    // The sandbox of Chromium does not work for root.
    private static readonly string[] Arguments =
        [.. Environment.UserName == "root" ? ["--no-sandbox"] : Array.Empty<string>(), "--disable-gpu", "--disable-dev-shm-usage"];

    private static readonly Lazy<Task<(IPlaywright Driver, IBrowser Browser)>> Started = new(Start);

    /// <summary>The browser. Without one the test is skipped, or fails in CI.</summary>
    public static async Task<IBrowser> Require()
    {
        if (Program is null)
        {
            const string Reason = "Chromium is missing: install it (Debian: apt-get install chromium).";
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is null or "" or "false", Reason);
            Assert.Fail(Reason);
        }

        return (await Started.Value).Browser;
    }

    public async ValueTask DisposeAsync()
    {
        if (Started.IsValueCreated && Started.Value.IsCompletedSuccessfully)
        {
            var (driver, browser) = await Started.Value;
            await browser.DisposeAsync();
            driver.Dispose();
        }
    }

    private static async Task<(IPlaywright Driver, IBrowser Browser)> Start()
    {
        var driver = await Playwright.CreateAsync();
        return (driver, await driver.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = Arguments }));
    }
}
