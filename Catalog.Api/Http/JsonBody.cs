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
        if (problem is null)
        {
            var many = takesMany && bytes.Span.TrimStart(" \t\r\n"u8) is [(byte)'[', ..];
            problem = Refusal(bytes.Span, ApiJson.MaxDepth + (many ? 1 : 0), "body");
        }

        return problem is null ? (bytes, null) : (default, problem);
    }

    /// <summary>The body parsed, in one pass: for the routes that are asked most.</summary>
    /// <returns>The body's bytes, none where they could not be had, and the document or the problem to answer with.</returns>
    /// <exception cref="BadHttpRequestException">The body was cut off.</exception>
    public static async ValueTask<(ReadOnlyMemory<byte> Bytes, JsonDocument? Json, Problem? Problem)> ReadDocument(HttpContext context)
    {
        var (bytes, unread) = await ReadJsonBytes(context);
        if (unread is not null)
        {
            return (default, null, unread);
        }

        var (json, problem) = ParseDocument(bytes, "body");
        return (bytes, json, problem);
    }

    /// <summary>Parses a body, or a part of one.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="what">What they are, for people.</param>
    /// <returns>The document, or what is wrong.</returns>
    public static (JsonDocument? Json, Problem? Problem) ParseDocument(ReadOnlyMemory<byte> bytes, string what)
    {
        // Only an escape can hold what JSON allows and Unicode does not.
        if ((bytes.Span.IndexOf("\\u"u8) >= 0 || !Utf8.IsValid(bytes.Span)) && Refusal(bytes.Span, ApiJson.MaxDepth, what) is { } refusal)
        {
            return (null, refusal);
        }

        try
        {
            return (JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = ApiJson.MaxDepth }), null);
        }
        catch (JsonException exception)
        {
            return (null, NotJson(bytes.Span, exception, what));
        }
    }

    private static async ValueTask<(ReadOnlyMemory<byte> Bytes, Problem? Problem)> ReadJsonBytes(HttpContext context)
    {
        if (WrongType(context.Request.ContentType) is { } wrong)
        {
            return (default, wrong);
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

    /// <summary>Reads and validates one value: a body, or one item of it.</summary>
    /// <returns>The value with the errors by JSON pointer, null when it is valid. The value is null when it cannot be read.</returns>
    public static (T? Value, Dictionary<string, string[]>? Errors) Parse<T>(JsonElement json, IValidator<T> validator) where T : class
    {
        try
        {
            return json.Deserialize<T>(ApiJson.Options) is { } value
                ? (value, validator.Errors(value))
                : (null, new() { [""] = ["must be an object, not null."] });
        }
        catch (JsonException exception)
        {
            return (null, new() { [JsonPointer.OfPath(exception.Path)] = [Message(exception)] });
        }
    }

    private static Problem? Refusal(ReadOnlySpan<byte> bytes, int maxDepth, string what)
    {
        if (!Utf8.IsValid(bytes))
        {
            return Problems.Malformed($"The {what} is not valid UTF-8.");
        }

        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = maxDepth });
            while (reader.Read())
            {
                // An escaped surrogate without its pair is JSON and yet no text that can be kept (RFC 7493, 2.1).
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                {
                    reader.GetString();
                }
            }

            return null;
        }
        catch (JsonException exception)
        {
            return NotJson(bytes, exception, what);
        }
        catch (InvalidOperationException)
        {
            return Problems.Malformed($"A string in the {what} holds half of a surrogate pair, which is no valid Unicode.");
        }
    }

    private static Problem NotJson(ReadOnlySpan<byte> bytes, JsonException exception, string what)
    {
        var word = Word(bytes, exception);
        return Problems.Malformed(word.TrimStart('+', '-').ToLowerInvariant() is "nan" or "infinity" or "inf"
            ? $"{word} is not JSON: send null or text in its place (line {exception.LineNumber + 1} of the {what}, byte {exception.BytePositionInLine + 1})."
            : $"The {what} is not JSON that can be read here, at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}; nesting may be {ApiJson.MaxDepth} deep.");
    }

    // The word that the reader stumbled over; it may have taken the first letters for those of another.
    private static string Word(ReadOnlySpan<byte> bytes, JsonException exception)
    {
        var at = 0;
        for (var line = exception.LineNumber ?? 0; line > 0; line--)
        {
            at += bytes[at..].IndexOf((byte)'\n') + 1;
        }

        at = (int)Math.Min(at + (exception.BytePositionInLine ?? 0), bytes.Length);
        var start = at;
        while (start > 0 && IsOfWord(bytes[start - 1]))
        {
            start--;
        }

        var end = at;
        while (end < bytes.Length && IsOfWord(bytes[end]))
        {
            end++;
        }

        return end - start <= "+Infinity".Length ? Encoding.ASCII.GetString(bytes[start..end]) : "";
    }

    private static bool IsOfWord(byte value) => char.IsAsciiLetter((char)value) || value is (byte)'+' or (byte)'-';

    private static Problem? WrongType(string? contentType)
    {
        if (contentType == "application/json")
        {
            return null;
        }

        // An empty parameter says nothing, and the parser takes none.
        if (!MediaTypeHeaderValue.TryParse(contentType?.TrimEnd(' ', ';', '='), out var type)
            || !(type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                || (type.Type.Equals("application", StringComparison.OrdinalIgnoreCase) && type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase))))
        {
            return Problems.UnsupportedType();
        }

        return type.Parameters.Any(parameter => parameter.Name.Equals("charset", StringComparison.OrdinalIgnoreCase) && !IsUtf8(parameter.Value.ToString()))
            ? Problems.UnsupportedCharset()
            : null;
    }

    private static bool IsUtf8(string charset) => charset.Trim('"', '\'', ' ').ToLowerInvariant() is "utf-8" or "utf8" or "";

    // The serializer's own messages name .NET types; those of our converters say what a value must be or holds.
    private static string Message(JsonException exception) =>
        exception.Message.StartsWith("must ", StringComparison.Ordinal) || exception.Message.StartsWith(JsonNumber.Unreadable, StringComparison.Ordinal) ? exception.Message
        : exception.Message.Contains("could not be mapped", StringComparison.Ordinal) ? "is not a field here; check its spelling."
        : exception.Message.Contains("uplicate", StringComparison.Ordinal) ? "is given twice."
        : "has the wrong type.";
}

/// <summary>A request body of one shape, read and validated before the handler runs. See <see cref="BodyRoutes.Reads{T}"/>.</summary>
internal sealed class Body<T> : IBody where T : class
{
    private readonly T? _value;

    private Body(T? value, ReadOnlyMemory<byte> json, JsonElement root, Problem? problem)
    {
        _value = value;
        Json = json;
        Root = root;
        Problem = problem;
    }

    /// <summary>The body. Handlers run only when there is one.</summary>
    public T Value => _value!;

    /// <summary>The body as sent.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>The same parsed, until the response is complete.</summary>
    public JsonElement Root { get; }

    public Problem? Problem { get; }

    public static async ValueTask<Body<T>> BindAsync(HttpContext context)
    {
        var (bytes, json, problem) = await JsonBody.ReadDocument(context);
        if (json is null)
        {
            return new(null, bytes, default, problem);
        }

        context.Response.RegisterForDispose(json);
        var (value, errors) = JsonBody.Parse(json.RootElement, context.RequestServices.GetRequiredService<IValidator<T>>());
        return new(value, bytes, json.RootElement, errors is null ? null : Problems.Invalid(errors));
    }
}

/// <summary>A bound body that may have been refused.</summary>
internal interface IBody
{
    /// <summary>Why it was refused, or null.</summary>
    Problem? Problem { get; }
}
