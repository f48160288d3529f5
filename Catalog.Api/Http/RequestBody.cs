using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace Catalog.Api.Http;

/// <summary>
/// Reads request bodies, and checks their content type, encoding and size. A body that is not JSON is answered with
/// 400; JSON of the wrong shape is answered with 422 and JSON pointers (see <see cref="JsonParser"/>).
/// </summary>
internal static class RequestBody
{
    /// <summary>Reads a body and checks that it is JSON in valid UTF-8 whose strings are valid Unicode.</summary>
    /// <param name="context">The request.</param>
    /// <param name="acceptsArray">
    /// True when the route also accepts an array of bodies. Each item may be as deep as a single body, so an array may
    /// be one level deeper.
    /// </param>
    /// <returns>The bytes, or the problem to answer with.</returns>
    /// <exception cref="BadHttpRequestException">The body was cut off.</exception>
    public static async ValueTask<(ReadOnlyMemory<byte> Bytes, Problem? Problem)> Read(HttpContext context, bool acceptsArray = false)
    {
        var (bytes, problem) = await ReadJsonBytes(context);
        if (problem is null)
        {
            var isArray = acceptsArray && bytes.Span.TrimStart(" \t\r\n"u8) is [(byte)'[', ..];
            problem = JsonParser.Validate(bytes.Span, ApiJson.MaxDepth + (isArray ? 1 : 0), "body");
        }

        return problem is null ? (bytes, null) : (default, problem);
    }

    /// <summary>Reads and parses a body in one pass, for the busiest routes.</summary>
    /// <returns>
    /// The bytes (empty when the body could not be read), and the document or the problem to answer with.
    /// </returns>
    /// <exception cref="BadHttpRequestException">The body was cut off.</exception>
    public static async ValueTask<(ReadOnlyMemory<byte> Bytes, JsonDocument? Json, Problem? Problem)> ReadDocument(HttpContext context)
    {
        var (bytes, unread) = await ReadJsonBytes(context);
        if (unread is not null)
        {
            return (default, null, unread);
        }

        var (json, problem) = JsonParser.ParseDocument(bytes, "body");
        return (bytes, json, problem);
    }

    /// <summary>Reads a body of any content type, up to the size limit of the route.</summary>
    /// <returns>The bytes, or the problem to answer with.</returns>
    /// <exception cref="BadHttpRequestException">The body was cut off.</exception>
    public static async ValueTask<(ReadOnlyMemory<byte> Bytes, Problem? Problem)> ReadBytes(HttpContext context)
    {
        // The decompression middleware removes the header for every encoding that it supports.
        if (context.Request.Headers.ContentEncoding.Count > 0
            && !context.Request.Headers.ContentEncoding.ToString().Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return (default, Problems.UnsupportedEncoding());
        }

        // This limit is lower than the server's own limit, at which the server closes the connection before the client
        // reads the error.
        var limit = context.GetEndpoint()?.Metadata.GetMetadata<BodyLimit>()?.Bytes ?? RequestLimits.Body;
        if (context.Request.ContentLength > limit)
        {
            return (default, Problems.BodyTooLarge(limit));
        }

        try
        {
            return await ReadAll(context.Request.BodyReader, limit);
        }
        // The Brotli decoder throws InvalidOperationException. The other decoders throw InvalidDataException.
        catch (Exception exception) when (exception is InvalidDataException or InvalidOperationException)
        {
            return (default, Problems.Malformed("The body is not compressed as Content-Encoding says."));
        }
    }

    private static async ValueTask<(ReadOnlyMemory<byte> Bytes, Problem? Problem)> ReadJsonBytes(HttpContext context)
    {
        if (CheckContentType(context.Request.ContentType) is { } problemWithType)
        {
            return (default, problemWithType);
        }

        var (bytes, problem) = await ReadBytes(context);
        return (bytes.Span.StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes, problem);
    }

    private static async ValueTask<(ReadOnlyMemory<byte>, Problem?)> ReadAll(PipeReader reader, long limit)
    {
        while (true)
        {
            // No cancellation token is passed, because a cancellation during the read races with Kestrel. The read ends
            // when the client disconnects.
            var result = await reader.ReadAsync();
            if (result.Buffer.Length > limit)
            {
                reader.AdvanceTo(result.Buffer.End);
                return (default, Problems.BodyTooLarge(limit));
            }

            if (result.IsCompleted)
            {
                var bytes = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return (bytes, null);
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private static Problem? CheckContentType(string? contentType)
    {
        if (contentType == "application/json")
        {
            return null;
        }

        // MediaTypeHeaderValue rejects an empty parameter, which has no meaning and which some clients send.
        if (!MediaTypeHeaderValue.TryParse(contentType?.TrimEnd(' ', ';', '='), out var type)
            || !(type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                || (type.Type.Equals("application", StringComparison.OrdinalIgnoreCase)
                    && type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase))))
        {
            return Problems.UnsupportedType();
        }

        return type.Parameters.Any(parameter =>
            parameter.Name.Equals("charset", StringComparison.OrdinalIgnoreCase) && !IsUtf8(parameter.Value.ToString()))
            ? Problems.UnsupportedCharset()
            : null;
    }

    private static bool IsUtf8(string charset) => charset.Trim('"', '\'', ' ').ToLowerInvariant() is "utf-8" or "utf8" or "";
}
