using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace Catalog.Api.Pages.Live;

/// <summary>Renders a component to text, for messages of a stream.</summary>
internal sealed class ComponentRenderer(IServiceProvider services, ILoggerFactory log)
{
    /// <param name="parameters">The parameters of the component by name.</param>
    public async Task<string> Render<TComponent>(params (string Name, object? Value)[] parameters) where TComponent : IComponent
    {
        await using var renderer = new HtmlRenderer(services, log);
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var root = await renderer.RenderComponentAsync<TComponent>(
                ParameterView.FromDictionary(parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value)));
            return root.ToHtmlString();
        });
    }
}
