using Catalog.Api.Http;
using Catalog.Data.Billing;
using Catalog.Data.Organizations;

namespace Catalog.Api.Billing;

/// <summary>Begins to pay for an organization: it gets one customer, however many ask at once, and who asked gets a page.</summary>
internal sealed class Checkout(StripeApi stripe, BillingRepository billing, OrganizationRepository organizations, TimeProvider time)
{
    /// <returns>Where to pay, or why not.</returns>
    /// <exception cref="BillingException">Stripe did not do what it was asked.</exception>
    public async Task<(string? Url, Problem? Problem)> Begin(Caller caller, Plan plan, CancellationToken ct)
    {
        if (await organizations.Find(caller.Organization, ct) is not { } organization)
        {
            return (null, Problems.NotFound("organization"));
        }

        if (organization.Plan == Plan.SelfHosted.Name)
        {
            return (null, Problems.SelfHosted());
        }

        // Stripe is asked too: its event may still be on its way, and two subscriptions would both be paid.
        if (organization.StripeSubscriptionId is not null
            || (organization.StripeCustomerId is { } present && await stripe.Subscriptions(present, ct) is { } paid && paid.Any(subscription => subscription.Holds)))
        {
            return (null, Problems.AlreadySubscribed());
        }

        // Stored before the page is given out, so that no event of this customer can come before it is known.
        return await CustomerOf(organization, caller, ct) is { } customer
            ? (await stripe.Checkout(organization.Id, customer, plan, ct), null)
            : (null, Problems.NotFound("organization"));
    }

    private async Task<string?> CustomerOf(Organization organization, Caller caller, CancellationToken ct)
    {
        if (organization.StripeCustomerId is { } present)
        {
            return present;
        }

        string customer;
        try
        {
            customer = await stripe.CreateCustomer(organization, ct);
        }
        catch (BillingException exception) when (exception.Failure != BillingFailure.Unreachable)
        {
            await billing.GiveUpCustomer(organization, ct);
            throw;
        }

        return await billing.SetCustomer(organization.Id, customer, caller.Did("customer", customer, "created", time), ct)
            ? customer
            // Another request was first; what both made is the same customer, unless the organization was renamed in between.
            : (await organizations.Find(organization.Id, ct))?.StripeCustomerId;
    }
}
