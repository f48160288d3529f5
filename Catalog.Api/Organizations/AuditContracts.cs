using Catalog.Api.Http;
using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>What somebody did.</summary>
public sealed record AuditItem
{
    public required string Id { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }

    /// <summary>A key's id, <c>oidc:</c> and a token's subject, the operator's key, or stripe.</summary>
    public required string Actor { get; init; }

    /// <summary>The object's type and what became of it, such as connection.deleted.</summary>
    public required string Action { get; init; }

    public required string ObjectType { get; init; }
    public required string ObjectId { get; init; }

    /// <summary>What else is worth knowing, an object; null: nothing.</summary>
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

/// <summary>Which entries to list.</summary>
public sealed record AuditQuery : ListQuery
{
    internal override string List => "audit_log";

    /// <summary>Only what this one did.</summary>
    public string? Actor { get; init; }

    /// <summary>Only this action, such as connection.deleted.</summary>
    public string? Action { get; init; }

    /// <summary>Only what was done at or after this time.</summary>
    public Instant? Since { get; init; }

    /// <summary>Only what was done before this time.</summary>
    public Instant? Until { get; init; }

    internal AuditFilter ToFilter() => new() { Actor = Actor, Action = Action, Since = Since?.Value, Until = Until?.Value };
}
