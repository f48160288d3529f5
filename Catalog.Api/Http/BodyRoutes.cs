using Catalog.Api.OpenApi;
using FluentValidation;

namespace Catalog.Api.Http;

/// <summary>What a route says about its request in one word, for the router and for the OpenAPI document.</summary>
internal static class BodyRoutes
{
    private static readonly string[] Methods =
        [HttpMethods.Get, HttpMethods.Post, HttpMethods.Put, HttpMethods.Delete, HttpMethods.Patch, HttpMethods.Options, HttpMethods.Trace, HttpMethods.Head];

    /// <summary>The route reads a <see cref="Body{T}"/>; a refused one never reaches the handler.</summary>
    public static RouteHandlerBuilder Reads<T>(this RouteHandlerBuilder route) where T : class => route
        .Accepts<T>("application/json")
        .AddEndpointFilter((context, next) => context.Arguments.OfType<IBody>().Single().Problem is { } problem
            ? ValueTask.FromResult<object?>(problem)
            : next(context))
        .Refuses(400, 413, 415, 422);

    /// <summary>The route reads query parameters as <typeparamref name="T"/>; invalid ones never reach the handler.</summary>
    public static RouteHandlerBuilder ReadsQuery<T>(this RouteHandlerBuilder route) where T : class => route
        .AddEndpointFilter((context, next) =>
        {
            var errors = context.HttpContext.RequestServices.GetRequiredService<IValidator<T>>().Errors(context.Arguments.OfType<T>().Single());
            return errors is null
                ? next(context)
                : ValueTask.FromResult<object?>(Problems.Invalid(errors.ToDictionary(error => error.Key.TrimStart('/'), error => error.Value)));
        })
        .WithMetadata(new QueryMetadata(typeof(T)))
        .Refuses(422);

    /// <summary>Refuses the methods that a path does not take, where the router would take its last segment for an id.</summary>
    public static void MapOtherMethods(this IEndpointRouteBuilder routes, string path, params string[] taken) => routes
        .MapMethods(path, Methods.Except(taken), (HttpContext context) =>
        {
            context.Response.Headers.Allow = string.Join(", ", taken);
            return Problems.MethodNotAllowed();
        })
        .Requires(Scopes.Read).ExcludeFromDescription();

    /// <summary>The statuses that the route may refuse with, for the document.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params int[] statuses)
    {
        foreach (var status in statuses)
        {
            route.Produces<ProblemBody>(status, "application/problem+json");
        }

        return route;
    }
}
