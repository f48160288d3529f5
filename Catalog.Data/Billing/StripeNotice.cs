namespace Catalog.Data.Billing;

/// <summary>An event that Stripe told of.</summary>
public sealed record StripeNotice
{
    /// <summary>Chosen by Stripe; the same however often it is sent.</summary>
    public required string Id { get; init; }

    /// <summary>Such as <c>customer.subscription.updated</c>.</summary>
    public required string Type { get; init; }

    /// <summary>When it happened, by Stripe's clock.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }
}

/// <summary>What an organization's plan follows, as Stripe said after <see cref="Seen"/> was read.</summary>
/// <param name="Seen">The organization that was read before Stripe was asked.</param>
/// <param name="Plan">The plan from now on.</param>
/// <param name="CustomerId">Who pays; null when the customer is gone.</param>
/// <param name="SubscriptionId">What the plan follows; null: nothing.</param>
public sealed record FollowedPlan(Organizations.Organization Seen, string Plan, string? CustomerId, string? SubscriptionId);

/// <summary>What became of an event.</summary>
public enum NoticeOutcome
{
    /// <summary>It is remembered, and the plan is what Stripe said.</summary>
    Applied,

    /// <summary>It was applied before.</summary>
    Known,

    /// <summary>The organization has changed since it was read: what Stripe said may be older than what is stored.</summary>
    Overtaken,
}
