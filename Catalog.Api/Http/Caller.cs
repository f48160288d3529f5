using System.Reflection;
using System.Security.Claims;

namespace Catalog.Api.Http;

/// <summary>Who asks: the organization whose data a request may see. Bound from the key, never from anything else in the request.</summary>
internal readonly record struct Caller(string Organization)
{
    public const string OrganizationClaim = "organization";

    public static ValueTask<Caller> BindAsync(HttpContext context, ParameterInfo parameter) =>
        ValueTask.FromResult(new Caller(context.User.FindFirstValue(OrganizationClaim)
            ?? throw new InvalidOperationException("This route takes no anonymous caller and must require a scope.")));
}

/// <summary>What a key may do.</summary>
internal static class Scopes
{
    /// <summary>Read everything of the organization.</summary>
    public const string Read = "read";

    /// <summary>Register pipelines, post run events and check results.</summary>
    public const string Write = "write";

    /// <summary>Delete, and change connections, keys and plans.</summary>
    public const string Manage = "manage";

    /// <summary>Run checks against warehouses.</summary>
    public const string Execute = "execute";

    public static readonly string[] All = [Read, Write, Manage, Execute];

    public static TBuilder Requires<TBuilder>(this TBuilder route, string scope) where TBuilder : IEndpointConventionBuilder =>
        route.RequireAuthorization(scope);
}
