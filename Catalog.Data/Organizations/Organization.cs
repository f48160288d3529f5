using System.Text.RegularExpressions;

namespace Catalog.Data.Organizations;

/// <summary>An organization (tenant). Other organizations cannot access its data.</summary>
public sealed partial record Organization
{
    /// <summary>
    /// The id of the organization that always exists. It has no stored row. An installation for a single team uses only
    /// this organization.
    /// </summary>
    public const string Default = "default";

    /// <summary>The id, chosen by the operator; see <see cref="IsId"/>.</summary>
    public required string Id { get; init; }

    /// <summary>The display name.</summary>
    public required string Name { get; init; }

    /// <summary>The name of its <see cref="Plan"/>.</summary>
    public required string Plan { get; init; }

    /// <summary>The id of its Stripe customer; null when there is none.</summary>
    public string? StripeCustomerId { get; init; }

    /// <summary>The id of the Stripe subscription that grants the plan; null when none does.</summary>
    public string? StripeSubscriptionId { get; init; }

    /// <summary>Increases with every change by billing; used for optimistic locking and idempotency keys.</summary>
    public long StripeRevision { get; init; }

    /// <summary>
    /// The number of days for which runs are kept with their stages and events; null for the operator's setting. The
    /// operator's setting also applies if it is smaller.
    /// </summary>
    public long? RunsKeptDays { get; init; }

    /// <summary>Like <see cref="RunsKeptDays"/>, for check results.</summary>
    public long? ResultsKeptDays { get; init; }

    /// <summary>Like <see cref="RunsKeptDays"/>, for the events of runs that are still kept.</summary>
    public long? EventsKeptDays { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>
    /// Whether a text is a valid id: 1 to 64 letters, digits, -, _ and ., beginning with a letter or digit.
    /// </summary>
    public static bool IsId(string text) => IdPattern().IsMatch(text);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex IdPattern();
}

/// <summary>How much of its plan an organization uses.</summary>
public sealed record OrganizationUsage
{
    /// <summary>The number of registered pipelines that are not deleted.</summary>
    public required long Pipelines { get; init; }

    /// <summary>The number of registered connections.</summary>
    public required long Connections { get; init; }
}

/// <summary>An API key of an organization, without its secret.</summary>
public sealed record ApiKey
{
    /// <summary>The public part of the key, which may be logged.</summary>
    public required string Id { get; init; }

    public required string OrganizationId { get; init; }

    /// <summary>The name given by its creator.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the secret part.</summary>
    public required byte[] SecretHash { get; init; }

    /// <summary>The scopes, separated by spaces.</summary>
    public required string Scopes { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The actor who created the key, as in <see cref="AuditEntry.Actor"/>.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When the key expires; null when it does not expire.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When the key was revoked; null when it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>The id of the key that replaced this key in a rotation; null when the key was not replaced.</summary>
    public string? ReplacedBy { get; init; }

    /// <summary>When the key was last used, accurate to about two minutes; null when it was never used.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>Whether the key is valid at a time: neither revoked nor expired.</summary>
    public bool IsLive(DateTimeOffset now) => RevokedAt is null && !(ExpiresAt <= now);
}

/// <summary>An entry of the audit log.</summary>
public sealed record AuditEntry
{
    /// <summary>A UUIDv7. It orders entries with the same time.</summary>
    public string Id { get; init; } = Guid.CreateVersion7().ToString();

    public required DateTimeOffset OccurredAt { get; init; }

    /// <summary>The caller: the id of a key, the subject of a token, the operator's key, or <c>stripe</c>.</summary>
    public required string Actor { get; init; }

    /// <summary>The type of the object and the action, such as <c>connection.deleted</c>.</summary>
    public required string Action { get; init; }

    /// <summary>The type of the object, such as <c>connection</c>.</summary>
    public required string ObjectType { get; init; }

    public required string ObjectId { get; init; }

    /// <summary>Further details, a JSON object without secrets; null when there are none.</summary>
    public string? Detail { get; init; }
}
