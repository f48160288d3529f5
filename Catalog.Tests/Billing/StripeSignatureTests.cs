using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Catalog.Api.Billing;
using Catalog.Tests.Support;

namespace Catalog.Tests.Billing;

[Trait("Category", "Fast")]
public sealed class StripeSignatureTests
{
    internal const string Secret = FakeStripe.WebhookSecret;
    internal const long Now = 1_800_000_000;
    private static readonly byte[] Body = """{ "id": "evt_1", "amount": 1.0, "name": "é🎉" }"""u8.ToArray();
    private static readonly string Good = StripeSigner.Tag(Now, Body, Secret);

    /// <summary>
    /// Headers for one body at one time, and whether each is valid. <see cref="StripeLibraryTests"/> checks the same
    /// headers with Stripe's library for Node, which differs from the .NET library in two cases that Stripe never sends.
    /// </summary>
    internal static readonly Variant[] Headers =
    [
        new("valid", $"t={Now},v1={Good}", true),
        new("the signature before the time", $"v1={Good},t={Now}", true),
        new("an additional unknown scheme", $"t={Now},v1={Good},v0={Good},x=y", true),
        new("a part without a value", $"t={Now},v1={Good},z", false, OfNode: true),
        new("the valid signature second", $"t={Now},v1={new string('0', 64)},v1={Good}", true),
        new("the valid signature first", $"t={Now},v1={Good},v1={new string('0', 64)}", true),
        new("five minutes old", StripeSigner.Header(Now - 300, Body, Secret), true),
        new("older than five minutes", StripeSigner.Header(Now - 301, Body, Secret), false),
        new("a day old", StripeSigner.Header(Now - 86400, Body, Secret), false),
        new("another time than the signed one", $"t={Now + 1},v1={Good}", false),
        new("another secret", StripeSigner.Header(Now, Body, Secret + "x"), false),
        new("an empty secret", StripeSigner.Header(Now, Body, ""), false),
        new("one character of the tag missing", $"t={Now},v1={Good[..^1]}", false),
        new("half of the tag", $"t={Now},v1={Good[..32]}", false),
        new("one extra character", $"t={Now},v1={Good}0", false),
        new("one character changed", $"t={Now},v1={(Good[0] == '0' ? '1' : '0')}{Good[1..]}", false),
        new("no tag", $"t={Now},v1=", false),
        new("no known scheme", $"t={Now},v0={Good}", false),
        new("no time", $"v1={Good}", false),
        new("an empty time", $"t=,v1={Good}", false),
        new("a time that is not a number", $"t=now,v1={Good}", false),
        new("blanks before the scheme", $"t={Now}, v1={Good}", true, OfNode: false),
        new("a tag in capitals", $"t={Now},v1={Good.ToUpperInvariant()}", false),
        new("the tag alone", Good, false),
        new("commas", ",,,", false),
    ];

    [Fact]
    public void Only_valid_headers_are_accepted() =>
        Assert.All(Headers, variant => Assert.True(variant.Holds == Holds(variant.Header), variant.What));

    // Stripe's library for Node accepts these: it allows future times, reads leading digits, and uses the last time
    // given.
    [Theory]
    [InlineData("t=1800000301,v1=", 1_800_000_301L, false)]
    [InlineData("t=1800000300,v1=", 1_800_000_300L, true)]
    [InlineData("t=1800000000x,v1=", Now, false)]
    [InlineData("t= 1800000000,v1=", Now, false)]
    [InlineData("t=+1800000000,v1=", Now, false)]
    [InlineData("t=1,t=1800000000,v1=", Now, false)]
    public void The_header_must_contain_one_time_close_to_now(string header, long signed, bool holds) =>
        Assert.Equal(holds, Holds(header + StripeSigner.Tag(signed, Body, Secret)));

    [Theory]
    [InlineData(-1)]
    [InlineData(99999999999999)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void A_time_out_of_range_is_rejected(long time) => Assert.False(Holds(StripeSigner.Header(time, Body, Secret)));

    [Theory]
    [InlineData("")]
    [InlineData("now")]
    [InlineData("99999999999999999999")]
    public void A_signed_time_that_is_not_a_number_is_rejected(string time) =>
        Assert.False(Holds($"t={time},v1={Stripe.EventUtility.ComputeSignature(Secret, time, Encoding.UTF8.GetString(Body))}"));

    [Fact]
    public void A_body_with_invalid_UTF8_does_not_match_its_decoded_text()
    {
        byte[] signed = [.. Body, .. "\uFFFD"u8], sent = [.. Body, 0xFF];

        Assert.True(
            StripeSignature.IsValid(StripeSigner.Header(Now, signed, Secret), signed, [Secret], DateTimeOffset.FromUnixTimeSeconds(Now)));
        Assert.False(
            StripeSignature.IsValid(StripeSigner.Header(Now, signed, Secret), sent, [Secret], DateTimeOffset.FromUnixTimeSeconds(Now)));
    }

    [Fact]
    public void A_missing_or_oversized_header_is_rejected()
    {
        Assert.False(Holds(null));
        Assert.False(Holds(""));
        Assert.False(Holds($"t={Now},v1={Good},{new string('x', 5000)}"));
        Assert.False(Holds($"t={Now},{string.Concat(Enumerable.Repeat("v1=,", 30))}v1={Good}"));
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_the_body_is_detected()
    {
        for (var at = 0; at < Body.Length; at++)
        {
            var flipped = Body.ToArray();
            flipped[at] ^= 1;
            Assert.False(StripeSignature.IsValid($"t={Now},v1={Good}", flipped, [Secret], DateTimeOffset.FromUnixTimeSeconds(Now)));
        }
    }

    [Fact]
    public void A_reserialized_body_is_rejected()
    {
        var reserialized = JsonSerializer.SerializeToUtf8Bytes(JsonSerializer.Deserialize<JsonElement>(Body));

        Assert.False(StripeSignature.IsValid($"t={Now},v1={Good}", reserialized, [Secret], DateTimeOffset.FromUnixTimeSeconds(Now)));
        Assert.False(
            StripeSignature.IsValid($"t={Now},v1={Good}", [.. Body, (byte)'\n'], [Secret], DateTimeOffset.FromUnixTimeSeconds(Now)));
        Assert.False(StripeSignature.IsValid($"t={Now},v1={Good}", [], [Secret], DateTimeOffset.FromUnixTimeSeconds(Now)));
    }

    [Fact]
    public void During_rotation_both_secrets_are_valid_and_afterwards_one()
    {
        var old = StripeSigner.Header(Now, Body, "whsec_old");
        var both = $"{old},v1={Good}";

        Assert.All([old, both], header =>
            Assert.True(StripeSignature.IsValid(header, Body, ["whsec_old", Secret], DateTimeOffset.FromUnixTimeSeconds(Now))));
        Assert.True(Holds(both));
        Assert.False(Holds(old));
    }

    private static bool Holds(string? header) => StripeSignature.IsValid(header, Body, [Secret], DateTimeOffset.FromUnixTimeSeconds(Now));

    internal static byte[] SignedBody => Body;

    /// <param name="What">Description of the header.</param>
    /// <param name="Header">The header.</param>
    /// <param name="Holds">Whether the header is valid.</param>
    /// <param name="OfNode">The result of Stripe's library for Node; null if it is the same.</param>
    internal sealed record Variant(string What, string Header, bool Holds, bool? OfNode = null);
}

/// <summary>Checks our headers with Stripe's library for Node, and its headers with our code.</summary>
[Trait("Category", "Npm")]
public sealed class StripeLibraryTests(StripePackage package, SqliteTestDatabase database, FakeStripe stripe)
    : IClassFixture<StripePackage>, IClassFixture<SqliteTestDatabase>, IClassFixture<FakeStripe>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stripes_library_and_this_service_agree()
    {
        package.Require();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        string[] payloads =
        [
            stripe.Event("invoice.paid", new { customer = "cus_nobody" }), stripe.Event("x", new { name = "é🎉\u2028 \\ \"" }), "{}",
            " {\n\t\"id\" : 1.0 }\r\n", new string('x', 100_000),
            stripe.Event("customer.subscription.updated", new { customer = "cus_nobody" }),
        ];
        string[] secrets = [FakeStripe.WebhookSecret, FakeStripe.OldWebhookSecret, "whsec_somebody_else"];
        var generated = payloads.SelectMany(payload =>
            secrets.SelectMany(secret => new[] { 0, -299, -301 }.Select(away => new Case(payload, secret, now + away, null, now))))
                .ToList();
        var known = StripeSignatureTests.Headers.Select(variant => new Case(
            Encoding.UTF8.GetString(StripeSignatureTests.SignedBody), StripeSignatureTests.Secret, StripeSignatureTests.Now, variant.Header,
            StripeSignatureTests.Now)).ToList();
        await File.WriteAllTextAsync(Path.Combine(package.Directory, "cases.json"),
            JsonSerializer.Serialize(generated.Concat(known), JsonSerializerOptions.Web), Ct);

        await package.Script("sign");

        var answers = JsonSerializer.Deserialize<Verdict[]>(
            await File.ReadAllTextAsync(Path.Combine(package.Directory, "answers.json"), Ct), JsonSerializerOptions.Web)!;
        Assert.Equal(generated.Count + known.Count, answers.Length);
        foreach (var (sample, answer) in generated.Zip(answers))
        {
            Assert.Equal(answer.Header, StripeSigner.Header(sample.Timestamp, Encoding.UTF8.GetBytes(sample.Payload), sample.Secret));
            Assert.Equal(answer.Holds, StripeSignature.IsValid(answer.Header, Encoding.UTF8.GetBytes(sample.Payload), [sample.Secret],
                DateTimeOffset.FromUnixTimeSeconds(now)));
        }

        foreach (var (variant, answer) in StripeSignatureTests.Headers.Zip(answers.Skip(generated.Count)))
        {
            Assert.True((variant.OfNode ?? variant.Holds) == answer.Holds, variant.What);
        }

        await PostAll(generated.Zip(answers, (sample, answer) => (sample, answer.Header)).ToList(), now);
    }

    private async Task PostAll(List<(Case Sample, string Header)> generated, long now)
    {
        using var app = new CatalogApp(database, stripe.Settings());
        using var client = app.Anonymous();
        foreach (var (sample, header) in generated)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/webhooks/stripe")
            {
                Content = new ByteArrayContent(Encoding.UTF8.GetBytes(sample.Payload))
            };
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/json; charset=utf-8");
            request.Headers.TryAddWithoutValidation("Stripe-Signature", header);
            using var answer = await client.SendAsync(request, Ct);
            // A header that is 299 seconds old may be too old when the service reads it, so any answer to it is
            // accepted.
            var holds = sample.Secret != "whsec_somebody_else" && sample.Timestamp == now;
            if (!holds && sample.Timestamp != now - 299)
            {
                await answer.Problem(400, "signature_invalid");
            }
            else if (holds)
            {
                Assert.Equal(sample.Payload.Contains("\"type\"", StringComparison.Ordinal) ? 200 : 400, (int)answer.StatusCode);
            }
        }
    }

    private sealed record Case(string Payload, string Secret, long Timestamp, string? Header, long Now);

    private sealed record Verdict(string Header, bool Holds);
}
