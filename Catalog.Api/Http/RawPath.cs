using System.Globalization;
using System.Text.Unicode;

namespace Catalog.Api.Http;

/// <summary>Judges a path as it was sent, before the server decoded it: there two ids could still come to look alike.</summary>
internal static class RawPath
{
    /// <summary>Why the path is refused, or null.</summary>
    public static Problem? Refusal(string target)
    {
        var path = target.AsSpan(0, target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query ? query : target.Length);
        return !path.Contains('%') ? null
            : path.Contains("%252f", StringComparison.OrdinalIgnoreCase) ? Problems.Invalid("path", "holds the text %2F in an id, which no id may hold; write a slash as %2F.")
            : !IsUtf8(path) ? Problems.Invalid("path", "holds percent-encoded bytes that are not UTF-8.")
            : null;
    }

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
