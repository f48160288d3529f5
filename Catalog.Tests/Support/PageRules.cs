using AngleSharp.Dom;
using AngleSharp.Html.Dom;

namespace Catalog.Tests.Support;

/// <summary>
/// The rules for every page that a test reads: security headers, no inline code, a name for every control.
/// </summary>
internal static class PageRules
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
        + "frame-ancestors 'none'; base-uri 'none'";

    private static readonly string[] Addresses = ["href", "src", "action", "formaction", "hx-get", "hx-post", "xlink:href"];

    /// <summary>Asserts the rules.</summary>
    public static void Assert(WebPage page)
    {
        var broken = Broken(page).ToList();
        Xunit.Assert.True(broken.Count == 0, $"{page.Address}: {string.Join("\n", broken)}");
    }

    private static IEnumerable<string> Broken(WebPage page)
    {
        var headers = page.Answer.Headers;
        if (!headers.TryGetValues("Content-Security-Policy", out var policy) || policy.Single() != Policy)
        {
            yield return "The Content-Security-Policy is missing or another.";
        }

        if (headers.CacheControl?.NoStore != true || headers.GetValues("X-Content-Type-Options").Single() != "nosniff")
        {
            yield return "A page must not be stored, and its type must not be guessed.";
        }

        if (page.Source.Contains("<!DOCTYPE", StringComparison.OrdinalIgnoreCase))
        {
            if (page.Html.QuerySelectorAll("h1").Length != 1 || page.Html.DocumentElement.GetAttribute("lang") != "en"
                || page.Title.Length < 12)
            {
                yield return "A page has one h1, a language and a title.";
            }
        }

        foreach (var (id, count) in page.Html.All.Select(element => element.Id ?? "").CountBy(id => id))
        {
            if (id.Length > 0 && count > 1)
            {
                yield return $"The id {id} is used {count} times.";
            }
        }

        foreach (var problem in page.Html.All.SelectMany(Broken))
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> Broken(IElement element)
    {
        foreach (var attribute in element.Attributes)
        {
            if (attribute.Name is "style" or "hx-on" or "hx-live" || attribute.Name.StartsWith("on", StringComparison.Ordinal))
            {
                yield return $"Inline code: {attribute.Name}=\"{attribute.Value}\"";
            }

            if (Addresses.Contains(attribute.Name) && !IsAllowed(element, attribute))
            {
                yield return $"An address of another host or scheme: {attribute.Name}=\"{attribute.Value}\"";
            }
        }

        var problem = element switch
        {
            IHtmlScriptElement { Source: null or "" } => "An inline script.",
            IHtmlStyleElement => "An inline style sheet.",
            IHtmlTableElement table when table.Caption is null => "A table without a caption.",
            IHtmlTableHeaderCellElement cell when cell.GetAttribute("scope") is null => "A th without a scope.",
            IHtmlTableDataCellElement cell when cell.ClosestTable()?.ClassList.Contains("table") == true && !cell.HasAttribute("data-label")
                && cell.PreviousElementSibling is not null && !cell.HasAttribute("colspan") => $"A td without data-label: {cell.OuterHtml}",
            IHtmlFormElement form when form.GetAttribute("method") == "post"
                && form.QuerySelector("input[type=hidden][name^=__]") is null => "A form without its token.",
            IHtmlInputElement { Type: not ("hidden" or "submit") } or IHtmlSelectElement or IHtmlTextAreaElement when !HasName(element) =>
                $"A control without a label: {element.OuterHtml}",
            IHtmlButtonElement or IHtmlAnchorElement when element.TextContent.Trim().Length == 0
                && element.GetAttribute("aria-label") is null && element.QuerySelector("title, img[alt]") is null => $"A control without text: {element.OuterHtml}",
            _ => null,
        };
        if (problem is not null)
        {
            yield return problem;
        }
    }

    // Addresses must be on this site, except links: a run may link to a page of another site. Such a link needs
    // rel=noopener, so that the other page gets no access to this page.
    private static bool IsAllowed(IElement element, IAttr attribute) => attribute.Value is ['/', not '/', ..] or "/" or ['#', ..]
        || (element is IHtmlAnchorElement && attribute.Value.StartsWith("http", StringComparison.Ordinal)
            && element.GetAttribute("rel") is { } rel && rel.Contains("noopener", StringComparison.Ordinal));

    private static bool HasName(IElement control) => control.GetAttribute("aria-label") is not null
        || (control.Id is { Length: > 0 } id && control.Owner!.QuerySelector($"label[for='{id}']") is not null)
        || control.Closest("label") is not null;

    private static IHtmlTableElement? ClosestTable(this IElement element) => element.Closest("table") as IHtmlTableElement;
}
