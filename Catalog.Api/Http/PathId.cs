namespace Catalog.Api.Http;

/// <summary>
/// An id in a path, decoded. Kestrel keeps <c>%2F</c> encoded so that a slash cannot split a segment, and
/// <see cref="RawPath"/> keeps <c>%25</c> encoded; both are decoded here.
/// </summary>
internal readonly record struct PathId(string Value)
{
    public static bool TryParse(string? text, IFormatProvider? provider, out PathId id)
    {
        id = new(text?.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase).Replace("%25", "%", StringComparison.Ordinal) ?? "");
        return true;
    }
}
