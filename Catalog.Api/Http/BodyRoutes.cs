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

    /// <summary>All routes that take GET take HEAD too, as RFC 9110 (9.1) wants it; the server leaves the body out.</summary>
    public static RouteGroupBuilder AnswersHead(this RouteGroupBuilder routes)
    {
        ((IEndpointConventionBuilder)routes).Finally(route =>
        {
            if (route.Metadata.OfType<IHttpMethodMetadata>().LastOrDefault() is { HttpMethods: ["GET"] })
            {
                route.Metadata.Add(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
            }
        });
        return routes;
    }

    /// <summary>Refuses the methods that a path does not take, where the router would take its last segment for an id.</summary>
    public static void MapOtherMethods(this IEndpointRouteBuilder routes, string path, params string[] taken)
    {
        string[] allowed = taken.Contains(HttpMethods.Get) ? [.. taken, HttpMethods.Head] : taken;
        routes.MapMethods(path, Methods.Except(allowed), (HttpContext context) =>
            {
                context.Response.Headers.Allow = string.Join(", ", allowed);
                return Problems.MethodNotAllowed();
            })
            .Requires(Scopes.Read).WithMetadata(new TakesAnyQuery()).ExcludeFromDescription();
    }

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
