using System.Globalization;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace Catalog.Api.Http;

/// <summary>Judges a path as it was sent, before the server decoded it: there two ids could still come to look alike.</summary>
internal static partial class RawPath
{
    /// <summary>Why the path is refused, or null.</summary>
    public static Problem? Refusal(string target)
    {
        var path = target.AsSpan(0, target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query ? query : target.Length);
        return !path.Contains('%') ? null
            : path.Contains("%252f", StringComparison.OrdinalIgnoreCase) && !OfDatasets().IsMatch(path) ? Problems.Invalid("path", "holds the text %2F in an id, which no id may hold; write a slash as %2F.")
            : !IsUtf8(path) ? Problems.Invalid("path", "holds percent-encoded bytes that are not UTF-8.")
            : null;
    }

    /// <summary>
    /// The path in a form that <see cref="PathId"/> can read without doubt. The server decodes all but <c>%2F</c>, so that an id that holds
    /// the text %2F, sent as <c>%252F</c>, would look like one with a slash; here each <c>%25</c> stays encoded too.
    /// </summary>
    /// <returns>The path, or null where the server's is without doubt already.</returns>
    public static string? Unambiguous(string target)
    {
        var end = target.IndexOf('?', StringComparison.Ordinal);
        return target.StartsWith('/') && target.AsSpan(0, end < 0 ? target.Length : end).Contains("%25", StringComparison.Ordinal)
            ? Uri.UnescapeDataString((end < 0 ? target : target[..end]).Replace("%25", "%2525", StringComparison.Ordinal).Replace("%2F", "%252F", StringComparison.OrdinalIgnoreCase))
            : null;
    }

    /// <summary>How many characters a query has once it is decoded: a letter that takes twelve to write is one.</summary>
    public static int LengthOf(string query)
    {
        var length = query.Length;
        for (var i = query.IndexOf('%', StringComparison.Ordinal); i >= 0 && i + 2 < query.Length; i = query.IndexOf('%', i + 1))
        {
            // The second and later bytes of a letter begin with the bits 10.
            length -= query[i + 1] is >= '8' and <= '9' or >= 'a' and <= 'b' or >= 'A' and <= 'B' ? 3 : 2;
        }

        return length;
    }

    // Names of datasets are the warehouses' own, and some hold that text.
    [GeneratedRegex("^(/api/v1)?/(lineage|datasets)/")]
    private static partial Regex OfDatasets();

    private static bool IsUtf8(ReadOnlySpan<char> path)
    {
        Span<byte> bytes = path.Length <= 1024 ? stackalloc byte[path.Length] : new byte[path.Length];
        var length = 0;
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '%' && i + 2 < path.Length && byte.TryParse(path.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes[length++] = value;
                i += 2;
            }
            else
            {
                bytes[length++] = path[i] < 128 ? (byte)path[i] : (byte)'?';
            }
        }

        return Utf8.IsValid(bytes[..length]);
    }
}
