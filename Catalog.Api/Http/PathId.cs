namespace Catalog.Api.Http;

/// <summary>
/// An id in a path. The server leaves <c>%2F</c> as it is so that a slash cannot split a segment; here it becomes the slash it
/// stands for. No stored id holds the text %2F, so a path is never ambiguous.
/// </summary>
internal readonly record struct PathId(string Value)
{
    public static bool TryParse(string? text, IFormatProvider? provider, out PathId id)
    {
        id = new(text?.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase) ?? "");
        return true;
    }
}
