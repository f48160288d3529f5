using System.Net;
using AngleSharp.Html.Dom;

namespace Catalog.Tests.Support;

/// <summary>A browser without script: it keeps cookies, follows links, sends forms and parses pages.</summary>
/// <param name="app">The service.</param>
/// <param name="cookies">The cookies of another client, such as one of another replica; null: none.</param>
public sealed class PageClient(CatalogApp app, CookieContainer? cookies = null) : IDisposable
{
    private const int MaxRedirects = 5;
    private readonly HttpClient _http = app.Anonymous(cookies ??= new());

    /// <summary>The cookies, which another client can continue with.</summary>
    public CookieContainer Cookies { get; } = cookies;

    /// <summary>The session cookie; null without a session.</summary>
    public Cookie? Session => Cookies.GetAllCookies()["catalog-session"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A client that has signed in through the form.</summary>
    /// <param name="app">The service.</param>
    /// <param name="key">The key; null: the operator's key.</param>
    public static async Task<PageClient> SignedIn(CatalogApp app, string? key = null)
    {
        var client = new PageClient(app);
        Assert.NotEqual("/ui/sign-in", (await client.SignIn(key ?? CatalogApp.Key)).Path);
        return client;
    }

    /// <summary>A client that has signed in with a new key of the organization of another client.</summary>
    /// <param name="app">The service.</param>
    /// <param name="owner">A client of the API that may create keys.</param>
    /// <param name="scopes">The scopes of the new key.</param>
    public static async Task<PageClient> SignedIn(CatalogApp app, HttpClient owner, params string[] scopes)
    {
        var answer = await owner.PostJson("/api/v1/organizations/me/api-keys", new { name = "pages", scopes });
        Assert.Equal(201, (int)answer.StatusCode);
        return await SignedIn(app, (await answer.Json()).GetProperty("key").GetString()!);
    }

    /// <summary>Sends the sign-in form.</summary>
    /// <returns>The page that follows: the overview, or the form again.</returns>
    public async Task<WebPage> SignIn(string key, string path = "/ui/sign-in", int? status = null)
    {
        var form = await Open(path);
        return await Submit(form, "form:has(#key)", status, ("key", key));
    }

    /// <summary>Opens a page and follows redirects.</summary>
    /// <param name="path">The path with its query.</param>
    /// <param name="status">The expected status of the last answer; null: any status.</param>
    public async Task<WebPage> Open(string path, int? status = 200)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        return await Follow(await Send(request), status);
    }

    /// <summary>Sends a form of a page as a browser does, and follows the redirect.</summary>
    /// <param name="page">The page with the form.</param>
    /// <param name="selector">The CSS selector of the form.</param>
    /// <param name="status">The expected status of the last answer; null: any status.</param>
    /// <param name="fields">Fields that the reader has changed, and the pressed button. A null value removes a field.</param>
    public async Task<WebPage> Submit(WebPage page, string selector, int? status = 200, params (string Name, string? Value)[] fields)
    {
        var form = Assert.IsType<IHtmlFormElement>(page.One(selector), exactMatch: false);
        var values = WebPage.Fields(form).Where(field => !Array.Exists(fields, changed => changed.Name == field.Name))
            .Concat(fields.Where(field => field.Value is not null)).Select(field => KeyValuePair.Create(field.Name, field.Value));
        var action = form.GetAttribute("action") ?? page.Path;
        if (!string.Equals(form.GetAttribute("method"), "post", StringComparison.OrdinalIgnoreCase))
        {
            using var query = new FormUrlEncodedContent(values);
            return await Open($"{action}?{await query.ReadAsStringAsync(Ct)}", status);
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, action) { Content = new FormUrlEncodedContent(values) };
        return await Follow(await Send(request), status);
    }

    /// <summary>Posts fields with a valid form token, as a page would that has such a form.</summary>
    public async Task<WebPage> Post(string path, int? status, params (string Name, string Value)[] fields)
    {
        var token = (await Open("/ui/sign-in")).Fields("form:has(#key)")
            .First(field => field.Name.StartsWith("__", StringComparison.Ordinal));
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Content = new FormUrlEncodedContent(
            fields.Select(field => KeyValuePair.Create(field.Name, field.Value)).Append(KeyValuePair.Create(token.Name, token.Value!)));
        return await Follow(await Send(request), status);
    }

    /// <summary>Sends a request without following a redirect.</summary>
    public Task<HttpResponseMessage> Send(HttpRequestMessage request) => _http.SendAsync(request, Ct);

    /// <summary>Requests a path without following a redirect.</summary>
    public async Task<HttpResponseMessage> Get(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Send(request);
    }

    public void Dispose() => _http.Dispose();

    private async Task<WebPage> Follow(HttpResponseMessage answer, int? status)
    {
        for (var redirects = 0; (int)answer.StatusCode is 302 or 303; redirects++)
        {
            Assert.True(redirects < MaxRedirects, $"Too many redirects: {answer.Headers.Location}");
            Assert.False(answer.Headers.Location!.IsAbsoluteUri && answer.Headers.Location.Authority != _http.BaseAddress!.Authority,
                $"A redirect leaves the service: {answer.Headers.Location}");
            answer = await Get(answer.Headers.Location.OriginalString);
        }

        var page = await WebPage.Read(answer);
        Assert.True(status is null || status == page.Status, $"{page.Status}, not {status}, at {page.Path}: {page.Text}");
        return page;
    }
}
