using System.Collections.Concurrent;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Billing;

public sealed class WebhookEventFaultsOnSqlite(SqliteTestDatabase database, FakeStripe stripe) : WebhookEventFaultTests(database, stripe),
    IClassFixture<SqliteTestDatabase>, IClassFixture<FakeStripe>;

public sealed class WebhookEventFaultsOnPostgres(PostgresTestDatabase database, FakeStripe stripe)
    : WebhookEventFaultTests(database, stripe), IClassFixture<PostgresTestDatabase>, IClassFixture<FakeStripe>;

/// <summary>Events during failures of Stripe or the database, and concurrent events on two replicas.</summary>
public abstract class WebhookEventFaultTests(TestDatabase database, FakeStripe stripe) : BillingTestBase(database, stripe)
{
    [Theory]
    [InlineData(StripeFault.InternalError)]
    [InlineData(StripeFault.RateLimited)]
    [InlineData(StripeFault.Unauthorized)]
    [InlineData(StripeFault.Reset)]
    [InlineData(StripeFault.NoResponse)]
    [InlineData(StripeFault.Redirect)]
    [InlineData(StripeFault.Html)]
    [InlineData(StripeFault.UnexpectedJson)]
    [InlineData(StripeFault.OversizedBody)]
    [InlineData(StripeFault.StopsMidBody)]
    [InlineData(StripeFault.ResetsMidBody)]
    public async Task While_Stripe_is_unavailable_an_event_is_refused_for_redelivery(StripeFault fault)
    {
        var (id, client, customer) = await Customer();
        var (_, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        Stripe.FaultFor = (_, _, _) => fault;

        var refused = await PostWebhook(created);

        await refused.Problem(503, "stripe_unavailable");
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.False(await IsEventApplied(id, created));
        Assert.Equal("free", await PlanOf(client));
        Assert.DoesNotContain("GET /stolen", Stripe.Requests);
        Stripe.Reset();
        await PostWebhookOk(created);
        Assert.Equal("team", await PlanOf(client));
    }

    [Fact]
    public async Task Failed_requests_to_Stripe_are_retried_at_once()
    {
        var (_, client, customer) = await Customer();
        Stripe.RestartNumbering();
        Stripe.FaultFor = (number, _, _) => number switch
        {
            1 => StripeFault.InternalError,
            2 => StripeFault.Reset,
            3 =>
            StripeFault.RateLimited,
            _ => StripeFault.None
        };

        await PostWebhookOk(Stripe.Subscribe(customer, FakeStripe.Team).Event);

        Assert.Equal("team", await PlanOf(client));
    }

    [Fact]
    public async Task A_Stripe_key_of_another_account_does_not_end_a_plan()
    {
        var (id, client, customer) = await Customer();
        await PostWebhookOk(Stripe.Subscribe(customer, FakeStripe.Team).Event);
        Stripe.Customers.TryRemove(customer, out _);

        var unknown = Stripe.Event("customer.subscription.updated", new { customer });
        await (await PostWebhook(unknown)).Problem(503, "stripe_unavailable");

        Assert.Equal("team", await PlanOf(client));
        Assert.False(await IsEventApplied(id, unknown));
    }

    [Fact]
    public async Task While_the_database_is_unavailable_an_event_is_refused_for_redelivery()
    {
        var (id, client, customer) = await Customer();
        var (_, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await Alter("alter table stripe_events rename to stripe_events_away");
        try
        {
            Assert.Equal(503, (int)(await PostWebhook(created)).StatusCode);
            Assert.Equal("free", await PlanOf(client));
        }
        finally
        {
            await Alter("alter table stripe_events_away rename to stripe_events");
        }

        Assert.False(await IsEventApplied(id, created));
        await PostWebhookOk(created);
        Assert.Equal("team", await PlanOf(client));
    }

    [Fact]
    public async Task Concurrent_events_on_two_replicas_end_in_the_current_state()
    {
        const int Events = 200;
        var random = new Random(20261121);
        var organizations = new List<(string Id, HttpClient Client, string Customer, List<string> Subscriptions)>();
        for (var i = 0; i < 5; i++)
        {
            var (id, client, customer) = await Customer();
            organizations.Add((id, client, customer, []));
        }

        using var other = new CatalogApp(Database, Stripe.Settings(("DATAXPIPE_STRIPE_TIMEOUT", "3")));
        CatalogApp[] replicas = [App, other];
        string[] statuses = ["active", "trialing", "past_due", "unpaid", "canceled", "paused"];
        string NextEvent()
        {
            lock (random)
            {
                var (_, _, customer, subscriptions) = organizations[random.Next(organizations.Count)];
                if (subscriptions.Count < 2 || (subscriptions.Count < 4 && random.Next(5) == 0))
                {
                    var (added, created) = Stripe.Subscribe(customer, random.Next(2) == 0
                        ? FakeStripe.Team : FakeStripe.Business, statuses[random.Next(statuses.Length)]);
                    subscriptions.Add(added);
                    return created;
                }

                return Stripe.Change(subscriptions[random.Next(subscriptions.Count)], statuses[random.Next(statuses.Length)],
                    random.Next(2) == 0 ? FakeStripe.Team : FakeStripe.Business);
            }
        }

        // Half of the changes occur before the first delivery; the other half occur during delivery.
        var sends = Enumerable.Range(0, Events / 2).Select(_ => (Func<string>)(() => throw new InvalidOperationException())).ToArray();
        for (var i = 0; i < sends.Length; i++)
        {
            var payload = NextEvent();
            sends[i] = () => payload;
        }

        var jobs = sends.Concat(Enumerable.Repeat<Func<string>>(NextEvent, Events / 2)).ToArray();
        random.Shuffle(jobs);
        Stripe.Pause = TimeSpan.FromMilliseconds(5);
        var answers = new ConcurrentBag<int>();
        Stripe.FaultFor = (number, _, _) => number % 41 == 0 ? StripeFault.Unauthorized : number % 17 == 0
            ? StripeFault.InternalError : StripeFault.None;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, jobs.Length), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Ct }, async (i, ct) =>
        {
            var payload = jobs[i]();
            await Task.Delay(i * 7 % 23, ct);
            for (var sent = 0; sent <= (i % 4 == 0 ? 1 : 0);)
            {
                var status = (int)(await PostWebhook(payload, replicas[(i + sent) % 2])).StatusCode;
                answers.Add(status);
                Assert.True(status is 200 or 503, $"{status}");
                sent += status == 200 ? 1 : 0;
            }
        });

        Assert.Contains(503, answers);
        foreach (var (id, client, customer, _) in organizations)
        {
            Assert.Equal(Stripe.PlanOf(customer), await PlanOf(client));
            var changes = await PlanChanges(client);
            Assert.Equal(await PlanOf(client), changes.Count == 0 ? "free" : changes[0].To);
            // Each change starts from the plan that the previous change set.
            Assert.All(changes.Zip(changes.Skip(1)), pair => Assert.Equal(pair.First.From, pair.Second.To));
        }
    }

    private async Task Alter(string sql)
    {
        await using var database = MigrationDatabase.Open(Database.Settings);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync(sql);
    }
}
