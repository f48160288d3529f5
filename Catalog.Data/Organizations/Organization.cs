using System.Text.RegularExpressions;

namespace Catalog.Data.Organizations;

/// <summary>An organization: whose data others never see.</summary>
public sealed partial record Organization
{
    /// <summary>The organization that is there from the beginning, without a row of its own: a single team's installation needs no other.</summary>
    public const string Default = "default";

    /// <summary>Chosen by the operator.</summary>
    public required string Id { get; init; }

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary>The name of its <see cref="Plan"/>.</summary>
    public required string Plan { get; init; }

    /// <summary>Who pays for it, as Stripe calls them; null while nobody has begun to.</summary>
    public string? StripeCustomerId { get; init; }

    /// <summary>The subscription that its plan follows; null where it follows none.</summary>
    public string? StripeSubscriptionId { get; init; }

    /// <summary>Counts what billing has changed.</summary>
    public long StripeRevision { get; init; }

    /// <summary>For how many days it keeps runs with their stages and events, where that is less than the operator's settings say; null: as they say.</summary>
    public long? RunsKeptDays { get; init; }

    /// <summary>The same for check results.</summary>
    public long? ResultsKeptDays { get; init; }

    /// <summary>The same for events of runs that stay.</summary>
    public long? EventsKeptDays { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Whether a text can be an organization's id: 1 to 64 letters, digits, -, _ and ., beginning with a letter or digit.</summary>
    public static bool IsId(string text) => IdPattern().IsMatch(text);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex IdPattern();
}

/// <summary>How much of its plan an organization uses.</summary>
public sealed record OrganizationUsage
{
    /// <summary>Pipelines that are registered and not deleted.</summary>
    public required long Pipelines { get; init; }

    /// <summary>Registered connections.</summary>
    public required long Connections { get; init; }
}

/// <summary>A key of an organization, without its secret.</summary>
public sealed record ApiKey
{
    /// <summary>The public part, which may be logged.</summary>
    public required string Id { get; init; }

    public required string OrganizationId { get; init; }

    /// <summary>What its makers call it.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the secret part.</summary>
    public required byte[] SecretHash { get; init; }

    /// <summary>What it may do, with spaces between the words.</summary>
    public required string Scopes { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Who made it.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When it ends by itself; null: never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was revoked; null while it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>The key that a rotation made beside it; null while none did.</summary>
    public string? ReplacedBy { get; init; }

    /// <summary>About when it was last used, to the minute; null: never.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>Whether it is taken at a moment.</summary>
    public bool IsLive(DateTimeOffset now) => RevokedAt is null && !(ExpiresAt <= now);
}

/// <summary>What somebody did, for the organization's log.</summary>
public sealed record AuditEntry
{
    /// <summary>Orders entries of one instant; a UUIDv7.</summary>
    public string Id { get; init; } = Guid.CreateVersion7().ToString();

    public required DateTimeOffset OccurredAt { get; init; }

    /// <summary>A key's public id, a token's subject, the operator, or stripe.</summary>
    public required string Actor { get; init; }

    /// <summary>The object's type and what became of it, such as <c>connection.deleted</c>.</summary>
    public required string Action { get; init; }

    /// <summary>Such as <c>connection</c>.</summary>
    public required string ObjectType { get; init; }

    public required string ObjectId { get; init; }

    /// <summary>What else is worth knowing, a JSON object without secrets; null: nothing.</summary>
    public string? Detail { get; init; }
}
