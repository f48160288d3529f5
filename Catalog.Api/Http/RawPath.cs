using System.Globalization;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace Catalog.Api.Http;

/// <summary>
/// Checks path and query before Kestrel decodes them, because after decoding two different ids can look the same.
/// </summary>
internal static partial class RawPath
{
    /// <returns>The problem to answer with; null when the path is valid.</returns>
    public static Problem? Validate(string target)
    {
        var path = target.AsSpan(0, target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query ? query : target.Length);
        if (target.AsSpan(path.Length) is var queryString && queryString.Contains('%') && !IsUtf8(queryString))
        {
            return Problems.Invalid("query", "contains percent-encoded bytes that are not UTF-8.");
        }

        return !path.Contains('%') ? null
            : path.Contains("%252f", StringComparison.OrdinalIgnoreCase) && !DatasetPath().IsMatch(path)
            ? Problems.Invalid("path", "contains %252F, a slash that is encoded twice. Encode a slash in an id once, as %2F.")
            : !IsUtf8(path) ? Problems.Invalid("path", "contains percent-encoded bytes that are not UTF-8.")
            : null;
    }

    /// <summary>
    /// Decodes a path so that <see cref="PathId"/> can decode the rest without ambiguity. Kestrel decodes everything
    /// except <c>%2F</c>, so an id that contains the text %2F (sent as <c>%252F</c>) would look like an id with a
    /// slash. Here every <c>%25</c> stays encoded too.
    /// </summary>
    /// <returns>The path; null when Kestrel's own decoding is already unambiguous.</returns>
    public static string? KeepEncodedPercent(string target)
    {
        var end = target.IndexOf('?', StringComparison.Ordinal);
        return target.StartsWith('/') && target.AsSpan(0, end < 0 ? target.Length : end).Contains("%25", StringComparison.Ordinal)
            ? Uri.UnescapeDataString((end < 0 ? target : target[..end]).Replace("%25", "%2525", StringComparison.Ordinal)
                .Replace("%2F", "%252F", StringComparison.OrdinalIgnoreCase))
            : null;
    }

    /// <summary>
    /// The number of characters of a query after decoding. A character that needs twelve characters in percent-encoding
    /// counts as one.
    /// </summary>
    public static int DecodedLength(string query)
    {
        var length = query.Length;
        for (var i = query.IndexOf('%', StringComparison.Ordinal); i >= 0 && i + 2 < query.Length; i = query.IndexOf('%', i + 1))
        {
            // Continuation bytes of UTF-8 begin with the bits 10. They add no character.
            length -= query[i + 1] is >= '8' and <= '9' or >= 'a' and <= 'b' or >= 'A' and <= 'B' ? 3 : 2;
        }

        return length;
    }

    // The paths on which %252F is allowed. Dataset names come from warehouses, and some contain the text %2F.
    [GeneratedRegex("^(/api/v1|/ui)?/(lineage|datasets|namespaces)/")]
    private static partial Regex DatasetPath();

    private static bool IsUtf8(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = text.Length <= 1024 ? stackalloc byte[text.Length] : new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length
                && byte.TryParse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes[length++] = value;
                i += 2;
            }
            else
            {
                bytes[length++] = text[i] < 128 ? (byte)text[i] : (byte)'?';
            }
        }

        return Utf8.IsValid(bytes[..length]);
    }
}
