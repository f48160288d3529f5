using System.Text.Json;
using System.Text.Unicode;

namespace Catalog.Api.Authentication.Oidc;

/// <summary>Reads what a stranger wrote, in one way only: what two readers could understand differently is refused.</summary>
internal static class StrictJson
{
    // A second member of the same name, also when it is spelled with escapes, is read as the first by some and as the last by others.
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <returns>The object, or null when it is none.</returns>
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
        // Half a surrogate pair in a name shows only when names are compared.
        catch (Exception refusal) when (refusal is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <returns>The member, or null when it is absent or no well-formed, non-empty text.</returns>
    public static string? Text(this JsonElement json, string member) => json.TryGetProperty(member, out var value) ? value.Text() : null;

    /// <returns>The text, or null when it is no well-formed, non-empty text.</returns>
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
