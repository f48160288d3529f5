using System.Text;
using System.Text.Json;

namespace Catalog.Api.Http;

/// <summary>Converts the paths of the serializer and of the validators to JSON pointers (RFC 6901).</summary>
internal static class JsonPointer
{
    /// <summary>
    /// Converts a validator's path, such as <c>Results[3].CheckId</c>, to <c>/results/3/check_id</c>.
    /// </summary>
    public static string OfProperty(string path)
    {
        var pointer = new StringBuilder(path.Length + 8);
        foreach (var part in path.Split(['.', '[', ']'], StringSplitOptions.RemoveEmptyEntries))
        {
            pointer.Append('/').Append(char.IsAsciiDigit(part[0]) ? part : JsonNamingPolicy.SnakeCaseLower.ConvertName(part));
        }

        return pointer.ToString();
    }

    /// <summary>
    /// Converts the serializer's path, such as <c>$.results[3]['odd.name']</c>, to <c>/results/3/odd.name</c>.
    /// </summary>
    public static string OfPath(string? path)
    {
        var pointer = new StringBuilder();
        var rest = path.AsSpan(path is ['$', ..] ? 1 : 0);
        while (rest.Length > 0)
        {
            int start, end, next;
            if (rest.StartsWith("['"))
            {
                (start, end) = (2, rest.IndexOf("']"));
                next = end + 2;
            }
            else if (rest[0] == '[')
            {
                (start, end) = (1, rest.IndexOf(']'));
                next = end + 1;
            }
            else
            {
                start = rest[0] == '.' ? 1 : 0;
                var length = rest[start..].IndexOfAny('.', '[');
                end = length < 0 ? rest.Length : start + length;
                next = end;
            }

            if (end < start)
            {
                (end, next) = (rest.Length, rest.Length);
            }

            pointer.Append(OfName(rest[start..end].ToString()));
            rest = rest[next..];
        }

        return pointer.ToString();
    }

    /// <summary>The pointer segment for a member name, escaped.</summary>
    public static string OfName(string name) =>
        "/" + name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
