using System.Text.Encodings.Web;
using System.Text.Json;
using Catalog.Api.Http;

namespace Catalog.Api.Pages.Checks;

/// <summary>Fields of a definition as text.</summary>
internal static class CheckText
{
    private static readonly JsonSerializerOptions Readable =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// The text of a field; a value that is not text is shown as JSON. Null when the field is missing.
    /// </summary>
    public static string? Of(RawJson? field)
    {
        if (field is not { } raw)
        {
            return null;
        }

        using var json = JsonDocument.Parse(raw.Text);
        return json.RootElement.ValueKind == JsonValueKind.String ? json.RootElement.GetString() : raw.Text;
    }

    /// <summary>JSON with line breaks and indentation. It is not encoded for HTML; the page encodes it.</summary>
    public static string Indented(string json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement, Readable);
    }
}
