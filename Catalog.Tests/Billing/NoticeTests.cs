using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using Catalog.Api.Authentication;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Billing;

public sealed class NoticesOnSqlite(SqliteTestDatabase database, FakeStripe stripe) : NoticeTests(database, stripe), IClassFixture<SqliteTestDatabase>, IClassFixture<FakeStripe>;

public sealed class NoticesOnPostgres(PostgresTestDatabase database, FakeStripe stripe) : NoticeTests(database, stripe), IClassFixture<PostgresTestDatabase>, IClassFixture<FakeStripe>;

public abstract class NoticeTests(TestDatabase database, FakeStripe stripe) : BillingKit(database, stripe)
{
    [Fact]
    public async Task A_plan_follows_its_subscription_at_once()
    {
        var (id, client, customer) = await Customer();
        var known = App.Services.GetRequiredService<KnownOrganizations>();
        Assert.Equal("free", (await known.PlanOf(id, Ct))!.Name);

        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await Notified(created);
        Assert.Equal(("team", true), (await PlanOf(client), await IsSubscribed(client)));
        Assert.Equal("team", (await known.PlanOf(id, Ct))!.Name);
        Assert.Equal("500", (await client.GetAsync("/api/v1/runs/", Ct)).Headers.GetValues("RateLimit-Limit").Single());
        Assert.True(await IsRemembered(id, created));

        await Notified(Stripe.Change(subscription, price: FakeStripe.Business));
        Assert.Equal("business", await PlanOf(client));

        await Notified(Stripe.Change(subscription, "canceled"));
        Assert.Equal(("free", false), (await PlanOf(client), await IsSubscribed(client)));
        Assert.Equal([("stripe", "business", "free"), ("stripe", "team", "business"), ("stripe", "free", "team")], await PlanChanges(client));
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
        await Notified(created);

        await Notified(Stripe.Change(subscription, status));

        Assert.Equal(plan, await PlanOf(client));
    }

    [Fact]
    public async Task A_completed_checkout_updates_the_plan()
    {
        var (_, client, customer) = await Customer();
        Stripe.Subscribe(customer, FakeStripe.Team);

        await Notified(Stripe.Event("checkout.session.completed", new { id = "cs_1", customer = new { id = customer, @object = "customer" }, mode = "subscription" }));

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

        await Notified(Stripe.Subscribe(customer, FakeStripe.Team).Event);
        Assert.Equal("business", await PlanOf(client));
        await Notified(Stripe.Change(business, "canceled"));
        Assert.Equal("team", await PlanOf(client));
    }

    [Fact]
    public async Task A_downgrade_deletes_nothing_and_refuses_only_new_objects()
    {
        var (_, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await Notified(created);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(201, (int)(await client.PostJson("/api/v1/pipelines/", new { name = $"p{i}", version = "1" })).StatusCode);
        }

        await Notified(Stripe.Change(subscription, "unpaid"));

        Assert.Equal(5, (await client.GetJson("/api/v1/pipelines/")).GetProperty("items").GetArrayLength());
        var refused = await (await client.PostJson("/api/v1/pipelines/", new { name = "p5", version = "1" })).Problem(403, "plan_limit_reached");
        Assert.Equal("team", refused.GetProperty("plan").GetString());
        Assert.Equal(200, (int)(await client.PostJson("/api/v1/pipelines/", new { name = "p1", version = "1" })).StatusCode);
        Assert.Equal(201, (int)(await client.PostJson("/api/v1/runs/", new { pipeline_id = "p4", status = "running" })).StatusCode);

        await Notified(Stripe.Change(subscription, "active"));
        Assert.Equal(201, (int)(await client.PostJson("/api/v1/pipelines/", new { name = "p5", version = "1" })).StatusCode);
    }

    [Fact]
    public async Task A_repeated_event_changes_nothing()
    {
        var (id, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await Notified(created);
        var before = await Row(id);
        var canceled = Stripe.Change(subscription, "canceled");

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Notified(created)));

        Assert.Equal(before, await Row(id));
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Notified(canceled)));
        Assert.Equal([("stripe", "team", "free"), ("stripe", "free", "team")], await PlanChanges(client));
    }

    [Fact]
    public async Task An_old_event_does_not_restore_an_old_plan()
    {
        var (_, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Business);
        var canceled = Stripe.Change(subscription, "canceled");

        await Notified(canceled);
        await Notified(created);

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
        Stripe.CountAnew();

        var late = Notify(created);
        await requested.Task.WaitAsync(TimeSpan.FromSeconds(20), Ct);
        await Notified(Stripe.Change(subscription, "canceled"));
        release.Release();

        Assert.Equal(200, (int)(await late).StatusCode);
        Assert.Equal("free", await PlanOf(client));
    }

    [Fact]
    public async Task An_unknown_price_keeps_the_plan_and_logs_a_warning()
    {
        var (id, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await Notified(created);

        await Notified(Stripe.Change(subscription, price: "price_of_something_else"));

        Assert.Equal(("team", true), (await PlanOf(client), await IsSubscribed(client)));
        Assert.Contains(App.Log.At(LogLevel.Warning), line => line.Contains(id, StringComparison.Ordinal) && line.Contains(subscription, StringComparison.Ordinal));
        await Notified(Stripe.Change(subscription, "canceled"));
        Assert.Equal("free", await PlanOf(client));
    }

    [Fact]
    public async Task Events_do_not_change_a_plan_set_by_the_operator()
    {
        var (id, client, customer) = await Customer();
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await Notified(created);
        await Send(HttpMethod.Patch, $"/api/v1/organizations/{id}", """{"plan":"self_hosted"}""");

        await Notified(Stripe.Change(subscription, price: FakeStripe.Business));
        await Notified(Stripe.Change(subscription, "canceled"));
        await Notified(Stripe.Delete(customer));
        Assert.Equal("self_hosted", await PlanOf(client));

        var (_, given, other) = await Customer("business");
        var (never, begun) = Stripe.Subscribe(other, FakeStripe.Team, "incomplete");
        await Notified(begun);
        await Notified(Stripe.Change(never, "incomplete_expired"));
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
        Stripe.CountAnew();

        await Notified(created);

        Assert.Equal("self_hosted", await PlanOf(client));
        Assert.Empty(await PlanChanges(client));
    }

    [Fact]
    public async Task Unrelated_events_are_accepted_and_ignored()
    {
        var (id, client, customer) = await Customer();
        var before = await Row(id);
        Stripe.Reset();

        foreach (var json in new[]
                 {
                     Stripe.Event("customer.subscription.updated", new { id = "sub_x", customer = "cus_of_somebody_else" }), Stripe.Event("invoice.paid", new { id = "in_1", customer }),
                     Stripe.Event("customer.updated", new { id = customer }), Stripe.Event("customer.deleted", new { id = "cus_of_somebody_else" }), Stripe.Event("customer.subscription.updated", new { customer = 7 }),
                     Stripe.Event("customer.subscription.updated", new { customer = (string?)null }), Stripe.Event("customer.subscription.updated", "no object"), Stripe.Event("checkout.session.completed", new { customer = "\0" }),
                     """{"id":"evt_1","type":"customer.subscription.updated","created":1}""",
                 })
        {
            await Notified(json);
        }

        Assert.Empty(Stripe.Requests);
        Assert.Equal(before, await Row(id));
        Assert.Equal("free", await PlanOf(client));
    }

    [Theory]
    [InlineData(StripeMisdeed.InternalError)]
    [InlineData(StripeMisdeed.TooMany)]
    [InlineData(StripeMisdeed.Unauthorized)]
    [InlineData(StripeMisdeed.Reset)]
    [InlineData(StripeMisdeed.Silence)]
    [InlineData(StripeMisdeed.Redirect)]
    [InlineData(StripeMisdeed.Html)]
    [InlineData(StripeMisdeed.Nonsense)]
    [InlineData(StripeMisdeed.Huge)]
    [InlineData(StripeMisdeed.Stalls)]
    [InlineData(StripeMisdeed.BreaksOff)]
    public async Task While_Stripe_is_unavailable_an_event_is_refused_for_redelivery(StripeMisdeed misdeed)
    {
        var (id, client, customer) = await Customer();
        var (_, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        Stripe.Misdeeds = (_, _, _) => misdeed;

        var refused = await Notify(created);

        await refused.Problem(503, "stripe_unavailable");
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.False(await IsRemembered(id, created));
        Assert.Equal("free", await PlanOf(client));
        Assert.DoesNotContain("GET /stolen", Stripe.Requests);
        Stripe.Reset();
        await Notified(created);
        Assert.Equal("team", await PlanOf(client));
    }

    [Fact]
    public async Task Failed_requests_to_Stripe_are_retried_at_once()
    {
        var (_, client, customer) = await Customer();
        Stripe.CountAnew();
        Stripe.Misdeeds = (number, _, _) => number switch { 1 => StripeMisdeed.InternalError, 2 => StripeMisdeed.Reset, 3 => StripeMisdeed.TooMany, _ => StripeMisdeed.None };

        await Notified(Stripe.Subscribe(customer, FakeStripe.Team).Event);

        Assert.Equal("team", await PlanOf(client));
    }

    [Fact]
    public async Task A_key_of_another_account_ends_no_plan()
    {
        var (id, client, customer) = await Customer();
        await Notified(Stripe.Subscribe(customer, FakeStripe.Team).Event);
        Stripe.Customers.TryRemove(customer, out _);

        var unknown = Stripe.Event("customer.subscription.updated", new { customer });
        await (await Notify(unknown)).Problem(503, "stripe_unavailable");

        Assert.Equal("team", await PlanOf(client));
        Assert.False(await IsRemembered(id, unknown));
    }

    [Fact]
    public async Task While_the_database_is_unavailable_an_event_is_refused_for_redelivery()
    {
        var (id, client, customer) = await Customer();
        var (_, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        await Alter("alter table stripe_events rename to stripe_events_away");
        try
        {
            Assert.Equal(503, (int)(await Notify(created)).StatusCode);
            Assert.Equal("free", await PlanOf(client));
        }
        finally
        {
            await Alter("alter table stripe_events_away rename to stripe_events");
        }

        Assert.False(await IsRemembered(id, created));
        await Notified(created);
        Assert.Equal("team", await PlanOf(client));
    }

    [Fact]
    public async Task Only_signed_requests_are_read()
    {
        var (_, client, customer) = await Customer();
        var (_, created) = Stripe.Subscribe(customer, FakeStripe.Team);
        var body = Encoding.UTF8.GetBytes(created);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var good = StripeSigner.Header(now, body, FakeStripe.WebhookSecret);
        var flipped = body.ToArray();
        flipped[20] ^= 1;
        Stripe.Reset();

        foreach (var (sent, header) in new[]
                 {
                     (body, ""), (flipped, good), ([.. body, (byte)' '], good), ([], good), (body, StripeSigner.Header(now - 310, body, FakeStripe.WebhookSecret)),
                     (body, StripeSigner.Header(now + 310, body, FakeStripe.WebhookSecret)), (body, StripeSigner.Header(now, body, "whsec_of_somebody_else")), (body, StripeSigner.Header(now, body, "")),
                     (body, good[..^1]), (body, good + new string(',', 5000)),
                 })
        {
            await (await Notify(sent, header)).Problem(400, "signature_invalid");
        }

        await (await Notify(body, good + new string(',', 40_000))).Problem(431, "headers_too_large");
        Assert.Empty(Stripe.Requests);
        Assert.Equal("free", await PlanOf(client));

        // The old secret is still valid, and a trailing slash is accepted.
        Assert.Equal(200, (int)(await Notify(body, StripeSigner.Header(now, body, FakeStripe.OldWebhookSecret), path: "/webhooks/stripe/")).StatusCode);
        Assert.Equal("team", await PlanOf(client));
    }

    [Fact]
    public async Task A_signed_body_without_an_event_is_malformed_and_a_large_one_is_refused()
    {
        foreach (var body in new[] { "", "null", "[]", "{}", "x", """{"id":"evt_1","type":"x","created":"now"}""", """{"id":"","type":"x","created":1}""", """{"id":"evt_1","type":"x","created":-1}""", """{"id":"evt_\ud800","type":"x","created":1}""" })
        {
            await (await Notify(body)).Problem(400, "malformed");
        }

        var bytes = Encoding.UTF8.GetBytes(Stripe.Event("x", new { name = "é" }));
        var latin = Encoding.Latin1.GetBytes(Stripe.Event("x", new { name = "e" }).Replace("\"e\"", "\"é\"", StringComparison.Ordinal));
        await (await Notify(latin, null)).Problem(400, "malformed");
        await (await Notify([.. bytes, .. new byte[1024 * 1024]], null)).Problem(413, "too_large");
        Assert.Equal(200, (int)(await Notify([.. bytes, .. Enumerable.Repeat((byte)' ', (1024 * 1024) - bytes.Length)], null)).StatusCode);
    }

    [Fact]
    public async Task A_body_that_decompresses_beyond_the_limit_is_refused()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(new byte[2 << 20], Ct);
        }

        using var client = App.Anonymous();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/webhooks/stripe") { Content = new ByteArrayContent(packed.ToArray()) };
        request.Content.Headers.ContentEncoding.Add("gzip");
        request.Headers.TryAddWithoutValidation("Stripe-Signature", "t=1,v1=x");

        await (await client.SendAsync(request, Ct)).Problem(413, "too_large");
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
                    var (added, created) = Stripe.Subscribe(customer, random.Next(2) == 0 ? FakeStripe.Team : FakeStripe.Business, statuses[random.Next(statuses.Length)]);
                    subscriptions.Add(added);
                    return created;
                }

                return Stripe.Change(subscriptions[random.Next(subscriptions.Count)], statuses[random.Next(statuses.Length)], random.Next(2) == 0 ? FakeStripe.Team : FakeStripe.Business);
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
        Stripe.Misdeeds = (number, _, _) => number % 41 == 0 ? StripeMisdeed.Unauthorized : number % 17 == 0 ? StripeMisdeed.InternalError : StripeMisdeed.None;
        await Parallel.ForEachAsync(Enumerable.Range(0, jobs.Length), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Ct }, async (i, ct) =>
        {
            var payload = jobs[i]();
            await Task.Delay(i * 7 % 23, ct);
            for (var sent = 0; sent <= (i % 4 == 0 ? 1 : 0);)
            {
                var status = (int)(await Notify(payload, replicas[(i + sent) % 2])).StatusCode;
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
