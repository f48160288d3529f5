using System.Xml.Linq;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Catalog.Tests.Pages.Drawing;

/// <summary>Renders a component as the service does, and reads the result as XML, which is stricter than HTML.</summary>
internal static class Rendered
{
    /// <summary>Texts that break out of a careless page or file.</summary>
    public static readonly string[] Hostile =
    [
        "", " ", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "</title></svg><b>",
        "]]>", "&amp;&lt;&#0;", "a\0b\u0001\u001f\u007f\u0085", "\ud800", "x\udc00y", "\uFFFE\uFFFF", "日本語のデータセット名", "👩‍👩‍👧‍👦 family",
        "\u202Eevil\u202C",
        "Z͑ͫ̓ͪ̂ͫ̽͏", "-->", "javascript:alert(1)", "{{7*7}}", "@Html.Raw", "%s%n", "a\r\nb\tc", "very_long_" + new string('x', 5000),
    ];

    /// <summary>The markup of the component.</summary>
    public static async Task<string> Html<T>(params (string Name, object? Value)[] parameters) where T : IComponent
    {
        await using var services = new ServiceCollection().BuildServiceProvider();
        await using var renderer = new HtmlRenderer(services, NullLoggerFactory.Instance);
        var view = ParameterView.FromDictionary(parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value));
        return await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync<T>(view)).ToHtmlString());
    }

    /// <summary>The component as the only child of an element, without scripts, style attributes and event handlers.</summary>
    public static async Task<XElement> Xml<T>(params (string Name, object? Value)[] parameters) where T : IComponent
    {
        var root = XElement.Parse($"<root>{await Html<T>(parameters)}</root>", LoadOptions.PreserveWhitespace);
        foreach (var element in root.DescendantsAndSelf())
        {
            Assert.NotEqual("script", element.Name.LocalName);
            Assert.DoesNotContain(element.Attributes(), attribute => attribute.Name.LocalName == "style"
                || attribute.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase));
        }

        var ids = root.Descendants().Select(element => (string?)element.Attribute("id")).OfType<string>().ToList();
        Assert.Equal(ids.Distinct(), ids);
        return root;
    }

    /// <summary>The elements with the class.</summary>
    public static List<XElement> OfClass(this XElement root, string name) =>
        [.. root.Descendants().Where(element => ((string?)element.Attribute("class"))?.Split(' ').Contains(name) == true)];

    /// <summary>The elements with the name.</summary>
    public static List<XElement> Named(this XElement root, string name) =>
        [.. root.Descendants().Where(element => element.Name.LocalName == name)];

    /// <summary>The value of the attribute; the test fails without it.</summary>
    public static string Get(this XElement element, string name) =>
        element.Attribute(name)?.Value ?? throw new InvalidOperationException($"{element.Name} has no {name}.");
}
