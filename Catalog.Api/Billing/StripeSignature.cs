using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Catalog.Api.Billing;

/// <summary>
/// Whether a notice is Stripe's: <c>Stripe-Signature: t=…,v1=…</c> holds the HMAC-SHA256 of the time, a full stop and the body's bytes as they came
/// (docs.stripe.com/webhooks/signature). Held to Stripe's own library by a test.
/// </summary>
internal static class StripeSignature
{
    /// <summary>How far the time of a notice may be away, either way.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    // Stripe sends two at most, one for each secret of the endpoint. Each costs a comparison.
    private const int MostSignatures = 16;
    private const int LongestHeader = 4096;

    public static bool Holds(string? header, ReadOnlySpan<byte> body, IReadOnlyList<string> secrets, DateTimeOffset now)
    {
        if (header is null || header.Length > LongestHeader || Parse(header) is not { } parts)
        {
            return false;
        }

        var holds = false;
        foreach (var secret in secrets)
        {
            using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
            hmac.AppendData(Encoding.ASCII.GetBytes($"{parts.Time}."));
            hmac.AppendData(body);
            var expected = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hmac.GetHashAndReset()));
            foreach (var signature in parts.Signatures)
            {
                // Every one is compared, so that time does not tell which secret or which signature was near.
                holds |= CryptographicOperations.FixedTimeEquals(expected, signature);
            }
        }

        return holds && Math.Abs(now.ToUnixTimeSeconds() - parts.Seconds) <= (long)Tolerance.TotalSeconds;
    }

    private static (string Time, long Seconds, List<byte[]> Signatures)? Parse(string header)
    {
        string? time = null;
        List<byte[]> signatures = [];
        foreach (var part in header.Split(','))
        {
            switch (part.Split('=', 2))
            {
                // Two times would leave open which of them is signed.
                case ["t", _] when time is not null:
                    return null;
                case ["t", var text]:
                    time = text;
                    break;
                case ["v1", var signature]:
                    signatures.Add(Encoding.UTF8.GetBytes(signature));
                    break;
            }
        }

        return time is { Length: <= 12 } && long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && signatures.Count is > 0 and <= MostSignatures
            ? (time, seconds, signatures)
            : null;
    }
}
