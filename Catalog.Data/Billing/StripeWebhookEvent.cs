namespace Catalog.Data.Billing;

/// <summary>A webhook event of Stripe, as it is stored in <c>stripe_events</c>.</summary>
public sealed record StripeWebhookEvent
{
    /// <summary>Stripe's id of the event. It is the same when Stripe sends the event again.</summary>
    public required string Id { get; init; }

    /// <summary>Stripe's type of the event, such as <c>customer.subscription.updated</c>.</summary>
    public required string Type { get; init; }

    /// <summary>When the event happened, by Stripe's clock.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }
}

/// <summary>The new billing state of an organization, from Stripe's answer after <see cref="Seen"/> was read.</summary>
/// <param name="Seen">The organization as it was read before Stripe was asked.</param>
/// <param name="Plan">The name of the new plan.</param>
/// <param name="CustomerId">The id of the Stripe customer; null when the customer was deleted.</param>
/// <param name="SubscriptionId">
/// The id of the subscription that grants the plan; null when no subscription grants it.
/// </param>
public sealed record PlanUpdate(Organizations.Organization Seen, string Plan, string? CustomerId, string? SubscriptionId);

/// <summary>The result of applying a webhook event.</summary>
public enum WebhookEventOutcome
{
    /// <summary>The event is stored, and the plan is up to date.</summary>
    Applied,

    /// <summary>The event was already applied.</summary>
    AlreadyApplied,

    /// <summary>
    /// The organization has changed since it was read, so Stripe's answer can be older than the stored state. Nothing
    /// was stored.
    /// </summary>
    Conflict,
}
