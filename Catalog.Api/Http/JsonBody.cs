using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using FluentValidation;
using Microsoft.Net.Http.Headers;

namespace Catalog.Api.Http;

/// <summary>Reads request bodies: what is not JSON is 400, what is JSON but not what was asked for is 422 with JSON pointers.</summary>
internal static class JsonBody
{
    /// <summary>The body's bytes, known to be UTF-8 and, once parsed, JSON whose strings are Unicode.</summary>
    /// <param name="context">The request.</param>
    /// <param name="takesMany">An array holds bodies each of which may be as deep as one alone, and so lies one deeper.</param>
    /// <returns>The bytes, or the problem to answer with.</returns>
    /// <exception cref="BadHttpRequestException">The body was cut off.</exception>
    public static async ValueTask<(ReadOnlyMemory<byte> Bytes, Problem? Problem)> Read(HttpContext context, bool takesMany = false)
    {
        var (bytes, problem) = await ReadJsonBytes(context);
        return problem is not null ? (default, problem) : Accept(bytes, takesMany);
    }

    /// <summary>The body parsed, in one pass: for the routes that are asked most.</summary>
    /// <returns>The document, how many bytes it has, and otherwise the problem to answer with.</returns>
    /// <exception cref="BadHttpRequestException">The body was cut off.</exception>
    public static async ValueTask<(JsonDocument? Json, int Length, Problem? Problem)> ReadDocument(HttpContext context)
    {
        var (bytes, problem) = await ReadJsonBytes(context);
        // Only an escape can hold what JSON allows and Unicode does not.
        if (problem is null && (bytes.Span.IndexOf("\\u"u8) >= 0 || !Utf8.IsValid(bytes.Span)))
        {
            (bytes, problem) = Accept(bytes, takesMany: false);
        }

        if (problem is not null)
        {
            return (null, 0, problem);
        }

        try
        {
            return (JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = ApiJson.MaxDepth }), bytes.Length, null);
        }
        catch (JsonException exception)
        {
            return (null, 0, NotJson(exception));
        }
    }

    private static async ValueTask<(ReadOnlyMemory<byte> Bytes, Problem? Problem)> ReadJsonBytes(HttpContext context)
    {
        if (!IsJson(context.Request.ContentType))
        {
            return (default, Problems.UnsupportedType());
        }

        var (bytes, problem) = await ReadBytes(context);
        return (bytes.Span.StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes, problem);
    }

    /// <summary>The body's bytes, whatever they are, up to the route's limit.</summary>
    /// <returns>The bytes, or the problem to answer with.</returns>
    /// <exception cref="BadHttpRequestException">The body was cut off.</exception>
    public static async ValueTask<(ReadOnlyMemory<byte> Bytes, Problem? Problem)> ReadBytes(HttpContext context)
    {
        // What decompression understood, it has taken off.
        if (context.Request.Headers.ContentEncoding.Count > 0 && !context.Request.Headers.ContentEncoding.ToString().Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return (default, Problems.UnsupportedEncoding());
        }

        // Ours and not the server's limit, which would cut the connection before the client has read why.
        var limit = context.GetEndpoint()?.Metadata.GetMetadata<BodyLimit>()?.Bytes ?? Limits.Body;
        if (context.Request.ContentLength > limit)
        {
            return (default, Problems.BodyTooLarge(limit));
        }

        try
        {
            return await ReadAll(context.Request.BodyReader, limit);
        }
        // The second is what the Brotli decoder throws.
        catch (Exception exception) when (exception is InvalidDataException or InvalidOperationException)
        {
            return (default, Problems.Malformed("The body is not compressed as Content-Encoding says."));
        }
    }

    private static async ValueTask<(ReadOnlyMemory<byte>, Problem?)> ReadAll(PipeReader reader, long limit)
    {
        while (true)
        {
            // Ends by itself when the client goes; to be cancelled as well would meet the server in the midst of it.
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

    /// <summary>Reads one value.</summary>
    /// <returns>The value, or null with the errors by JSON pointer.</returns>
    public static (T? Value, Dictionary<string, string[]>? Errors) Parse<T>(ReadOnlySpan<byte> json) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, ApiJson.Options) is { } value
                ? (value, null)
                : (null, new() { [""] = ["must be an object, not null."] });
        }
        catch (JsonException exception)
        {
            return (null, new() { [JsonPointer.OfPath(exception.Path)] = [Message(exception)] });
        }
    }

    /// <summary>Whether some object, however deep, has two members of one name. Contracts refuse that themselves; kept bodies have none.</summary>
    public static bool HoldsAMemberTwice(ReadOnlyMemory<byte> json)
    {
        try
        {
            JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = ApiJson.MaxDepth + 1 }).Dispose();
            return false;
        }
        catch (JsonException)
        {
            return true;
        }
    }

    /// <summary>Reads one value that was parsed already.</summary>
    public static (T? Value, Dictionary<string, string[]>? Errors) Parse<T>(JsonElement json) where T : class
    {
        try
        {
            return json.Deserialize<T>(ApiJson.Options) is { } value
                ? (value, null)
                : (null, new() { [""] = ["must be an object, not null."] });
        }
        catch (JsonException exception)
        {
            return (null, new() { [JsonPointer.OfPath(exception.Path)] = [Message(exception)] });
        }
    }

    private static (ReadOnlyMemory<byte>, Problem?) Accept(ReadOnlyMemory<byte> bytes, bool takesMany)
    {
        if (!Utf8.IsValid(bytes.Span))
        {
            return (default, Problems.Malformed("The body is not valid UTF-8."));
        }

        try
        {
            var many = takesMany && bytes.Span.TrimStart(" \t\r\n"u8) is [(byte)'[', ..];
            var reader = new Utf8JsonReader(bytes.Span, new JsonReaderOptions { MaxDepth = ApiJson.MaxDepth + (many ? 1 : 0) });
            while (reader.Read())
            {
                // An escaped surrogate without its pair is JSON and yet no text that can be kept (RFC 7493, 2.1).
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                {
                    reader.GetString();
                }
            }

            return (bytes, null);
        }
        catch (JsonException exception)
        {
            return (default, NotJson(exception));
        }
        catch (InvalidOperationException)
        {
            return (default, Problems.Malformed("A string in the body holds half of a surrogate pair, which is no valid Unicode."));
        }
    }

    private static Problem NotJson(JsonException exception) => Problems.Malformed(
        $"The body is not JSON that can be read here, at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}; nesting may be {ApiJson.MaxDepth} deep.");

    private static bool IsJson(string? contentType) =>
        contentType == "application/json"
        || (MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || (type.Type.Equals("application", StringComparison.OrdinalIgnoreCase) && type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)))
        && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)));

    // The serializer's own messages name .NET types; those of our converters end in a full stop and begin in lower case.
    private static string Message(JsonException exception) =>
        exception.Message.StartsWith("must ", StringComparison.Ordinal) ? exception.Message
        : exception.Message.Contains("could not be mapped", StringComparison.Ordinal) ? "is not a field here; check its spelling."
        : exception.Message.Contains("uplicate", StringComparison.Ordinal) ? "is given twice."
        : "has the wrong type.";
}

/// <summary>A request body of one shape, read and validated before the handler runs. See <see cref="BodyRoutes.Reads{T}"/>.</summary>
internal sealed class Body<T> : IBody where T : class
{
    private readonly T? _value;

    private Body(T? value, ReadOnlyMemory<byte> json, Problem? problem)
    {
        _value = value;
        Json = json;
        Problem = problem;
    }

    /// <summary>The body. Handlers run only when there is one.</summary>
    public T Value => _value!;

    /// <summary>The body as sent.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    public Problem? Problem { get; }

    public static async ValueTask<Body<T>> BindAsync(HttpContext context)
    {
        var (bytes, problem) = await JsonBody.Read(context);
        if (problem is not null)
        {
            return new(null, bytes, problem);
        }

        var (value, errors) = JsonBody.Parse<T>(bytes.Span);
        errors ??= context.RequestServices.GetRequiredService<IValidator<T>>().Errors(value!);
        return new(value, bytes, errors is null ? null : Problems.Invalid(errors));
    }
}

/// <summary>A bound body that may have been refused.</summary>
internal interface IBody
{
    /// <summary>Why it was refused, or null.</summary>
    Problem? Problem { get; }
}
