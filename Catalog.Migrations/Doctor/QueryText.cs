using System.Text.RegularExpressions;

namespace Catalog.Migrations.Doctor;

/// <summary>Prepares the text of a statement for display.</summary>
public static partial class QueryText
{
    /// <summary>
    /// Shortens a statement to one line. Removes addresses, and all text after a word such as password.
    /// </summary>
    /// <param name="query">The statement; null for none.</param>
    /// <param name="maxLength">Maximum number of characters of the result.</param>
    public static string Shorten(string? query, int maxLength = 300)
    {
        var line = Space().Replace(query ?? "", " ").Trim();
        line = Address().Replace(Password().Replace(line, "$1 …"), "$1://…");
        return line.Length <= maxLength ? line : $"{line[..(maxLength - 1)].TrimEnd()}…";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex(@"(?i)\b(password|passwd|pwd|secret)\b.*")]
    private static partial Regex Password();

    [GeneratedRegex(@"\b([A-Za-z][A-Za-z0-9+.-]*)://[^\s'""]*")]
    private static partial Regex Address();
}
