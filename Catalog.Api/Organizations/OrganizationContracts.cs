using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>
/// The fields of an organization that the operator can change. A field that is left out is unchanged.
/// </summary>
public record PatchOrganization
{
    /// <summary>The display name, at most 256 characters.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// <c>free</c>, <c>team</c>, <c>business</c> or <c>self_hosted</c>. Limits: <c>free</c> 3 pipelines, 2 connections
    /// and 100 requests per minute; <c>team</c> 25, 10 and 500; <c>business</c> any number of pipelines and
    /// connections, and 2,000 requests per minute; <c>self_hosted</c> no limits. The default for a new organization is
    /// <c>free</c>.
    /// </summary>
    public string? Plan { get; init; }
}

/// <summary>An organization to register.</summary>
public sealed record PostOrganization : PatchOrganization
{
    /// <summary>
    /// The id: 1 to 64 letters, digits, <c>-</c>, <c>_</c> and <c>.</c>, beginning with a letter or digit; <c>me</c> is
    /// not allowed.
    /// </summary>
    public string? Id { get; init; }
}

/// <summary>A registered organization.</summary>
public sealed record RegisteredOrganization
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string Plan { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>
    /// The first API key, with every scope. Null when the organization already existed: a key is returned only once.
    /// </summary>
    public FirstKey? ApiKey { get; init; }

    internal static RegisteredOrganization From(Organization organization, FirstKey? key) => new()
    {
        Id = organization.Id,
        Name = organization.Name,
        Plan = organization.Plan,
        CreatedAt = organization.CreatedAt,
        ApiKey = key,
    };
}

/// <summary>The first API key of a new organization.</summary>
public sealed record FirstKey
{
    /// <summary>The id of the key: its public part, which may appear in logs.</summary>
    public required string Id { get; init; }

    /// <summary>The complete key. It is returned only in this response.</summary>
    public required string Key { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }
}

/// <summary>An organization with its plan, limits and usage.</summary>
public sealed record OrganizationItem
{
    public required string Id { get; init; }
    public required string Name { get; init; }

    /// <summary><c>free</c>, <c>team</c>, <c>business</c> or <c>self_hosted</c>.</summary>
    public required string Plan { get; init; }

    /// <summary>The limits of the plan.</summary>
    public required PlanCeilings Ceilings { get; init; }

    /// <summary>The current usage of these limits.</summary>
    public required PlanUsage Usage { get; init; }

    /// <summary>For how many days data is kept.</summary>
    public required Retention Retention { get; init; }

    /// <summary>Whether the plan comes from a Stripe subscription.</summary>
    public required bool Subscribed { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>
/// For how many days the data of an organization is kept, 1 to 36500. Older data is deleted permanently the next time
/// the operator runs the removal of old rows. Null, or a field that is left out, uses the operator's setting, which may
/// keep data for ever. A number larger than the operator's setting has no effect.
/// </summary>
public record PutRetention
{
    /// <summary>Days for runs with their stages and events, and for deleted pipelines.</summary>
    public long? RunsKeptDays { get; init; }

    /// <summary>Days for check results.</summary>
    public long? ResultsKeptDays { get; init; }

    /// <summary>
    /// Days for the events of runs that are still kept. The state of the run remains; the history of how it was reached
    /// is deleted.
    /// </summary>
    public long? EventsKeptDays { get; init; }
}

/// <summary>For how many days the data of an organization is kept; null where the operator's setting applies.</summary>
public sealed record Retention : PutRetention
{
    internal static Retention From(Organization organization) => new()
    {
        RunsKeptDays = organization.RunsKeptDays,
        ResultsKeptDays = organization.ResultsKeptDays,
        EventsKeptDays = organization.EventsKeptDays,
    };
}

/// <summary>The limits of a plan; null where there is no limit.</summary>
public sealed record PlanCeilings
{
    /// <summary>The maximum number of registered pipelines.</summary>
    public int? Pipelines { get; init; }

    /// <summary>The maximum number of registered connections.</summary>
    public int? Connections { get; init; }

    /// <summary>Requests per minute. It is also the maximum number of requests in one burst.</summary>
    public int? RequestsPerMinute { get; init; }

    internal static PlanCeilings From(Plan plan) =>
        new() { Pipelines = plan.Pipelines, Connections = plan.Connections, RequestsPerMinute = plan.RequestsPerMinute };
}

/// <summary>How much of its plan an organization uses.</summary>
public sealed record PlanUsage
{
    /// <summary>Registered pipelines, without deleted ones.</summary>
    public required long Pipelines { get; init; }

    /// <summary>Registered connections.</summary>
    public required long Connections { get; init; }

    /// <summary>The number of requests that can be sent now; null when there is no limit.</summary>
    public int? RequestsLeft { get; init; }
}
