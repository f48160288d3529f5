using System.Text.Json;

namespace Catalog.Data;

/// <summary>
/// Reads members of JSON that other tools wrote. A member that is absent or has another type is read as null, because a
/// partly read event is better than a lost event.
/// </summary>
internal static class LenientJson
{
    /// <summary>The object member; null when it is absent or not an object.</summary>
    public static JsonElement? Object(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object
            ? value : null;

    /// <summary>The items of an array member; empty when it is absent or not an array.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray() : [];

    /// <summary>The members of an object member; empty when it is absent or not an object.</summary>
    public static IEnumerable<JsonProperty> Members(this JsonElement json, string name) =>
        json.Object(name) is { } value ? value.EnumerateObject() : [];

    /// <summary>
    /// The text member, cleaned by <see cref="StoredText.Clean"/>; null when it is absent, empty or not a text.
    /// </summary>
    public static string? Text(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        && value.GetString() is { Length: > 0 } text
            ? StoredText.Clean(text) : null;

    /// <summary>
    /// The text member, cut to a maximum number of characters; null when it is absent, empty or not a text.
    /// </summary>
    public static string? Text(this JsonElement json, string name, int most) =>
        json.Text(name) is { } text ? StoredText.Cut(text, most) : null;

    /// <summary>The number member, a whole number of 0 or more; null when it is absent or another value.</summary>
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
