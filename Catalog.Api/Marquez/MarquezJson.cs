using System.Text.Encodings.Web;
using System.Text.Json;
using Catalog.Api.Http;

namespace Catalog.Api.Marquez;

/// <summary>Answers and errors in the shapes of Marquez's API.</summary>
internal static class MarquezJson
{
    private static readonly JsonSerializerOptions Options = new(ApiJson.Options)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly ProblemWriter Errors = new((context, problem) =>
    {
        context.Response.ContentType = "application/json";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask
            : JsonSerializer.SerializeAsync(context.Response.Body, new MarquezError(problem.Status, Message(problem)), Options,
                context.RequestAborted);
    });

    /// <summary>An answer with camelCase names. Values that are absent are null.</summary>
    public static IResult Answer(object value) => Results.Json(value, Options);

    /// <summary>The answer to a parameter that is rejected.</summary>
    public static Problem Invalid(string message) => Problems.Malformed(message);

    /// <summary>Middleware: the errors of the routes with <see cref="MarquezRoute"/> have Marquez's shape.</summary>
    public static Task ShapeErrors(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<MarquezRoute>() is not null)
        {
            context.Features.Set(Errors);
        }

        return next(context);
    }

    private static string Message(Problem problem) => problem.Errors is null ? problem.Detail
        : $"{problem.Detail} {string.Join(' ', problem.Errors.Select(error => $"{error.Key} {error.Value[0]}"))}";

    private sealed record MarquezError(int Code, string Message);
}

/// <summary>Marks a route of Marquez's API.</summary>
internal sealed record MarquezRoute;
