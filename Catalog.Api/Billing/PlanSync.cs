using System.Text.Json;
using Catalog.Api.Authentication;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Billing;
using Catalog.Data.Organizations;

namespace Catalog.Api.Billing;

/// <summary>
/// Updates an organization's plan from its Stripe subscriptions. A webhook event only triggers the update: the service
/// reads the organization, then asks Stripe for the current subscriptions, and stores the result only if the
/// organization has not changed since it was read. Events may therefore arrive in any order, more than once, and at
/// several replicas.
/// </summary>
internal sealed partial class PlanSync(
    StripeApi stripe, BillingRepository billing, OrganizationRepository organizations, PlanCache plans, TimeProvider time,
    ILogger<PlanSync> log)
{
    // A conflict means that the organization changed meanwhile. If the last attempt conflicts too, the response is an
    // error, and Stripe sends the event again.
    private const int MaxAttempts = 10;

    /// <summary>Applies one webhook event.</summary>
    /// <returns>False when every attempt conflicted with another change: Stripe must send the event again.</returns>
    /// <exception cref="BillingException">The request to Stripe failed.</exception>
    public async Task<bool> Apply(StripeWebhookBody webhook, CancellationToken ct)
    {
        if (webhook.Customer is not { } customer)
        {
            return true;
        }

        foreach (var organization in await billing.LookUp(customer, ct))
        {
            if (!await billing.IsApplied(organization, webhook.Event.Id, ct) && !await Apply(organization, customer, webhook.Event, ct))
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> Apply(string id, string customer, StripeWebhookEvent webhookEvent, CancellationToken ct)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            // The organization is read before Stripe is asked. If its stored revision is still the same afterwards, no
            // newer answer was stored.
            if (await organizations.Find(id, ct) is not { } organization || organization.StripeCustomerId != customer)
            {
                return true;
            }

            var update = Decide(organization, await stripe.Subscriptions(customer, ct));
            var change = new AuditEntry
            {
                OccurredAt = time.Now(),
                Actor = "stripe",
                Action = "plan.changed",
                ObjectType = "plan",
                ObjectId = id,
                Detail = JsonSerializer.Serialize(new { From = organization.Plan, To = update.Plan }, ApiJson.Options),
            };
            if (await billing.Apply(webhookEvent, update, change, ct) != WebhookEventOutcome.Conflict)
            {
                plans.Forget(id);
                return true;
            }
        }

        LogConflict(id);
        return false;
    }

    /// <summary>Decides which plan an organization gets.</summary>
    /// <param name="organization">The organization as it was read.</param>
    /// <param name="subscriptions">The subscriptions of its customer; null when the customer was deleted.</param>
    private PlanUpdate Decide(Organization organization, IReadOnlyList<StripeSubscription>? subscriptions)
    {
        var customer = subscriptions is null ? null : organization.StripeCustomerId;
        if (organization.Plan == Plan.SelfHosted.Name)
        {
            return new(organization, organization.Plan, customer, null);
        }

        var granting = (subscriptions ?? []).Where(subscription => subscription.GrantsPlan)
            .OrderBy(subscription => subscription.Id, StringComparer.Ordinal).ToList();
        var prices = stripe.Settings.Prices;
        // If the customer pays for several plans, the largest one counts.
        var best = granting
            .SelectMany(subscription =>
                subscription.Prices.Where(prices.ContainsKey).Select(price => (Plan: prices[price], subscription.Id)))
            .OrderByDescending(paid => paid.Plan.RequestsPerMinute)
            .FirstOrDefault();
        if (best.Plan is not null)
        {
            return new(organization, best.Plan.Name, customer, best.Id);
        }

        if (granting.Count > 0)
        {
            LogUnknownPrice(organization.Id, granting[0].Id);
            return new(organization, organization.Plan, customer, organization.StripeSubscriptionId);
        }

        // If no subscription is stored, the plan does not come from Stripe, so it stays. Otherwise the subscription has
        // ended, and the plan becomes free.
        return new(organization, organization.StripeSubscriptionId is null ? organization.Plan : Plan.Free.Name, customer, null);
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Subscription {Subscription} of organization {Organization} has a price that belongs to "
            + "no configured plan; the plan is unchanged. Set DATAXPIPE_STRIPE_PRICE_TEAM or DATAXPIPE_STRIPE_PRICE_BUSINESS, or "
            + "change the subscription")]
    private partial void LogUnknownPrice(string organization, string subscription);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "A Stripe event for organization {Organization} was not applied, because the "
            + "organization changed during every attempt; Stripe will send the event again")]
    private partial void LogConflict(string organization);
}
