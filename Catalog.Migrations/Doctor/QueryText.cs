using System.Text.RegularExpressions;

namespace Catalog.Migrations.Doctor;

/// <summary>A statement's text as it may be shown.</summary>
public static partial class QueryText
{
    /// <summary>The beginning on one line; what follows the word password, and addresses, are left out.</summary>
    /// <param name="query">As the server has it; null when it has none.</param>
    /// <param name="most">The most characters.</param>
    public static string Beginning(string? query, int most = 300)
    {
        var line = Space().Replace(query ?? "", " ").Trim();
        line = Address().Replace(Password().Replace(line, "$1 …"), "$1://…");
        return line.Length <= most ? line : $"{line[..(most - 1)].TrimEnd()}…";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex(@"(?i)\b(password|passwd|pwd|secret)\b.*")]
    private static partial Regex Password();

    [GeneratedRegex(@"\b([A-Za-z][A-Za-z0-9+.-]*)://[^\s'""]*")]
    private static partial Regex Address();
}
