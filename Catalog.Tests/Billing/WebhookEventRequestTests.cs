using System.IO.Compression;
using System.Text;
using Catalog.Tests.Support;

namespace Catalog.Tests.Billing;

public sealed class WebhookEventRequestsOnSqlite(SqliteTestDatabase database, FakeStripe stripe)
    : WebhookEventRequestTests(database, stripe), IClassFixture<SqliteTestDatabase>, IClassFixture<FakeStripe>;

public sealed class WebhookEventRequestsOnPostgres(PostgresTestDatabase database, FakeStripe stripe)
    : WebhookEventRequestTests(database, stripe), IClassFixture<PostgresTestDatabase>, IClassFixture<FakeStripe>;

/// <summary>Signature, form and size of the webhook requests.</summary>
public abstract class WebhookEventRequestTests(TestDatabase database, FakeStripe stripe) : BillingTestBase(database, stripe)
{
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
                     (body, ""), (flipped, good), ([.. body, (byte)' '], good), ([], good),
                     (body, StripeSigner.Header(now - 310, body, FakeStripe.WebhookSecret)),
                     (body, StripeSigner.Header(now + 310, body, FakeStripe.WebhookSecret)),
                     (body, StripeSigner.Header(now, body, "whsec_of_somebody_else")), (body, StripeSigner.Header(now, body, "")),
                     (body, good[..^1]), (body, good + new string(',', 5000)),
                 })
        {
            await (await PostWebhook(sent, header)).Problem(400, "signature_invalid");
        }

        await (await PostWebhook(body, good + new string(',', 40_000))).Problem(431, "headers_too_large");
        Assert.Empty(Stripe.Requests);
        Assert.Equal("free", await PlanOf(client));

        // The old secret is still valid, and a trailing slash is accepted.
        Assert.Equal(200,
            (int)(await PostWebhook(body, StripeSigner.Header(now, body, FakeStripe.OldWebhookSecret), path: "/webhooks/stripe/"))
            .StatusCode);
        Assert.Equal("team", await PlanOf(client));
    }

    [Fact]
    public async Task A_signed_body_without_an_event_is_malformed_and_a_large_one_is_refused()
    {
        foreach (var body in new[] { "", "null", "[]", "{}", "x", """{"id":"evt_1","type":"x","created":"now"}""",
            """{"id":"","type":"x","created":1}""", """{"id":"evt_1","type":"x","created":-1}""",
            """{"id":"evt_\ud800","type":"x","created":1}""" })
        {
            await (await PostWebhook(body)).Problem(400, "malformed");
        }

        var bytes = Encoding.UTF8.GetBytes(Stripe.Event("x", new { name = "é" }));
        var latin = Encoding.Latin1.GetBytes(Stripe.Event("x", new { name = "e" }).Replace("\"e\"", "\"é\"", StringComparison.Ordinal));
        await (await PostWebhook(latin, null)).Problem(400, "malformed");
        await (await PostWebhook([.. bytes, .. new byte[1024 * 1024]], null)).Problem(413, "too_large");
        Assert.Equal(200,
            (int)(await PostWebhook([.. bytes, .. Enumerable.Repeat((byte)' ', (1024 * 1024) - bytes.Length)], null)).StatusCode);
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
        using var request = new HttpRequestMessage(HttpMethod.Post, "/webhooks/stripe")
        {
            Content = new ByteArrayContent(packed.ToArray())
        };
        request.Content.Headers.ContentEncoding.Add("gzip");
        request.Headers.TryAddWithoutValidation("Stripe-Signature", "t=1,v1=x");

        await (await client.SendAsync(request, Ct)).Problem(413, "too_large");
    }
}
