namespace Catalog.Api.Http;

/// <summary>
/// An id in a path. The server leaves <c>%2F</c> as it is so that a slash cannot split a segment, and <see cref="RawPath"/> leaves <c>%25</c>;
/// here they become what they stand for.
/// </summary>
internal readonly record struct PathId(string Value)
{
    public static bool TryParse(string? text, IFormatProvider? provider, out PathId id)
    {
        id = new(text?.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase).Replace("%25", "%", StringComparison.Ordinal) ?? "");
        return true;
    }
}
