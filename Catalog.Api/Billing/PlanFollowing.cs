using System.Text.Json;
using Catalog.Api.Authentication;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Billing;
using Catalog.Data.Organizations;

namespace Catalog.Api.Billing;

/// <summary>
/// Lets an organization's plan follow what is paid for. An event only says that something happened: Stripe is asked what is so now, after the
/// organization was read, and the answer counts only if the organization is still as it was read. So events may come in any order, twice
/// and at several replicas.
/// </summary>
internal sealed partial class PlanFollowing(
    StripeApi stripe, BillingRepository billing, OrganizationRepository organizations, KnownOrganizations known, TimeProvider time, ILogger<PlanFollowing> log)
{
    // Each loss means that another one was applied; who loses this often is sent again by Stripe.
    private const int MostAttempts = 10;

    /// <returns>False when others changed the organization all the time: the event is to be sent again.</returns>
    /// <exception cref="BillingException">Stripe could not be asked.</exception>
    public async Task<bool> Follow(StripeEvent happened, CancellationToken ct)
    {
        if (happened.Customer is not { } customer)
        {
            return true;
        }

        foreach (var organization in await billing.LookUp(customer, ct))
        {
            if (!await billing.IsKnown(organization, happened.Notice.Id, ct) && !await Follow(organization, customer, happened.Notice, ct))
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> Follow(string organization, string customer, StripeNotice notice, CancellationToken ct)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            // In this order: whatever is stored later than this read was asked later, too.
            if (await organizations.Find(organization, ct) is not { } seen || seen.StripeCustomerId != customer)
            {
                return true;
            }

            var followed = Decide(seen, await stripe.Subscriptions(customer, ct));
            var change = new AuditEntry
            {
                OccurredAt = time.Now(),
                Actor = "stripe",
                Action = "plan.changed",
                ObjectType = "plan",
                ObjectId = organization,
                Detail = JsonSerializer.Serialize(new { From = seen.Plan, To = followed.Plan }, ApiJson.Options),
            };
            if (await billing.Apply(notice, followed, change, ct) != NoticeOutcome.Overtaken)
            {
                known.Forget(organization);
                return true;
            }
        }

        LogOvertaken(organization);
        return false;
    }

    /// <summary>What an organization has from what is paid for.</summary>
    /// <param name="seen">The organization.</param>
    /// <param name="subscriptions">Its customer's; null: the customer is gone.</param>
    private FollowedPlan Decide(Organization seen, IReadOnlyList<StripeSubscription>? subscriptions)
    {
        var customer = subscriptions is null ? null : seen.StripeCustomerId;
        if (seen.Plan == Plan.SelfHosted.Name)
        {
            return new(seen, seen.Plan, customer, null);
        }

        var holding = (subscriptions ?? []).Where(subscription => subscription.Holds).OrderBy(subscription => subscription.Id, StringComparer.Ordinal).ToList();
        var prices = stripe.Settings.Prices;
        // The largest plan, should somebody pay for two.
        var best = holding
            .SelectMany(subscription => subscription.Prices.Where(prices.ContainsKey).Select(price => (Plan: prices[price], subscription.Id)))
            .OrderByDescending(paid => paid.Plan.RequestsPerMinute)
            .FirstOrDefault();
        if (best.Plan is not null)
        {
            return new(seen, best.Plan.Name, customer, best.Id);
        }

        if (holding.Count > 0)
        {
            LogUnknownPrice(seen.Id, holding[0].Id);
            return new(seen, seen.Plan, customer, seen.StripeSubscriptionId);
        }

        // A plan that follows no subscription was given by the operator and does not end with one that never began.
        return new(seen, seen.StripeSubscriptionId is null ? seen.Plan : Plan.Free.Name, customer, null);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Organization {Organization} pays by subscription {Subscription} for a price that is no plan here; its plan stays. Set DATAXPIPE_STRIPE_PRICE_TEAM or _BUSINESS, or change the subscription")]
    private partial void LogUnknownPrice(string organization, string subscription);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Organization {Organization} changed all the time while an event of Stripe was applied; it will be sent again")]
    private partial void LogOvertaken(string organization);
}
