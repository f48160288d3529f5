using System.Buffers;
using System.Globalization;
using System.Text;

namespace Catalog.Api.Pages.Drawing;

/// <summary>Ids of HTML elements that links lead to, such as <c>stage-load_orders</c>.</summary>
public static class ElementId
{
    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789ABCDEF");

    /// <summary>
    /// The id of the element of a thing. ASCII letters, digits, - and _ stay. Every other UTF-16 unit becomes _ and
    /// four hexadecimal digits. An underscore before four such digits is encoded too, so that different names have
    /// different ids.
    /// </summary>
    public static string Of(string kind, string name)
    {
        var id = new StringBuilder(kind.Length + name.Length + 1).Append(kind).Append('-');
        for (var index = 0; index < name.Length; index++)
        {
            var unit = name[index];
            if (char.IsAsciiLetterOrDigit(unit) || unit == '-' || (unit == '_' && !HexFollows(name, index)))
            {
                id.Append(unit);
            }
            else
            {
                id.Append(CultureInfo.InvariantCulture, $"_{(int)unit:X4}");
            }
        }

        return id.ToString();
    }

    private static bool HexFollows(string name, int index) =>
        index + 4 < name.Length && !name.AsSpan(index + 1, 4).ContainsAnyExcept(Hex);
}
