using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Catalog.Tests.Support;

/// <summary>Signs webhooks as Stripe does.</summary>
public static class StripeSigner
{
    /// <summary>The signature of a time (Unix seconds) and a body, in lower-case hexadecimal digits.</summary>
    public static string Tag(long time, ReadOnlySpan<byte> body, string secret) => Convert.ToHexStringLower(HMACSHA256.HashData(
        Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{time}.")),
            .. body]));

    public static string Header(long time, ReadOnlySpan<byte> body, string secret) =>
        string.Create(CultureInfo.InvariantCulture, $"t={time},v1={Tag(time, body, secret)}");
}
