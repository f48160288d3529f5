using System.Text.Json;
using FluentValidation;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace Catalog.Api.Http;

/// <summary>
/// A request body of one shape, read and validated before the handler runs. See <see cref="RouteExtensions.Reads{T}"/>.
/// </summary>
internal sealed class Body<T> : IBody where T : class
{
    private readonly T? _value;

    private Body(T? value, ReadOnlyMemory<byte> json, JsonElement root, Problem? problem)
    {
        _value = value;
        Json = json;
        Root = root;
        Problem = problem;
    }

    /// <summary>
    /// The deserialized body. Never null in a handler: the endpoint filter answers an invalid body before the handler
    /// runs.
    /// </summary>
    public T Value => _value!;

    /// <summary>The body as sent.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>The body as parsed JSON, valid until the response is complete.</summary>
    public JsonElement Root { get; }

    public Problem? Problem { get; }

    public static async ValueTask<Body<T>> BindAsync(HttpContext context)
    {
        var isLeftOut = context.GetEndpoint()?.Metadata.GetMetadata<IAcceptsMetadata>() is { IsOptional: true }
            && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false };
        var (bytes, json, problem) = isLeftOut
            ? ("{}"u8.ToArray(), JsonDocument.Parse("{}"), null) : await RequestBody.ReadDocument(context);
        if (json is null)
        {
            return new(null, bytes, default, problem);
        }

        context.Response.RegisterForDispose(json);
        var (value, errors) = JsonParser.Parse(json.RootElement, context.RequestServices.GetRequiredService<IValidator<T>>());
        return new(value, bytes, json.RootElement, errors is null ? null : Problems.Invalid(errors));
    }
}

/// <summary>A bound request body, valid or not.</summary>
internal interface IBody
{
    /// <summary>Why the body is invalid; null when it is valid.</summary>
    Problem? Problem { get; }
}
