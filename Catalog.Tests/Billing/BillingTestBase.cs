using System.Text;
using System.Text.Json;
using Catalog.Data.Billing;
using Catalog.Data.Organizations;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Billing;

/// <summary>The service with a fake Stripe, and helpers for organizations, customers and events.</summary>
public abstract class BillingTestBase : EndpointTestBase
{
    protected BillingTestBase(TestDatabase database, FakeStripe stripe) : base(database, stripe.Settings(("DATAXPIPE_STRIPE_TIMEOUT", "3")))
    {
        Stripe = stripe;
        stripe.Reset();
        stripe.HasFailed = false;
    }

    // After failures the circuit breaker of this service stays open, so the next test needs a new service.
    public override void Dispose()
    {
        base.Dispose();
        if (Stripe.HasFailed)
        {
            Database.StopService(App);
        }

        GC.SuppressFinalize(this);
    }

    protected FakeStripe Stripe { get; }

    /// <summary>Registers an organization and returns a client with its first key.</summary>
    protected async Task<(string Id, HttpClient Client)> Organization(string plan = "free")
    {
        var id = $"o{Guid.NewGuid():N}";
        var created = await Client.PostJson("/api/v1/organizations/", new { id, name = "Ömer & Söhne", plan });
        Assert.Equal(201, (int)created.StatusCode);
        var client = App.Anonymous();
        client.DefaultRequestHeaders.Add("X-API-KEY", (await created.Json()).GetProperty("api_key").GetProperty("key").GetString());
        return (id, client);
    }

    /// <summary>Registers an organization and creates its Stripe customer by a checkout.</summary>
    protected async Task<(string Id, HttpClient Client, string Customer)> Customer(string plan = "free")
    {
        var (id, client) = await Organization(plan);
        Assert.Equal(201, (int)(await client.PostJson("/api/v1/billing/checkout", new { plan = "team" })).StatusCode);
        return (id, client, Stripe.CustomerOf(id));
    }

    protected Task<HttpResponseMessage> PostWebhook(string json, CatalogApp? app = null) =>
        PostWebhook(Encoding.UTF8.GetBytes(json), null, app);

    protected async Task<HttpResponseMessage> PostWebhook(
        byte[] body, string? header, CatalogApp? app = null, string path = "/webhooks/stripe")
    {
        using var client = (app ?? App).Anonymous();
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json; charset=utf-8");
        header ??= StripeSigner.Header(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), body, FakeStripe.WebhookSecret);
        if (header.Length > 0)
        {
            request.Headers.TryAddWithoutValidation("Stripe-Signature", header);
        }

        return await client.SendAsync(request, Ct);
    }

    protected async Task PostWebhookOk(string json) => Assert.Equal(200, (int)(await PostWebhook(json)).StatusCode);

    protected static async Task<string> PlanOf(HttpClient client) => (await client.GetJson("/api/v1/organizations/me")).GetProperty("plan")
        .GetString()!;

    protected static async Task<bool> IsSubscribed(HttpClient client) =>
        (await client.GetJson("/api/v1/organizations/me")).GetProperty("subscribed").GetBoolean();

    protected static async Task<List<(string Actor, string From, string To)>> PlanChanges(HttpClient client) =>
    [
        .. (await client.GetJson("/api/v1/organizations/me/audit-log?action=plan.changed&limit=500")).GetProperty("items").EnumerateArray()
        .Select(entry =>
            (entry.GetProperty("actor").GetString()!, entry.GetProperty("detail").GetProperty("from").GetString()!,
                entry.GetProperty("detail").GetProperty("to").GetString()!)),
    ];

    protected Task<Organization?> FindOrganization(string organization) => App.Services.GetRequiredService<OrganizationRepository>()
        .Find(organization, Ct);

    protected Task<bool> IsEventApplied(string organization, string json) =>
        App.Services.GetRequiredService<BillingRepository>()
            .IsApplied(organization, JsonDocument.Parse(json).RootElement.GetProperty("id").GetString()!, Ct);
}
