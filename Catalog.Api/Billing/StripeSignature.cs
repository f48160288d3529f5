using System.Text;
using Stripe;

namespace Catalog.Api.Billing;

/// <summary>
/// Verifies that a webhook event comes from Stripe: <c>Stripe-Signature: t=…,v1=…</c> contains the HMAC-SHA256 of the
/// timestamp, a full stop and the body (docs.stripe.com/webhooks/signature). Stripe's library does the comparison; this
/// class adds the clock, several secrets and limits on the input.
/// </summary>
internal static class StripeSignature
{
    // Limits the number of comparisons: each signature in the header costs one. Stripe sends a timestamp and at most
    // two signatures, one for each secret of the endpoint; the other parts are a reserve.
    private const int MaxParts = 16;
    private const int MaxHeaderLength = 4096;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static bool IsValid(string? header, ReadOnlySpan<byte> body, IReadOnlyList<string> secrets, DateTimeOffset now)
    {
        if (header is null || header.Length > MaxHeaderLength || header.Count(',') >= MaxParts)
        {
            return false;
        }

        try
        {
            var text = StrictUtf8.GetString(body);
            return secrets.Any(secret => IsValid(header, text, secret, now));
        }
        // The body is not UTF-8. The bytes of its text would differ from the bytes that were signed.
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    private static bool IsValid(string header, string body, string secret, DateTimeOffset now)
    {
        try
        {
            EventUtility.ValidateSignature(body, header, secret, EventUtility.DefaultTimeTolerance, now.ToUnixTimeSeconds());
            return true;
        }
        // FormatException and OverflowException: the timestamp is not a number or out of range.
        catch (Exception exception) when (exception is StripeException or FormatException or OverflowException)
        {
            return false;
        }
    }
}
