using System.Text.RegularExpressions;
using Catalog.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Catalog.Tests.Pages.Browser;

/// <summary>The rules for every page, in two widths, light and dark.</summary>
public sealed partial class EveryPageTests(ExampleCatalog catalog) : ExampleBrowserTests(catalog), IClassFixture<ExampleCatalog>
{
    // Routes that are not pages: files, a stream and a redirect.
    private static readonly string[] NoPages = ["/ui/assets/{hash}/{**name}", "/ui/runs/{id}/live", "/ui/sign-in/provider"];

    private static readonly string? AllScreenshots =
        Environment.GetEnvironmentVariable("DATAXPIPE_SCREENSHOTS") is { Length: > 0 } set ? set : null;

    private static readonly string Screenshots = AllScreenshots ?? Path.Combine(AppContext.BaseDirectory, "screenshots");

    // The colours of acceptance row 9, and all other rules of axe-core. KeyboardTests checks the words and shapes of
    // that row.
    [Theory]
    [MemberData(nameof(ExamplePages.Names), MemberType = typeof(ExamplePages))]
    public async Task A_page_fits_and_is_accessible_in_two_widths_light_and_dark(string name)
    {
        var visit = await SignedIn();
        var status = ExamplePages.Errors.GetValueOrDefault(name, 200);
        visit.Expect($"the server responded with a status of {(status == 200 ? "-" : status)}");

        Assert.Equal(status, await visit.Go(ExamplePages.Address(name, Catalog.Data)));

        await RequireFrame(visit);
        await Look(visit, name);
        SecretSearch.Suite.Require($"The page {name}", await visit.Page.ContentAsync());
    }

    [Fact]
    public async Task The_sign_in_page_fits_and_is_accessible_in_two_widths_light_and_dark()
    {
        var visit = await Visit();

        Assert.Equal(200, await visit.Go("/ui/sign-in"));

        await RequireFrame(visit);
        await Look(visit, "sign-in");
    }

    [Fact]
    public void Every_page_of_the_service_is_among_the_pages_that_are_looked_at()
    {
        string[] paths = ["/ui/sign-in", .. ExamplePages.All.Values.Select(address => Uri.UnescapeDataString(address.Split('?')[0]))];
        var routes = Catalog.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("GET") == true)
            .Select(endpoint => endpoint.RoutePattern.RawText!.TrimEnd('/'))
            .Where(route => route.StartsWith("/ui", StringComparison.Ordinal)).Distinct().ToList();

        Assert.NotEmpty(routes);
        Assert.DoesNotContain(routes.Except(NoPages), route =>
        {
            var pattern = $"^{Parameters().Replace(Regex.Escape(route).Replace(@"\{", "{", StringComparison.Ordinal), "[^/]+")}/?$";
            return !paths.Any(path => Regex.IsMatch(path, pattern));
        });
    }

    private static async Task RequireFrame(Visit visit)
    {
        Assert.Equal(1, await visit["main"].CountAsync());
        Assert.Equal(1, await visit["h1"].CountAsync());
        Assert.NotEqual("", (await visit["h1"].InnerTextAsync()).Trim());
        Assert.EndsWith(" · Catalog", await visit.Page.TitleAsync(), StringComparison.Ordinal);
    }

    private static async Task Look(Visit visit, string name)
    {
        Directory.CreateDirectory(Screenshots);
        foreach (var (width, height) in new[] { (1280, 900), (320, 700) })
        {
            await visit.Page.SetViewportSizeAsync(width, height);
            var sticksOut = await visit.Read<string>("""
                () => document.documentElement.scrollWidth <= innerWidth ? "" : [...document.querySelectorAll("body *")]
                    .filter(element => element.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(element).position !== "absolute")
                    .slice(0, 5).map(element => element.outerHTML.slice(0, 200)).join("\n")
                """);
            Assert.True(sticksOut == "", $"{name} is wider than {width} pixels:\n{sticksOut}");
            if (width == 320 && await visit["nav.menu"].CountAsync() > 0)
            {
                Assert.InRange(await visit.Read<double>("() => document.querySelector('header').getBoundingClientRect().height"), 60, 110);
            }

            foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
            {
                await visit.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
                var file = $"{name}-{width}-{scheme.ToString().ToLowerInvariant()}";
                // The colours depend only on the scheme, and everything else depends only on the width. So two of the
                // four combinations show every fault.
                var isCompared = width == 320 == (scheme == ColorScheme.Dark);
                if (isCompared || AllScreenshots is not null)
                {
                    await visit.Page.ScreenshotAsync(new() { Path = Path.Combine(Screenshots, file + ".png") });
                }

                if (isCompared)
                {
                    await visit.RequireAccessible(file);
                }
            }
        }
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameters();
}
