using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>What an operator may change of an organization. What is left out stays.</summary>
public record PatchOrganization
{
    /// <summary>What people call it, at most 256 characters.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// free, team, business or self_hosted. Free allows 3 pipelines, 2 connections and 100 requests a minute; team 25, 10 and 500; business any number
    /// and 2,000; self_hosted anything. A new organization that names none begins as free.
    /// </summary>
    public string? Plan { get; init; }
}

/// <summary>An organization to register.</summary>
public sealed record PostOrganization : PatchOrganization
{
    /// <summary>Its id: 1 to 64 letters, digits, <c>-</c>, <c>_</c> and <c>.</c>, beginning with a letter or digit; not <c>me</c>.</summary>
    public string? Id { get; init; }
}

/// <summary>A registered organization.</summary>
public sealed record RegisteredOrganization
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string Plan { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Its first key, with every scope. Null when the organization was there already: no key is shown twice.</summary>
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

/// <summary>The key that a new organization begins with.</summary>
public sealed record FirstKey
{
    /// <summary>The public part, which logs may show.</summary>
    public required string Id { get; init; }

    /// <summary>The key itself, shown this once.</summary>
    public required string Key { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }
}

/// <summary>An organization with its plan and what it uses of it.</summary>
public sealed record OrganizationItem
{
    public required string Id { get; init; }
    public required string Name { get; init; }

    /// <summary>free, team, business or self_hosted.</summary>
    public required string Plan { get; init; }

    /// <summary>What the plan allows.</summary>
    public required PlanCeilings Ceilings { get; init; }

    /// <summary>What is used of it.</summary>
    public required PlanUsage Usage { get; init; }

    /// <summary>For how long it keeps what it was sent.</summary>
    public required Retention Retention { get; init; }

    /// <summary>Whether the plan follows a subscription.</summary>
    public required bool Subscribed { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>
/// For how many days an organization keeps what it was sent, 1 to 36500; what is older is removed for good the next time the operator has old rows
/// removed. Null: for as long as the operator keeps it, which may be for ever. More days than the operator keeps have no effect.
/// </summary>
public record PutRetention
{
    /// <summary>Runs with their stages and events, and deleted pipelines.</summary>
    public long? RunsKeptDays { get; init; }

    /// <summary>Check results.</summary>
    public long? ResultsKeptDays { get; init; }

    /// <summary>Events of runs that stay: the run's state remains, how it came about does not.</summary>
    public long? EventsKeptDays { get; init; }
}

/// <summary>For how many days an organization keeps what it was sent; null: for as long as the operator does.</summary>
public sealed record Retention : PutRetention
{
    internal static Retention From(Organization organization) => new()
    {
        RunsKeptDays = organization.RunsKeptDays,
        ResultsKeptDays = organization.ResultsKeptDays,
        EventsKeptDays = organization.EventsKeptDays,
    };
}

/// <summary>What a plan allows; null: any number.</summary>
public sealed record PlanCeilings
{
    public int? Pipelines { get; init; }
    public int? Connections { get; init; }

    /// <summary>Also the largest burst.</summary>
    public int? RequestsPerMinute { get; init; }

    internal static PlanCeilings From(Plan plan) => new() { Pipelines = plan.Pipelines, Connections = plan.Connections, RequestsPerMinute = plan.RequestsPerMinute };
}

/// <summary>What an organization uses of its plan.</summary>
public sealed record PlanUsage
{
    /// <summary>Pipelines that are registered and not deleted.</summary>
    public required long Pipelines { get; init; }

    public required long Connections { get; init; }

    /// <summary>How many requests may follow at once; null: any number.</summary>
    public int? RequestsLeft { get; init; }
}
