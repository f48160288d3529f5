using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Catalog.Tests.Support;

/// <summary>Checks the signature of a request to <see cref="FakeS3"/>, and reads bodies in chunks.</summary>
internal static class S3Signature
{
    /// <summary>AWS Signature Version 4, from its published description.</summary>
    /// <returns>The S3 error code. Null: the signature is valid.</returns>
    public static string? Check(HttpRequest request, byte[] sent)
    {
        var parts = (request.Headers.Authorization.FirstOrDefault() ?? "").Split(' ', 2);
        if (parts is not ["AWS4-HMAC-SHA256", var fields])
        {
            return "AccessDenied";
        }

        var named = fields.Split(',').Select(field => field.Trim().Split('=', 2)).ToDictionary(field => field[0], field => field[1]);
        var scope = named["Credential"].Split('/', 2);
        if (scope[0] != FakeS3.AccessKey)
        {
            return "InvalidAccessKeyId";
        }

        var signed = named["SignedHeaders"].Split(';');
        var body = request.Headers["x-amz-content-sha256"].FirstOrDefault() ?? "";
        var date = request.Headers["x-amz-date"].FirstOrDefault() ?? "";
        var query = string.Join(
            '&', request.Query.SelectMany(pair => pair.Value.Select(value => $"{Escape(pair.Key)}={Escape(value ?? "")}"))
                .Order(StringComparer.Ordinal));
        var canonical = string.Join('\n', request.Method, string.Join('/', request.Path.Value!.Split('/').Select(Escape)), query,
            string.Concat(signed.Select(name => $"{name}:{string.Join(',', request.Headers[name].Select(value => value!.Trim()))}\n")),
            named["SignedHeaders"], body);
        byte[] Mac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
        static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
        var key = scope[1].Split('/').Aggregate(Encoding.UTF8.GetBytes("AWS4" + FakeS3.Secret), Mac);
        var signature = Hex(Mac(key, $"AWS4-HMAC-SHA256\n{date}\n{scope[1]}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}"));
        if (signature != named["Signature"])
        {
            return "SignatureDoesNotMatch";
        }

        if (!IsChunked(request))
        {
            return body == "UNSIGNED-PAYLOAD" || body == Hex(SHA256.HashData(sent)) ? null : "XAmzContentSHA256Mismatch";
        }

        var content = RemoveFraming(sent, out var chunks, out var trailer);
        if (content.Length.ToString(CultureInfo.InvariantCulture) != request.Headers["x-amz-decoded-content-length"])
        {
            return "IncompleteBody";
        }

        if (body.StartsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", StringComparison.Ordinal))
        {
            var previous = signature;
            foreach (var (data, claimed) in chunks)
            {
                previous = Hex(
                    Mac(key, $"AWS4-HMAC-SHA256-PAYLOAD\n{date}\n{scope[1]}\n{previous}\n{Hex(SHA256.HashData([]))}\n{Hex(SHA256.HashData(data))}"));
                if (previous != claimed)
                {
                    return "SignatureDoesNotMatch";
                }
            }

            if (trailer.TryGetValue("x-amz-trailer-signature", out var end))
            {
                var text = string.Concat(trailer.Where(header => header.Key != "x-amz-trailer-signature")
                    .Select(header => $"{header.Key}:{header.Value}\n"));
                if (end != Hex(
                    Mac(key, $"AWS4-HMAC-SHA256-TRAILER\n{date}\n{scope[1]}\n{previous}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}")))
                {
                    return "SignatureDoesNotMatch";
                }
            }
        }

        return trailer.TryGetValue("x-amz-checksum-sha256", out var sum) && sum != Convert.ToBase64String(SHA256.HashData(content))
            ? "BadDigest"
            : trailer.TryGetValue("x-amz-checksum-crc32", out var crc) && crc != Convert.ToBase64String(Crc32(content)) ? "BadDigest"
            : null;
    }

    public static bool IsChunked(HttpRequest request) =>
        request.Headers["x-amz-content-sha256"].FirstOrDefault()?.StartsWith("STREAMING-", StringComparison.Ordinal) == true;

    /// <summary>
    /// Removes the chunk framing: <c>size[;chunk-signature=…]</c>, the data, …, size 0, then trailers.
    /// </summary>
    public static byte[] RemoveFraming(byte[] sent, out List<(byte[] Data, string Signature)> chunks,
        out SortedDictionary<string, string> trailer)
    {
        (chunks, trailer) = ([], new(StringComparer.Ordinal));
        var at = 0;
        string Line()
        {
            var end = sent.AsSpan(at).IndexOf("\r\n"u8);
            var line = end < 0 ? Encoding.ASCII.GetString(sent.AsSpan(at)) : Encoding.ASCII.GetString(sent, at, end);
            at = end < 0 ? sent.Length : at + end + 2;
            return line;
        }

        while (at < sent.Length)
        {
            var head = Line().Split(";chunk-signature=");
            var size = int.Parse(head[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            chunks.Add((sent[at..(at + size)], head.Length > 1 ? head[1] : ""));
            at += size;
            if (size == 0)
            {
                break;
            }

            at += 2;
        }

        while (at < sent.Length)
        {
            if (Line().Split(':', 2) is [var name, var value])
            {
                trailer[name.Trim()] = value.Trim();
            }
        }

        return [.. chunks.SelectMany(chunk => chunk.Data)];
    }

    private static string Escape(string text) => Uri.EscapeDataString(text);

    private static byte[] Crc32(byte[] content)
    {
        var crc = uint.MaxValue;
        foreach (var value in content)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(int)(crc & 1));
            }
        }

        return [(byte)(~crc >> 24), (byte)(~crc >> 16), (byte)(~crc >> 8), (byte)~crc];
    }
}
