using System.Globalization;

namespace Catalog.Data;

/// <summary>Prepares text for a search that ignores case.</summary>
internal static class SearchPattern
{
    /// <summary>
    /// Converts texts to lower case and joins them with line feeds. Nulls are left out. The functions of the engines
    /// are not used, because the function of SQLite converts only ASCII letters.
    /// </summary>
    public static string Fold(params string?[] texts) =>
        string.Join('\n', texts.Where(text => text is not null)).ToLower(CultureInfo.InvariantCulture);

    /// <summary>A <c>like</c> pattern that matches the text anywhere, with <c>\</c> as the escape character.</summary>
    public static string Contains(string text) =>
        '%' + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal)
            .Replace("_", "\\_", StringComparison.Ordinal) + '%';
}
