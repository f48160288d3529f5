using System.Text.Json;

namespace Catalog.Data.OpenLineage;

/// <summary>
/// Reads members of JSON that other tools wrote. A member that is absent or has another type reads as null, because an
/// event that is half understood is better than a lost one.
/// </summary>
internal static class Facet
{
    /// <summary>The object member; null when it is absent or no object.</summary>
    public static JsonElement? Object(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object
            ? value : null;

    /// <summary>The items of an array member; none when it is absent or no array.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray() : [];

    /// <summary>The members of an object member; none when it is absent or no object.</summary>
    public static IEnumerable<JsonProperty> Members(this JsonElement json, string name) =>
        json.Object(name) is { } value ? value.EnumerateObject() : [];

    /// <summary>
    /// The text member, without characters that Postgres cannot store; null when it is absent, empty or no text.
    /// </summary>
    public static string? Text(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        && value.GetString() is { Length: > 0 } text
            ? StoredText.Clean(text) : null;

    /// <summary>As the text member, cut to a number of characters.</summary>
    public static string? Text(this JsonElement json, string name, int most) =>
        json.Text(name) is { } text ? StoredText.Cut(text, most) : null;

    /// <summary>A whole number of 0 or more; null when it is absent or another value.</summary>
    public static long? Count(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out var number) && number >= 0
            ? number : null;

    /// <summary>The member as JSON; null when it is absent or the JSON null.</summary>
    public static string? Json(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value.GetRawText() : null;

    /// <summary>The time member; null when it is absent or unreadable.</summary>
    public static DateTimeOffset? Time(this JsonElement json, string name) =>
        json.Text(name) is { } text && Rfc3339.TryParse(text, out var time) ? time : null;
}
