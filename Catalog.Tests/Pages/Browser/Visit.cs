using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Catalog.Tests.Pages.Browser;

/// <summary>
/// A page of a browser context of its own. It records what must not happen on any page: errors of scripts and of the
/// console, reports of the Content-Security-Policy, dialogs, requests to another host and responses of 500 and more.
/// </summary>
public sealed class Visit
{
    // The browser itself also writes a violation to the console. This message adds the file and line of the violation.
    private const string Watch = """
        addEventListener("securitypolicyviolation", event =>
            console.error(`CSP report: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`));
        """;

    private readonly ConcurrentQueue<string> _faults = new();
    private readonly ConcurrentBag<Regex> _expected = [];
    private readonly Uri _root;

    private Visit(IPage page, Uri root)
    {
        Page = page;
        _root = root;
        page.Console += (_, message) => Fault(message.Type == "error", $"console: {message.Text} ({message.Location})");
        page.PageError += (_, error) => Fault(true, $"script: {error}");
        page.Dialog += async (_, dialog) =>
        {
            Fault(true, $"dialog: {dialog.Message}");
            await dialog.DismissAsync();
        };
        page.Request += (_, request) => Fault(IsForeign(request.Url), $"request to {request.Url}");
        page.Response += (_, response) => Fault(response.Status >= 500, $"{response.Status} of {response.Url}");
    }

    public IPage Page { get; }

    /// <summary>Opens an empty page.</summary>
    public static async Task<Visit> Start(IBrowserContext context, Uri root)
    {
        await context.AddInitScriptAsync(Watch);
        return new(await context.NewPageAsync(), root);
    }

    /// <summary>Opens a page of the service.</summary>
    /// <returns>Its status.</returns>
    public async Task<int> Go(string path) => (await Page.GotoAsync(new Uri(_root, path).ToString()))?.Status ?? 0;

    /// <summary>The path and query of the page that is shown.</summary>
    public string Address => Page.Url[(_root.ToString().Length - 1)..];

    /// <summary>The one element that the selector finds.</summary>
    public ILocator this[string selector] => Page.Locator(selector);

    /// <summary>Evaluates an expression in the page.</summary>
    public Task<T> Read<T>(string expression, object? argument = null) => Page.EvaluateAsync<T>(expression, argument);

    /// <summary>Waits until an expression is true in the page.</summary>
    public async Task Until(string expression, object? argument = null) => await Page.WaitForFunctionAsync(expression, argument);

    /// <summary>Declares faults that match a pattern as expected, so that the visit does not report them.</summary>
    public void Expect([StringSyntax(StringSyntaxAttribute.Regex)] string pattern) => _expected.Add(new(pattern));

    /// <summary>The recorded faults, except the expected ones.</summary>
    public IReadOnlyList<string> Faults => [.. _faults.Where(fault => !_expected.Any(pattern => pattern.IsMatch(fault)))];

    /// <summary>Asserts that axe-core finds nothing on the page as it is shown.</summary>
    /// <param name="what">The page, for the message.</param>
    public async Task RequireAccessible(string what)
    {
        var result = await Page.RunAxe(new AxeRunOptions
        {
            RunOnly = new RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] },
            ResultTypes = [ResultType.Violations],
        });
        var violations = result.Violations.SelectMany(violation => violation.Nodes.Take(5).Select(node =>
            $"{violation.Id}: {node.Html}\n    {string.Join("; ", node.Any.Concat(node.All).Concat(node.None).Select(check => check.Message))}"));
        Assert.True(result.Violations.Length == 0, $"{what} is not accessible:\n{string.Join('\n', violations)}");
    }

    private bool IsForeign(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && uri.Scheme is not ("data" or "blob" or "about") && uri.Authority != _root.Authority;

    private void Fault(bool isFault, string text)
    {
        if (isFault)
        {
            _faults.Enqueue(text);
        }
    }
}
