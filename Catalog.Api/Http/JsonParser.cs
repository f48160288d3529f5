using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using FluentValidation;

namespace Catalog.Api.Http;

/// <summary>Parses JSON from clients, and turns the parser's exceptions into errors that a client can act on.</summary>
internal static partial class JsonParser
{
    /// <summary>Parses a body or a part of one.</summary>
    /// <param name="bytes">The JSON text.</param>
    /// <param name="what">The noun for the text in error messages, such as <c>body</c> or <c>item</c>.</param>
    /// <returns>The document, or the problem to answer with.</returns>
    public static (JsonDocument? Json, Problem? Problem) ParseDocument(ReadOnlyMemory<byte> bytes, string what)
    {
        // Only a \u escape can contain text that JSON allows and Unicode does not, so other texts skip the extra pass.
        if ((bytes.Span.IndexOf("\\u"u8) >= 0 || !Utf8.IsValid(bytes.Span)) && Validate(bytes.Span, ApiJson.MaxDepth, what) is { } problem)
        {
            return (null, problem);
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

    /// <summary>Checks that a text is JSON in valid UTF-8 whose strings are valid Unicode.</summary>
    /// <param name="bytes">The JSON text.</param>
    /// <param name="maxDepth">The maximum nesting depth.</param>
    /// <param name="what">The noun for the text in error messages.</param>
    /// <returns>Null when it is valid; otherwise the problem to answer with.</returns>
    public static Problem? Validate(ReadOnlySpan<byte> bytes, int maxDepth, string what)
    {
        if (!Utf8.IsValid(bytes))
        {
            return Problems.Malformed($"The {what} is not valid UTF-8.");
        }

        var at = 0;
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = maxDepth });
            while (reader.Read())
            {
                // An escaped surrogate without its pair is valid JSON but cannot be stored as text (RFC 7493, 2.1).
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                {
                    at = (int)reader.TokenStartIndex;
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
            var line = bytes[..at].Count((byte)'\n') + 1;
            return Problems.Malformed($"A string in the {what} contains half of a surrogate pair, which is not valid Unicode (line {line}, "
                + $"byte {at - bytes[..at].LastIndexOf((byte)'\n')}).");
        }
    }

    /// <summary>Deserializes and validates one value: a body, or one item of it.</summary>
    /// <returns>
    /// The value, and the errors by JSON pointer. The errors are null when the value is valid. The value is null when
    /// it cannot be read.
    /// </returns>
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
            return (null, IsUnknownField(exception)
                ? UnknownAndInvalid(json, validator)
                : new() { [JsonPointer.OfPath(exception.Path)] = [MessageOf(exception)] });
        }
    }

    // Reports the unknown fields and the other errors together, so that a client can correct all of them at once.
    private static Dictionary<string, string[]> UnknownAndInvalid<T>(JsonElement json, IValidator<T> validator) where T : class
    {
        var errors = UnknownFields.Find(json, typeof(T));
        try
        {
            if (json.Deserialize<T>(UnknownFields.IgnoringOptions) is { } value)
            {
                foreach (var (pointer, messages) in validator.Errors(value) ?? [])
                {
                    errors.TryAdd(pointer, messages);
                }
            }
        }
        catch (JsonException exception)
        {
            errors.TryAdd(JsonPointer.OfPath(exception.Path), [MessageOf(exception)]);
        }

        return errors;
    }

    private static bool IsUnknownField(JsonException exception) =>
        exception.Message.Contains("could not be mapped", StringComparison.Ordinal);

    /// <summary>
    /// Whether any object, at any depth, has two members of the same name. Deserialization into a contract already
    /// rejects such a body; a body that is stored as sent needs this check.
    /// </summary>
    public static bool HasDuplicateMember(ReadOnlyMemory<byte> json)
    {
        try
        {
            JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = ApiJson.MaxDepth + 1 })
                .Dispose();
            return false;
        }
        catch (JsonException)
        {
            return true;
        }
    }

    // The serializer's own messages name .NET types. The messages of this service's converters are written for clients.
    private static string MessageOf(JsonException exception) =>
        exception.Message.StartsWith("must ", StringComparison.Ordinal)
        || exception.Message.StartsWith(JsonNumber.Unreadable, StringComparison.Ordinal) ? exception.Message
        : exception.Message.Contains("uplicate", StringComparison.Ordinal) ? "is given twice."
        : Wanted().Match(exception.Message) is { Success: true } match ? $"must be {NameOf(match.Groups[1].Value)}."
        : "has the wrong type.";

    private static string NameOf(string type) => type switch
    {
        "System.String" => "text",
        "System.Boolean" => "true or false",
        "System.Int32" or "System.Int64" => "a whole number",
        "System.Double" or "System.Decimal" => "a number",
        _ when type.StartsWith("System.Collections", StringComparison.Ordinal) || type.EndsWith(']') => "an array",
        _ => "an object",
    };

    [GeneratedRegex(@"could not be converted to (?:System\.Nullable`1\[)?(\w+(?:[.+]\w+)*(?:\[\])?)")]
    private static partial Regex Wanted();

    private static Problem NotJson(ReadOnlySpan<byte> bytes, JsonException exception, string what)
    {
        if (bytes.Trim(" \t\r\n"u8).IsEmpty)
        {
            return Problems.Malformed($"The {what} is empty. Send JSON.");
        }

        var (line, column) = (exception.LineNumber + 1, exception.BytePositionInLine + 1);
        var word = WordAt(bytes, exception);
        return Problems.Malformed(word.TrimStart('+', '-').ToLowerInvariant() is "nan" or "infinity" or "inf"
            ? $"{word} is not JSON: send null or text in its place (line {line} of the {what}, byte {column})."
            : exception.Message.Contains("maximum configured depth", StringComparison.Ordinal)
                ? $"The {what} is nested too deeply at line {line}, byte {column}. The maximum nesting depth is {ApiJson.MaxDepth}."
                : $"The {what} is not valid JSON at line {line}, byte {column}.");
    }

    // The word around the position of the error. The reader may report a position inside the word, so the search goes
    // both ways.
    private static string WordAt(ReadOnlySpan<byte> bytes, JsonException exception)
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
}
