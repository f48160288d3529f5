using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace Catalog.Tests.Support;

/// <summary>A page that was read.</summary>
/// <param name="Answer">The response.</param>
/// <param name="Source">The HTML as sent.</param>
/// <param name="Html">The parsed page.</param>
public sealed record WebPage(HttpResponseMessage Answer, string Source, IHtmlDocument Html)
{
    public int Status => (int)Answer.StatusCode;

    /// <summary>The path without the query.</summary>
    public string Path => Answer.RequestMessage!.RequestUri!.AbsolutePath;

    /// <summary>The path with the query.</summary>
    public string Address => Answer.RequestMessage!.RequestUri!.PathAndQuery;

    public string Title => Html.Title ?? "";

    /// <summary>The text of the main part, with single spaces.</summary>
    public string Text => Words(Html.QuerySelector("main") ?? Html.DocumentElement);

    /// <summary>The only element that a CSS selector finds.</summary>
    public IElement One(string selector) => Assert.Single(Html.QuerySelectorAll(selector));

    /// <summary>The texts of the elements that a CSS selector finds, with single spaces.</summary>
    public IReadOnlyList<string> Texts(string selector) => [.. Html.QuerySelectorAll(selector).Select(Words)];

    /// <summary>The cells of each row of a table body, with single spaces.</summary>
    public IReadOnlyList<string[]> Rows(string table = "main table") =>
        [.. Html.QuerySelectorAll($"{table} tbody tr").Select(row => row.Children.Select(Words).ToArray())];

    /// <summary>The fields that a form sends when nothing is changed.</summary>
    public IEnumerable<(string Name, string? Value)> Fields(string selector) => Fields((IHtmlFormElement)One(selector));

    internal static IEnumerable<(string Name, string? Value)> Fields(IHtmlFormElement form)
    {
        foreach (var element in form.Elements)
        {
            switch (element)
            {
                case IHtmlInputElement { Name: { Length: > 0 } name, IsDisabled: false } input
                    when input.Type is not ("submit" or "button") && (input.Type is not ("checkbox" or "radio") || input.IsChecked):
                    yield return (name, input.Value);
                    break;
                case IHtmlSelectElement { Name: { Length: > 0 } name } select:
                    yield return (name, select.Value);
                    break;
                case IHtmlTextAreaElement { Name: { Length: > 0 } name } area:
                    yield return (name, area.Value);
                    break;
            }
        }
    }

    /// <summary>Parses a page, and asserts what holds for every page: see <see cref="PageRules"/>.</summary>
    public static async Task<WebPage> Read(HttpResponseMessage answer)
    {
        var source = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True("text/html" == answer.Content.Headers.ContentType?.MediaType, $"{answer.StatusCode}: {source}");
        var page = new WebPage(answer, source, new HtmlParser().ParseDocument(source));
        PageRules.Assert(page);
        return page;
    }

    private static string Words(INode node) =>
        string.Join(' ', node.TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
