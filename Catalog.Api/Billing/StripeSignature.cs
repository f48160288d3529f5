using System.Text;
using Stripe;

namespace Catalog.Api.Billing;

/// <summary>
/// Whether a notice is Stripe's: <c>Stripe-Signature: t=…,v1=…</c> holds the HMAC-SHA256 of the time, a full stop and the body's bytes as they came
/// (docs.stripe.com/webhooks/signature). Stripe's library judges; here stand its clock, its secrets and what it may be given.
/// </summary>
internal static class StripeSignature
{
    // Stripe sends two signatures at most, one for each secret of the endpoint. Each costs a comparison.
    private const int MostParts = 16;
    private const int LongestHeader = 4096;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static bool Holds(string? header, ReadOnlySpan<byte> body, IReadOnlyList<string> secrets, DateTimeOffset now)
    {
        if (header is null || header.Length > LongestHeader || header.Count(',') >= MostParts)
        {
            return false;
        }

        try
        {
            var text = Strict.GetString(body);
            return secrets.Any(secret => Holds(header, text, secret, now));
        }
        // The library would hash other bytes than came.
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    private static bool Holds(string header, string body, string secret, DateTimeOffset now)
    {
        try
        {
            EventUtility.ValidateSignature(body, header, secret, EventUtility.DefaultTimeTolerance, now.ToUnixTimeSeconds());
            return true;
        }
        // The last two are a signed time that is no number or no time.
        catch (Exception exception) when (exception is StripeException or FormatException or OverflowException)
        {
            return false;
        }
    }
}
