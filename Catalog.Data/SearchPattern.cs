using System.Globalization;

namespace Catalog.Data;

/// <summary>Text to search for.</summary>
internal static class SearchPattern
{
    /// <summary>Folds case, so that a search finds text in any: SQLite's own folding knows only ASCII, so neither engine's is used.</summary>
    public static string Fold(params string?[] texts) =>
        string.Join('\n', texts.Where(text => text is not null)).ToLower(CultureInfo.InvariantCulture);

    /// <summary>A <c>like</c> pattern with <c>\</c> as its escape.</summary>
    public static string Contains(string text) =>
        '%' + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal) + '%';
}
