using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Pages;

/// <summary>
/// Creates responses that are rendered completely before they are sent, so that a failure can become an error page.
/// </summary>
internal static class PageResult
{
    /// <param name="status">The HTTP status.</param>
    /// <param name="parameters">The parameters of the component by name.</param>
    public static RazorComponentResult Of<TComponent>(int status, params (string Name, object? Value)[] parameters)
        where TComponent : IComponent =>
        new(typeof(TComponent), parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value))
        {
            StatusCode = status,
            PreventStreamingRendering = true,
        };

    /// <param name="parameters">The parameters of the component by name.</param>
    public static RazorComponentResult Of<TComponent>(params (string Name, object? Value)[] parameters) where TComponent : IComponent =>
        Of<TComponent>(StatusCodes.Status200OK, parameters);
}
