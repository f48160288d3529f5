using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Billing;

public sealed class CheckoutOnSqlite(SqliteTestDatabase database, FakeStripe stripe) : CheckoutTests(database, stripe),
    IClassFixture<SqliteTestDatabase>, IClassFixture<FakeStripe>;

public sealed class CheckoutOnPostgres(PostgresTestDatabase database, FakeStripe stripe) : CheckoutTests(database, stripe),
    IClassFixture<PostgresTestDatabase>, IClassFixture<FakeStripe>;

public abstract class CheckoutTests(TestDatabase database, FakeStripe stripe) : BillingTestBase(database, stripe)
{
    private const string Checkout = "/api/v1/billing/checkout";
    private const string Portal = "/api/v1/billing/portal";

    [Fact]
    public async Task Checkout_creates_a_customer_and_returns_the_payment_URL()
    {
        var (id, client) = await Organization();

        var answer = await client.PostJson(Checkout, new { plan = "business" });

        Assert.Equal(201, (int)answer.StatusCode);
        Assert.StartsWith("https://pay.example/c/", (await answer.Json()).GetProperty("url").GetString());
        var customer = Stripe.CustomerOf(id);
        Assert.Equal("Ömer & Söhne", Stripe.Customers[customer]!["name"]);
        var session = Assert.Single(Stripe.Sessions);
        Assert.Equal(("/v1/checkout/sessions", "subscription", customer, id),
            (session["path"], session["mode"], session["customer"], session["client_reference_id"]));
        Assert.Equal((FakeStripe.Business, "1", id),
            (session["line_items[0][price]"], session["line_items[0][quantity]"], session["subscription_data[metadata][organization]"]));
        Assert.Equal(
            ("https://catalog.example/plans?from=stripe&checkout=done", "https://catalog.example/plans?from=stripe&checkout=cancelled"),
            (session["success_url"], session["cancel_url"]));
        Assert.Equal(customer, (await FindOrganization(id))!.StripeCustomerId);
        Assert.Equal("free", await PlanOf(client));
        var entry = Assert.Single((await client.GetJson("/api/v1/organizations/me/audit-log?action=customer.created")).GetProperty("items")
            .EnumerateArray());
        Assert.Equal(customer, entry.GetProperty("object_id").GetString());
    }

    [Fact]
    public async Task Concurrent_checkouts_on_two_replicas_create_one_customer()
    {
        var (id, client) = await Organization();
        using var other = new CatalogApp(Database, Stripe.Settings());
        using var otherClient = other.Anonymous();
        otherClient.DefaultRequestHeaders.Add("X-API-KEY", client.DefaultRequestHeaders.GetValues("X-API-KEY"));
        Stripe.Pause = TimeSpan.FromMilliseconds(200);

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? client : otherClient).PostJson(Checkout, new { plan = "team" })));

        Assert.All(answers, answer => Assert.Equal(201, (int)answer.StatusCode));
        var customer = Stripe.CustomerOf(id);
        Assert.All(Stripe.Sessions, session => Assert.Equal(customer, session["customer"]));
        Assert.Equal(8, Stripe.Sessions.Count);
    }

    [Fact]
    public async Task A_lost_answer_does_not_create_a_second_customer()
    {
        var (id, client) = await Organization();
        Stripe.FaultFor = (number, _, path) => number == 1 && path == "/v1/customers" ? StripeFault.ResetAfter : StripeFault.None;

        Assert.Equal(201, (int)(await client.PostJson(Checkout, new { plan = "team" })).StatusCode);

        Assert.NotEmpty(Stripe.CustomerOf(id));
        Assert.Equal(2, Stripe.Requests.Count(request => request == "POST /v1/customers"));
    }

    [Fact]
    public async Task The_checkout_after_a_failure_uses_a_new_idempotency_key()
    {
        var (id, client) = await Organization();
        Stripe.FaultFor = (number, _, _) => number == 1 ? StripeFault.InternalError : StripeFault.None;

        var refused = await client.PostJson(Checkout, new { plan = "team" });
        await refused.Problem(503, "stripe_unavailable");
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Equal(201, (int)(await client.PostJson(Checkout, new { plan = "team" })).StatusCode);

        Assert.Equal(Stripe.CustomerOf(id), (await FindOrganization(id))!.StripeCustomerId);
    }

    [Fact]
    public async Task A_self_hosted_organization_cannot_buy_a_plan()
    {
        var (_, client) = await Organization("self_hosted");
        Stripe.Reset();

        foreach (var path in new[] { Checkout, Portal })
        {
            await (await client.PostJson(path, new { plan = "team" })).Problem(409, "self_hosted");
            await (await Client.PostJson(path, new { plan = "team" })).Problem(409, "self_hosted");
        }

        Assert.Empty(Stripe.Requests);
    }

    [Fact]
    public async Task A_subscribed_organization_is_sent_to_the_portal_even_before_the_event()
    {
        var (_, client, customer) = await Customer();
        await (await (await Organization()).Client.PostAsync(Portal, null, Ct)).Problem(409, "no_customer");
        var (subscription, created) = Stripe.Subscribe(customer, FakeStripe.Team);

        var body = await (await client.PostJson(Checkout, new { plan = "team" })).Problem(409, "already_subscribed");
        Assert.Contains("/billing/portal", body.GetProperty("detail").GetString());
        await PostWebhookOk(created);
        await (await client.PostJson(Checkout, new { plan = "business" })).Problem(409, "already_subscribed");

        var portal = await client.PostAsync(Portal, null, Ct);
        Assert.Equal(201, (int)portal.StatusCode);
        Assert.StartsWith("https://pay.example/", (await portal.Json()).GetProperty("url").GetString());
        var session = Stripe.Sessions.Last();
        Assert.Equal(("/v1/billing_portal/sessions", customer, "https://catalog.example/plans?from=stripe"),
            (session["path"], session["customer"], session["return_url"]));

        await PostWebhookOk(Stripe.Change(subscription, "canceled"));
        Assert.Equal(201, (int)(await client.PostJson(Checkout, new { plan = "business" })).StatusCode);
    }

    [Fact]
    public async Task A_deleted_customer_is_removed_and_the_next_checkout_creates_another()
    {
        var (id, client, customer) = await Customer();
        await PostWebhookOk(Stripe.Subscribe(customer, FakeStripe.Business).Event);
        Assert.Equal("business", await PlanOf(client));

        var deleted = Stripe.Delete(customer);
        await PostWebhookOk(deleted);

        var organization = (await FindOrganization(id))!;
        Assert.Equal(("free", null, null), (organization.Plan, organization.StripeCustomerId, organization.StripeSubscriptionId));
        await PostWebhookOk(deleted);
        Assert.Equal(201, (int)(await client.PostJson(Checkout, new { plan = "team" })).StatusCode);
        Assert.NotEqual(customer, Stripe.CustomerOf(id));
    }

    [Theory]
    [InlineData("{}", "/plan")]
    [InlineData("""{"plan":"free"}""", "/plan")]
    [InlineData("""{"plan":"self_hosted"}""", "/plan")]
    [InlineData("""{"plan":null}""", "/plan")]
    [InlineData("""{"plan":"team","price":"price_mine"}""", "/price")]
    public async Task Only_the_paid_plans_can_be_bought(string body, string pointer)
    {
        var problem = await (await Send(HttpMethod.Post, Checkout, body)).Problem(422, "invalid");

        Assert.True(problem.GetProperty("errors").TryGetProperty(pointer, out _));
    }

    [Fact]
    public async Task A_key_without_the_manage_scope_cannot_start_a_checkout()
    {
        var (_, client) = await Organization();
        var key = await (await client.PostJson("/api/v1/organizations/me/api-keys", new { name = "job" })).Json();
        using var job = App.Anonymous();
        job.DefaultRequestHeaders.Add("X-API-KEY", key.GetProperty("key").GetString());

        await (await job.PostJson(Checkout, new { plan = "team" })).Problem(403, "forbidden");
        await (await job.PostAsync(Portal, null, Ct)).Problem(403, "forbidden");
    }

    [Fact]
    public async Task Without_Stripe_settings_billing_is_not_configured()
    {
        using var app = new CatalogApp(Database);
        using var client = app.Client();

        await (await client.PostJson(Checkout, new { plan = "team" })).Problem(501, "billing_not_configured");
        await (await client.PostAsync(Portal, null, Ct)).Problem(501, "billing_not_configured");
        await (await PostWebhook(Stripe.Event("x", new { }), app)).Problem(501, "billing_not_configured");
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Stripe_texts_and_secrets_appear_in_no_answer_or_log()
    {
        var (_, fresh) = await Organization();
        var (_, client, customer) = await Customer();
        var output = new List<string>();
        foreach (var fault in Enum.GetValues<StripeFault>().Except([StripeFault.None, StripeFault.ResetAfter]))
        {
            Stripe.FaultFor = (_, _, _) => fault;
            HttpResponseMessage[] answers =
            [
                await client.PostJson(Checkout, new { plan = "team" }),
                await client.PostAsync(Portal, null, Ct),
                await PostWebhook(Stripe.Subscribe(customer, FakeStripe.Team, "incomplete").Event),
            ];
            foreach (var (answer, i) in answers.Select((answer, i) => (answer, i)))
            {
                var refused = fault is StripeFault.Unauthorized or StripeFault.Redirect && i < 2;
                var problem = await answer.Problem(refused ? 502 : 503, refused ? "stripe_refused" : "stripe_unavailable");
                Assert.Equal(refused, answer.Headers.RetryAfter is null);
                output.Add(problem.GetRawText());
            }
        }

        Assert.DoesNotContain("GET /stolen", Stripe.Requests);
        Stripe.FaultFor = (_, _, _) => StripeFault.Unauthorized;
        // A service of its own: after many failures the shared one sends nothing for some seconds.
        using (var other = new CatalogApp(Database, Stripe.Settings()))
        {
            using var otherClient = other.With(fresh.DefaultRequestHeaders.GetValues("X-API-KEY").Single());
            output.Add((await (await otherClient.PostJson(Checkout, new { plan = "team" })).Problem(502, "stripe_refused")).GetRawText());
            output.AddRange(other.Log.At(LogLevel.Trace));
        }

        Stripe.Reset();
        using (var wrong = new CatalogApp(
            Database, Stripe.Settings(("DATAXPIPE_STRIPE_SECRET_KEY", "sk_test_Another7731_" + FakeStripe.Canary))))
        {
            using var otherClient = wrong.Anonymous();
            otherClient.DefaultRequestHeaders.Add("X-API-KEY", fresh.DefaultRequestHeaders.GetValues("X-API-KEY"));
            output.Add((await (await otherClient.PostJson(Checkout, new { plan = "team" })).Problem(502, "stripe_refused")).GetRawText());
            output.AddRange(wrong.Log.At(LogLevel.Trace));
        }

        output.AddRange(App.Log.At(LogLevel.Trace));
        Assert.Contains(output, line => line.Contains("api_key_expired", StringComparison.Ordinal));
        string[] secrets =
            [FakeStripe.Canary, FakeStripe.Key, FakeStripe.WebhookSecret, FakeStripe.OldWebhookSecret, SecretSearch.Word];
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(output, line => line.Contains(secret, StringComparison.OrdinalIgnoreCase));
        }
    }
}
