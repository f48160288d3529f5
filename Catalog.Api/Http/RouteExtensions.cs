using FluentValidation;

namespace Catalog.Api.Http;

/// <summary>
/// Route extensions that declare what a request contains, both for request handling and for the OpenAPI document.
/// </summary>
internal static class RouteExtensions
{
    private static readonly string[] Methods =
        [HttpMethods.Get, HttpMethods.Post, HttpMethods.Put, HttpMethods.Delete, HttpMethods.Patch, HttpMethods.Options, HttpMethods.Trace,
            HttpMethods.Head];

    /// <summary>The route reads a <see cref="Body{T}"/>. An invalid body is answered before the handler runs.</summary>
    /// <param name="route">The route.</param>
    /// <param name="optional">Whether a request without a body is read like a request with the body <c>{}</c>.</param>
    public static RouteHandlerBuilder Reads<T>(this RouteHandlerBuilder route, bool optional = false) where T : class => route
        .Accepts<T>(optional, "application/json")
        .AddEndpointFilter((context, next) => context.Arguments.OfType<IBody>().Single().Problem is { } problem
            ? ValueTask.FromResult<object?>(problem)
            : next(context))
        .Refuses(400, 413, 415, 422);

    /// <summary>
    /// The route reads query parameters as <typeparamref name="T"/>. Invalid parameters are answered before the handler
    /// runs.
    /// </summary>
    public static RouteHandlerBuilder ReadsQuery<T>(this RouteHandlerBuilder route) where T : class => route
        .AddEndpointFilter((context, next) =>
        {
            var errors = context.HttpContext.RequestServices.GetRequiredService<IValidator<T>>()
                .Errors(context.Arguments.OfType<T>().Single());
            return errors is null
                ? next(context)
                : ValueTask.FromResult<object?>(
                    Problems.Invalid(errors.ToDictionary(error => error.Key.TrimStart('/'), error => error.Value)));
        })
        .WithMetadata(new QueryMetadata(typeof(T)))
        .Refuses(422);

    /// <summary>
    /// Makes every GET route accept HEAD too, as RFC 9110 (9.1) requires. Kestrel leaves the body out.
    /// </summary>
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

    /// <summary>
    /// Builds the endpoints of all routes now. Without this call, a group builds its endpoints again for each reader of
    /// its list, such as the matcher and authorization.
    /// </summary>
    /// <param name="app">The application; routes that are added later are built as usual.</param>
    public static void BuildEndpoints(this WebApplication app)
    {
        var sources = ((IEndpointRouteBuilder)app).DataSources;
        var built = new DefaultEndpointDataSource([.. sources.SelectMany(source => source.Endpoints)]);
        sources.Clear();
        sources.Add(built);
    }

    /// <summary>
    /// Answers 405 for every other method on a fixed path such as <c>/me</c>. Without this route, the router would
    /// match the path's last segment as an id.
    /// </summary>
    /// <param name="routes">The group of the path.</param>
    /// <param name="path">The path.</param>
    /// <param name="accepted">The methods that have a route; HEAD is added to GET.</param>
    public static void MapOtherMethods(this IEndpointRouteBuilder routes, string path, params string[] accepted)
    {
        string[] allowed = accepted.Contains(HttpMethods.Get) ? [.. accepted, HttpMethods.Head] : accepted;
        routes.MapMethods(path, Methods.Except(allowed), (HttpContext context) =>
            {
                context.Response.Headers.Allow = string.Join(", ", allowed);
                return Problems.MethodNotAllowed();
            })
            .Requires(Scopes.Read).WithMetadata(new AcceptsAnyQuery()).ExcludeFromDescription();
    }

    /// <summary>Adds problem responses with these statuses to the OpenAPI document.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params int[] statuses)
    {
        foreach (var status in statuses)
        {
            route.Produces<ProblemBody>(status, "application/problem+json");
        }

        return route;
    }
}
