using System.Text.Json;
using System.Text.Unicode;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Reads untrusted JSON, and rejects everything that two parsers could read differently.</summary>
internal static class StrictJson
{
    // For a duplicate member some parsers use the first value, and other parsers use the last value. Names are compared
    // after unescaping.
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <returns>The object; null when the text is not a valid JSON object.</returns>
    public static JsonElement? Object(ReadOnlyMemory<byte> utf8)
    {
        if (!Utf8.IsValid(utf8.Span))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(utf8, Options);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        // Half a surrogate pair in a name throws InvalidOperationException when names are compared.
        catch (Exception refusal) when (refusal is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <returns>The member's text; null when it is absent, empty, not text, or not valid Unicode.</returns>
    public static string? Text(this JsonElement json, string member) => json.TryGetProperty(member, out var value) ? value.Text() : null;

    /// <returns>The text; null when the value is empty, not text, or not valid Unicode.</returns>
    public static string? Text(this JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
