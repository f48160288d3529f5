using System.Reflection;
using System.Security.Claims;
using Catalog.Data;
using Catalog.Data.Organizations;

namespace Catalog.Api.Http;

/// <summary>
/// The authenticated caller and the organization whose data the request may access. Both come only from the verified
/// key or token, never from another part of the request.
/// </summary>
/// <param name="Organization">The id of the organization.</param>
/// <param name="Actor">The caller's name in the audit log.</param>
/// <param name="Scopes">The permissions of the key or token; see <see cref="Http.Scopes"/>.</param>
/// <param name="IsOperator">Whether the caller uses the operator's key.</param>
public sealed record Caller(string Organization, string Actor, IReadOnlyList<string> Scopes, bool IsOperator)
{
    public static ValueTask<Caller> BindAsync(HttpContext context, ParameterInfo parameter) => ValueTask.FromResult(Of(context.User));

    /// <summary>The caller of a verified principal.</summary>
    public static Caller Of(ClaimsPrincipal user) =>
        (user as CallerPrincipal)?.Caller ?? throw new InvalidOperationException(
            "This route needs an authenticated caller; add Requires(scope) to it.");

    /// <summary>Creates an audit log entry for an action of this caller at the current time.</summary>
    public AuditEntry NewAuditEntry(string objectType, string objectId, string action, TimeProvider time, string? detail = null) =>
        new()
        {
            OccurredAt = time.Now(),
            Actor = Actor,
            Action = $"{objectType}.{action}",
            ObjectType = objectType,
            ObjectId = objectId,
            Detail = detail
        };
}

/// <summary>The principal of a caller, for the framework's authorization.</summary>
/// <param name="caller">The caller.</param>
/// <param name="identity">The claims that the authorization policies require.</param>
internal sealed class CallerPrincipal(Caller caller, ClaimsIdentity identity) : ClaimsPrincipal(identity)
{
    public Caller Caller { get; } = caller;
}

/// <summary>The scopes that a key or token can have.</summary>
internal static class Scopes
{
    /// <summary>Read all data of the organization.</summary>
    public const string Read = "read";

    /// <summary>Register pipelines, post run events and check results.</summary>
    public const string Write = "write";

    /// <summary>Delete objects, and change connections, keys and plans.</summary>
    public const string Manage = "manage";

    /// <summary>Run checks against warehouses.</summary>
    public const string Execute = "execute";

    /// <summary>
    /// Create, read and change organizations, and set how long their data is kept. Only the operator's key has this scope.
    /// No stored key or token can have it.
    /// </summary>
    public const string Operator = "operator";

    public static readonly string[] All = [Read, Write, Manage, Execute];

    public static TBuilder Requires<TBuilder>(this TBuilder route, string scope) where TBuilder : IEndpointConventionBuilder =>
        route.RequireAuthorization(scope);
}
