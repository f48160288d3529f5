using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Data.Billing;

/// <summary>
/// Stores the Stripe customer and subscription of organizations, and the webhook events that were applied.
/// </summary>
public sealed class BillingRepository(CatalogDatabase db)
{
    /// <summary>
    /// Finds the ids of the organizations of a Stripe customer. The list is empty when no organization has this
    /// customer. It has several ids when an operator has assigned the customer to several organizations.
    /// </summary>
    public Task<List<string>> LookUp(string customer, CancellationToken ct)
    {
        const string Sql = """
            -- Billing.LookUp
            select organization_id
            from organizations
            where stripe_customer_id = @value
            order by organization_id
            """;

        return db.LookUp<string>(Database.LookUp.StripeCustomer, customer, Sql, ct);
    }

    /// <summary>Whether a webhook event was already applied.</summary>
    public async Task<bool> IsApplied(string organization, string webhookEvent, CancellationToken ct)
    {
        const string Sql = """
            -- Billing.IsApplied
            select count(*)
            from stripe_events
            where organization_id = @organization and id = @webhookEvent
            """;

        return await db.One<long>(organization, Sql, new { organization, webhookEvent }, ct) > 0;
    }

    /// <summary>Stores the Stripe customer of an organization that has no customer.</summary>
    /// <returns>False when the organization already has a customer, or does not exist.</returns>
    public Task<bool> SetCustomer(string organization, string customer, AuditEntry entry, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        const string Sql = """
            -- Billing.SetCustomer
            update organizations
            set stripe_customer_id = @customer, stripe_revision = stripe_revision + 1, updated_at = @OccurredAt
            where organization_id = @organization and stripe_customer_id is null
            """;

        if (await session.Execute(Sql, new { organization, customer, entry.OccurredAt }, ct) == 0)
        {
            return false;
        }

        await AuditRepository.Append(session, organization, entry, ct);
        return true;
    }, ct);

    /// <summary>
    /// Increases the revision after a failed attempt to create a customer, so that the next attempt uses a new
    /// idempotency key. Stripe answers the old key with the same failure for a day.
    /// </summary>
    public Task<bool> AbandonCustomerAttempt(Organization seen, CancellationToken ct) => db.Write(seen.Id, async session =>
    {
        const string Sql = """
            -- Billing.AbandonCustomerAttempt
            update organizations
            set stripe_revision = stripe_revision + 1
            where organization_id = @organization and stripe_customer_id is null and stripe_revision = @StripeRevision
            """;

        return await session.Execute(Sql, new { organization = seen.Id, seen.StripeRevision }, ct) == 1;
    }, ct);

    /// <summary>
    /// Stores a webhook event and updates the plan, unless the organization has changed since it was read.
    /// </summary>
    /// <param name="webhookEvent">The webhook event.</param>
    /// <param name="update">The new billing state, from an answer of Stripe after the organization was read.</param>
    /// <param name="change">The audit log entry; written only when the plan changes.</param>
    /// <param name="ct">Cancels the operation.</param>
    public Task<WebhookEventOutcome> Apply(StripeWebhookEvent webhookEvent, PlanUpdate update, AuditEntry change, CancellationToken ct) =>
        db.Write(update.Seen.Id, async session =>
    {
        const string Remember = """
            -- Billing.Remember
            insert into stripe_events (organization_id, id, type, created_at, received_at)
            values (@organization, @Id, @Type, @CreatedAt, @ReceivedAt)
            on conflict (organization_id, id) do nothing
            """;

        // The revision increases even when nothing else changes. So a concurrent event, whose answer from Stripe can be
        // older, gets a conflict. The plan is compared too, because a change by an operator does not increase the
        // revision.
        const string Follow = """
            -- Billing.Follow
            update organizations
            set plan = @Plan, stripe_customer_id = @CustomerId, stripe_subscription_id = @SubscriptionId, stripe_revision = stripe_revision + 1,
                updated_at = case when plan <> @Plan or coalesce(stripe_subscription_id, '') <> coalesce(@SubscriptionId, '')
                    then @OccurredAt else updated_at end
            where organization_id = @organization and stripe_revision = @StripeRevision and plan = @seen and stripe_customer_id = @customer
            """;

        var (seen, plan) = (update.Seen, update.Plan);
        if (await session.Execute(
            Remember, new { organization = seen.Id, webhookEvent.Id, webhookEvent.Type, webhookEvent.CreatedAt, webhookEvent.ReceivedAt },
            ct) == 0)
        {
            return WebhookEventOutcome.AlreadyApplied;
        }

        if (await session.Execute(Follow, new
        {
            organization = seen.Id,
            Plan = plan,
            update.CustomerId,
            update.SubscriptionId,
            change.OccurredAt,
            seen.StripeRevision,
            seen = seen.Plan,
            customer = seen.StripeCustomerId,
        }, ct) == 0)
        {
            session.RequestRollback();
            return WebhookEventOutcome.Conflict;
        }

        if (plan != seen.Plan)
        {
            await AuditRepository.Append(session, seen.Id, change, ct);
        }

        return WebhookEventOutcome.Applied;
    }, ct);
}
