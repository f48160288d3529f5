namespace Catalog.Api.Http;

/// <summary>Any JSON value, stored and returned exactly as it was sent.</summary>
/// <param name="Text">The JSON text of the value.</param>
public readonly record struct RawJson(string Text)
{
    /// <summary>The text to store; null when the field was absent or JSON null.</summary>
    public static string? Stored(RawJson? value) => value is { Text: not "null" } raw ? raw.Text : null;

    /// <summary>The value for a stored text; null when null was stored.</summary>
    public static RawJson? From(string? text) => text is null ? null : new(text);

    /// <summary>The JSON text.</summary>
    public override string ToString() => Text;
}
