using Catalog.Api.Http;
using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>An entry of the audit log: one action on one object.</summary>
public sealed record AuditItem
{
    public required string Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }

    /// <summary>
    /// The caller: the id of a key, <c>oidc:</c> and the subject of a token, the operator's key, or <c>stripe</c>.
    /// </summary>
    public required string Actor { get; init; }

    /// <summary>The type of the object and the action, such as <c>connection.deleted</c>.</summary>
    public required string Action { get; init; }

    /// <summary>The type of the object, such as <c>connection</c>.</summary>
    public required string ObjectType { get; init; }

    /// <summary>The id of the object.</summary>
    public required string ObjectId { get; init; }

    /// <summary>Further details, a JSON object; null when there are none.</summary>
    public RawJson? Detail { get; init; }

    internal static AuditItem From(AuditEntry entry) => new()
    {
        Id = entry.Id,
        OccurredAt = entry.OccurredAt,
        Actor = entry.Actor,
        Action = entry.Action,
        ObjectType = entry.ObjectType,
        ObjectId = entry.ObjectId,
        Detail = RawJson.From(entry.Detail),
    };
}

/// <summary>The query parameters of the audit log.</summary>
public sealed record AuditQuery : CountedListQuery
{
    internal override string List => "audit_log";

    /// <summary>List only actions of this caller.</summary>
    public string? Actor { get; init; }

    /// <summary>List only this action, such as <c>connection.deleted</c>.</summary>
    public string? Action { get; init; }

    /// <summary>List only entries at or after this time.</summary>
    public Instant? Since { get; init; }

    /// <summary>List only entries before this time.</summary>
    public Instant? Until { get; init; }

    internal AuditFilter ToFilter() => new() { Actor = Actor, Action = Action, Since = Since?.Value, Until = Until?.Value };
}
