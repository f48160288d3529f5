using System.Reflection;
using System.Security.Claims;
using Catalog.Data;
using Catalog.Data.Organizations;

namespace Catalog.Api.Http;

/// <summary>Who asks, and the organization whose data the request may see. Bound from the key or token, never from anything else in the request.</summary>
/// <param name="Organization">Whose data.</param>
/// <param name="Actor">What the audit log calls them.</param>
/// <param name="Scopes">What they may do.</param>
/// <param name="IsOperator">Whether they hold the operator's key.</param>
internal sealed record Caller(string Organization, string Actor, IReadOnlyList<string> Scopes, bool IsOperator)
{
    public static ValueTask<Caller> BindAsync(HttpContext context, ParameterInfo parameter) => ValueTask.FromResult(Of(context.User));

    /// <summary>Who a verified principal is.</summary>
    public static Caller Of(ClaimsPrincipal user) =>
        (user as CallerPrincipal)?.Caller ?? throw new InvalidOperationException("This route takes no anonymous caller and must require a scope.");

    /// <summary>What the caller does now, for the organization's log.</summary>
    public AuditEntry Did(string objectType, string objectId, string deed, TimeProvider time, string? detail = null) =>
        new() { OccurredAt = time.Now(), Actor = Actor, Action = $"{objectType}.{deed}", ObjectType = objectType, ObjectId = objectId, Detail = detail };
}

/// <summary>A caller as the framework's authorization sees it.</summary>
/// <param name="caller">Who it is.</param>
/// <param name="identity">The claims that policies ask for.</param>
internal sealed class CallerPrincipal(Caller caller, ClaimsIdentity identity) : ClaimsPrincipal(identity)
{
    public Caller Caller { get; } = caller;
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

    /// <summary>No scope that a key can have: make organizations and give them keys.</summary>
    public const string Operator = "operator";

    public static readonly string[] All = [Read, Write, Manage, Execute];

    public static TBuilder Requires<TBuilder>(this TBuilder route, string scope) where TBuilder : IEndpointConventionBuilder =>
        route.RequireAuthorization(scope);
}
