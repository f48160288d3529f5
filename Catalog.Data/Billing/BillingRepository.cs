using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Data.Billing;

/// <summary>Keeps who pays for an organization, what its plan follows, and which events have been applied.</summary>
public sealed class BillingRepository(CatalogDatabase db)
{
    /// <summary>The organizations of a customer: one or none, unless an operator gave a customer to two.</summary>
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

    /// <summary>Whether an event was applied before.</summary>
    public async Task<bool> IsKnown(string organization, string notice, CancellationToken ct)
    {
        const string Sql = """
            -- Billing.IsKnown
            select count(*)
            from stripe_events
            where organization_id = @organization and id = @notice
            """;

        return await db.One<long>(organization, Sql, new { organization, notice }, ct) > 0;
    }

    /// <summary>Stores who pays, unless somebody does already.</summary>
    /// <returns>False when the organization has a customer, or is gone.</returns>
    public Task<bool> SetCustomer(string organization, string customer, AuditEntry entry, CancellationToken ct) => db.Write(organization, async session =>
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

    /// <summary>The next attempt to make a customer must differ from the one that failed, whose failure Stripe repeats for a day.</summary>
    public Task<bool> GiveUpCustomer(Organization seen, CancellationToken ct) => db.Write(seen.Id, async session =>
    {
        const string Sql = """
            -- Billing.GiveUpCustomer
            update organizations
            set stripe_revision = stripe_revision + 1
            where organization_id = @organization and stripe_customer_id is null and stripe_revision = @StripeRevision
            """;

        return await session.Execute(Sql, new { organization = seen.Id, seen.StripeRevision }, ct) == 1;
    }, ct);

    /// <summary>Remembers an event and lets the plan follow, if nothing has changed since the organization was read.</summary>
    /// <param name="notice">The event.</param>
    /// <param name="followed">What Stripe said after the organization was read.</param>
    /// <param name="change">Written when the plan changes.</param>
    /// <param name="ct">Cancels.</param>
    public Task<NoticeOutcome> Apply(StripeNotice notice, FollowedPlan followed, AuditEntry change, CancellationToken ct) => db.Write(followed.Seen.Id, async session =>
    {
        const string Remember = """
            -- Billing.Remember
            insert into stripe_events (organization_id, id, type, created_at, received_at)
            values (@organization, @Id, @Type, @CreatedAt, @ReceivedAt)
            on conflict (organization_id, id) do nothing
            """;

        // The revision moves also when nothing else does: whoever asked Stripe before this one did must ask again. The plan is compared
        // too, because an operator may have given another one meanwhile.
        const string Follow = """
            -- Billing.Follow
            update organizations
            set plan = @Plan, stripe_customer_id = @CustomerId, stripe_subscription_id = @SubscriptionId, stripe_revision = stripe_revision + 1,
                updated_at = case when plan <> @Plan or coalesce(stripe_subscription_id, '') <> coalesce(@SubscriptionId, '') then @OccurredAt else updated_at end
            where organization_id = @organization and stripe_revision = @StripeRevision and plan = @seen and stripe_customer_id = @customer
            """;

        var (seen, plan) = (followed.Seen, followed.Plan);
        if (await session.Execute(Remember, new { organization = seen.Id, notice.Id, notice.Type, notice.CreatedAt, notice.ReceivedAt }, ct) == 0)
        {
            return NoticeOutcome.Known;
        }

        if (await session.Execute(Follow, new
        {
            organization = seen.Id,
            Plan = plan,
            followed.CustomerId,
            followed.SubscriptionId,
            change.OccurredAt,
            seen.StripeRevision,
            seen = seen.Plan,
            customer = seen.StripeCustomerId,
        }, ct) == 0)
        {
            session.RequestRollback();
            return NoticeOutcome.Overtaken;
        }

        if (plan != seen.Plan)
        {
            await AuditRepository.Append(session, seen.Id, change, ct);
        }

        return NoticeOutcome.Applied;
    }, ct);
}
