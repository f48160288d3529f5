using Catalog.Api.Authentication;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Billing;

public sealed class WebhookEventsOnSqlite(SqliteTestDatabase database, FakeStripe stripe) : WebhookEventTests(database, stripe),
    IClassFixture<SqliteTestDatabase>, IClassFixture<FakeStripe>;

public sealed class WebhookEventsOnPostgres(PostgresTestDatabase database, FakeStripe stripe) : WebhookEventTests(database, stripe),
    IClassFixture<PostgresTestDatabase>, IClassFixture<FakeStripe>;

/// <summary>The plan of an organization follows the events of its subscriptions.</summary>
public abstract class WebhookEventTests(TestDatabase database, FakeStripe stripe) : BillingTestBase(database, stripe)
{
    [Fact]
    public async Task A_plan_follows_its_subscription_at_once()
    {
        var (id, client, customer) = await Customer();
        var known = App.Services.GetRequiredService<PlanCache>();
        Assert.Equal("free", (await known.PlanOf(id, Ct))!.Name);

        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await PostWebhookOk(created);
        Assert.Equal(("team", true), (await PlanOf(client), await IsSubscribed(client)));
        Assert.Equal("team", (await known.PlanOf(id, Ct))!.Name);
        Assert.Equal("500", (await client.GetAsync("/api/v1/runs/", Ct)).Headers.GetValues("RateLimit-Limit").Single());
        Assert.True(await IsEventApplied(id, created));

        await PostWebhookOk(Stripe.Change(subscription, price: FakeStripe.Business));
        Assert.Equal("business", await PlanOf(client));

        await PostWebhookOk(Stripe.Change(subscription, "canceled"));
        Assert.Equal(("free", false), (await PlanOf(client), await IsSubscribed(client)));
        Assert.Equal([("stripe", "business", "free"), ("stripe", "team", "business"), ("stripe", "free", "team")],
            await PlanChanges(client));
    }

    [Theory]
    [InlineData("active", "team")]
    [InlineData("trialing", "team")]
    [InlineData("past_due", "team")]
    [InlineData("unpaid", "free")]
    [InlineData("canceled", "free")]
    [InlineData("incomplete", "free")]
    [InlineData("incomplete_expired", "free")]
    [InlineData("paused", "free")]
    [InlineData("word_of_tomorrow", "free")]
    public async Task The_subscription_status_decides_the_plan(string status, string plan)
    {
        var (_, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await PostWebhookOk(created);

        await PostWebhookOk(Stripe.Change(subscription, status));

        Assert.Equal(plan, await PlanOf(client));
    }

    [Fact]
    public async Task A_completed_checkout_updates_the_plan()
    {
        var (_, client, customer) = await Customer();
        Stripe.Subscribe(customer, FakeStripe.Team);

        await PostWebhookOk(
            Stripe.Event("checkout.session.completed",
                new { id = "cs_1", customer = new { id = customer, @object = "customer" }, mode = "subscription" }));

        Assert.Equal("team", await PlanOf(client));
    }

    [Fact]
    public async Task With_several_subscriptions_the_largest_plan_applies_on_any_page()
    {
        var (_, client, customer) = await Customer();
        var (business, _) = Stripe.Subscribe(customer, FakeStripe.Business);
        for (var i = 0; i < 5; i++)
        {
            Stripe.Subscribe(customer, FakeStripe.Team, "canceled");
        }

        await PostWebhookOk(Stripe.Subscribe(customer, FakeStripe.Team).Event);
        Assert.Equal("business", await PlanOf(client));
        await PostWebhookOk(Stripe.Change(business, "canceled"));
        Assert.Equal("team", await PlanOf(client));
    }

    [Fact]
    public async Task A_downgrade_deletes_nothing_and_refuses_only_new_objects()
    {
        var (_, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await PostWebhookOk(created);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(201, (int)(await client.PostJson("/api/v1/pipelines/", new { name = $"p{i}", version = "1" })).StatusCode);
        }

        await PostWebhookOk(Stripe.Change(subscription, "unpaid"));

        Assert.Equal(5, (await client.GetJson("/api/v1/pipelines/")).GetProperty("items").GetArrayLength());
        var refused = await (await client.PostJson("/api/v1/pipelines/", new { name = "p5", version = "1" }))
            .Problem(403, "plan_limit_reached");
        Assert.Equal("team", refused.GetProperty("plan").GetString());
        Assert.Equal(200, (int)(await client.PostJson("/api/v1/pipelines/", new { name = "p1", version = "1" })).StatusCode);
        Assert.Equal(201, (int)(await client.PostJson("/api/v1/runs/", new { pipeline_id = "p4", status = "running" })).StatusCode);

        await PostWebhookOk(Stripe.Change(subscription, "active"));
        Assert.Equal(201, (int)(await client.PostJson("/api/v1/pipelines/", new { name = "p5", version = "1" })).StatusCode);
    }

    [Fact]
    public async Task A_repeated_event_changes_nothing()
    {
        var (id, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await PostWebhookOk(created);
        var before = await FindOrganization(id);
        var canceled = Stripe.Change(subscription, "canceled");

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => PostWebhookOk(created)));

        Assert.Equal(before, await FindOrganization(id));
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => PostWebhookOk(canceled)));
        Assert.Equal([("stripe", "team", "free"), ("stripe", "free", "team")], await PlanChanges(client));
    }

    [Fact]
    public async Task An_old_event_does_not_restore_an_old_plan()
    {
        var (_, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Business);
        var canceled = Stripe.Change(subscription, "canceled");

        await PostWebhookOk(canceled);
        await PostWebhookOk(created);

        Assert.Equal("free", await PlanOf(client));
        Assert.Empty(await PlanChanges(client));
    }

    [Fact]
    public async Task A_stale_read_from_Stripe_is_repeated()
    {
        var (_, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Business);
        var requested = new TaskCompletionSource();
        using var release = new SemaphoreSlim(0);
        // The first request reads the current state, and its answer is delayed.
        Stripe.Hold = async number =>
        {
            if (number == 1)
            {
                requested.SetResult();
                await release.WaitAsync(Ct);
            }
        };
        Stripe.RestartNumbering();

        var delayed = PostWebhook(created);
        await requested.Task.WaitAsync(TimeSpan.FromSeconds(20), Ct);
        await PostWebhookOk(Stripe.Change(subscription, "canceled"));
        release.Release();

        Assert.Equal(200, (int)(await delayed).StatusCode);
        Assert.Equal("free", await PlanOf(client));
    }

    [Fact]
    public async Task An_unknown_price_keeps_the_plan_and_logs_a_warning()
    {
        var (id, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await PostWebhookOk(created);

        await PostWebhookOk(Stripe.Change(subscription, price: "price_of_something_else"));

        Assert.Equal(("team", true), (await PlanOf(client), await IsSubscribed(client)));
        Assert.Contains(App.Log.At(LogLevel.Warning), line => line.Contains(id, StringComparison.Ordinal)
            && line.Contains(subscription, StringComparison.Ordinal));
        await PostWebhookOk(Stripe.Change(subscription, "canceled"));
        Assert.Equal("free", await PlanOf(client));
    }

    [Fact]
    public async Task Events_do_not_change_a_plan_set_by_the_operator()
    {
        var (id, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await PostWebhookOk(created);
        await Send(HttpMethod.Patch, $"/api/v1/organizations/{id}", """{"plan":"self_hosted"}""");

        await PostWebhookOk(Stripe.Change(subscription, price: FakeStripe.Business));
        await PostWebhookOk(Stripe.Change(subscription, "canceled"));
        await PostWebhookOk(Stripe.Delete(customer));
        Assert.Equal("self_hosted", await PlanOf(client));

        var (_, given, other) = await Customer("business");
        var (never, begun) = Stripe.Subscribe(other, FakeStripe.Team, "incomplete");
        await PostWebhookOk(begun);
        await PostWebhookOk(Stripe.Change(never, "incomplete_expired"));
        Assert.Equal("business", await PlanOf(given));
    }

    [Fact]
    public async Task A_plan_set_by_the_operator_during_an_event_stays()
    {
        var (id, client, customer) = await Customer();
        var (_, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        Stripe.Hold = async number =>
        {
            if (number == 1)
            {
                await Send(HttpMethod.Patch, $"/api/v1/organizations/{id}", """{"plan":"self_hosted"}""");
            }
        };
        Stripe.RestartNumbering();

        await PostWebhookOk(created);

        Assert.Equal("self_hosted", await PlanOf(client));
        Assert.Empty(await PlanChanges(client));
    }

    [Fact]
    public async Task Unrelated_events_are_accepted_and_ignored()
    {
        var (id, client, customer) = await Customer();
        var before = await FindOrganization(id);
        Stripe.Reset();

        foreach (var json in new[]
                 {
                     Stripe.Event("customer.subscription.updated", new { id = "sub_x", customer = "cus_of_somebody_else" }),
                     Stripe.Event("invoice.paid", new { id = "in_1", customer }),
                     Stripe.Event("customer.updated", new { id = customer }),
                     Stripe.Event("customer.deleted", new { id = "cus_of_somebody_else" }),
                     Stripe.Event("customer.subscription.updated", new { customer = 7 }),
                     Stripe.Event("customer.subscription.updated", new { customer = (string?)null }), Stripe.Event(
                         "customer.subscription.updated", "no object"), Stripe.Event("checkout.session.completed", new { customer = "\0" }),
                     """{"id":"evt_1","type":"customer.subscription.updated","created":1}""",
                 })
        {
            await PostWebhookOk(json);
        }

        Assert.Empty(Stripe.Requests);
        Assert.Equal(before, await FindOrganization(id));
        Assert.Equal("free", await PlanOf(client));
    }
}
