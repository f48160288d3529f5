using Catalog.Api.Http;
using Catalog.Data.Billing;
using Catalog.Data.Organizations;

namespace Catalog.Api.Billing;

/// <summary>
/// Starts a subscription. The organization gets exactly one Stripe customer, even with concurrent requests; each
/// request gets its own payment page.
/// </summary>
internal sealed class Checkout(StripeApi stripe, BillingRepository billing, OrganizationRepository organizations, TimeProvider time)
{
    /// <summary>Creates a payment page for a plan.</summary>
    /// <returns>The URL of the page, or the problem to answer with.</returns>
    /// <exception cref="BillingException">The request to Stripe failed.</exception>
    public async Task<(string? Url, Problem? Problem)> Begin(Caller caller, Plan plan, CancellationToken ct)
    {
        if (await organizations.Find(caller.Organization, ct) is not { } organization)
        {
            return (null, Problems.OrganizationNotFound());
        }

        if (organization.Plan == Plan.SelfHosted.Name)
        {
            return (null, Problems.SelfHosted());
        }

        // Stripe is asked too, because the webhook event of a new subscription may arrive later. A second subscription
        // would be charged too.
        if (organization.StripeSubscriptionId is not null
            || (organization.StripeCustomerId is { } existing && await stripe.Subscriptions(existing, ct) is { } paid
                && paid.Any(subscription => subscription.GrantsPlan)))
        {
            return (null, Problems.AlreadySubscribed());
        }

        // The customer is stored before the page is returned, so that every later event of this customer finds its
        // organization.
        return await CustomerOf(organization, caller, ct) is { } customer
            ? (await stripe.Checkout(organization.Id, customer, plan, ct), null)
            : (null, Problems.OrganizationNotFound());
    }

    /// <summary>Creates a page at Stripe where the subscription can be changed or cancelled.</summary>
    /// <returns>The URL of the page, or the problem to answer with.</returns>
    /// <exception cref="BillingException">The request to Stripe failed.</exception>
    public async Task<(string? Url, Problem? Problem)> OpenPortal(Caller caller, CancellationToken ct) =>
        await organizations.Find(caller.Organization, ct) is not { } organization ? (null, Problems.OrganizationNotFound())
        : organization.Plan == Plan.SelfHosted.Name && organization.StripeCustomerId is null ? (null, Problems.SelfHosted())
        : organization.StripeCustomerId is not { } customer ? (null, Problems.NoCustomer())
        : (await stripe.Portal(customer, ct), null);

    private async Task<string?> CustomerOf(Organization organization, Caller caller, CancellationToken ct)
    {
        if (organization.StripeCustomerId is { } existing)
        {
            return existing;
        }

        string customer;
        try
        {
            customer = await stripe.CreateCustomer(organization, ct);
        }
        catch (BillingException exception) when (exception.Failure != BillingFailure.Unreachable)
        {
            await billing.AbandonCustomerAttempt(organization, ct);
            throw;
        }

        return await billing.SetCustomer(organization.Id, customer, caller.NewAuditEntry("customer", customer, "created", time), ct)
            ? customer
            // Another request stored its customer first. Normally Stripe returned the same customer to both requests.
            // If the organization was renamed in between, the customers differ, because the name is part of the
            // idempotency key.
            : (await organizations.Find(organization.Id, ct))?.StripeCustomerId;
    }
}
