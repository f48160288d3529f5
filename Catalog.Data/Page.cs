using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data;

/// <summary>One page of a list, and the position at which the next page begins.</summary>
/// <param name="Items">The items, in the order of the list.</param>
/// <param name="Next">The position of the last item; null when this is the last page.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, Cursor? Next);

/// <summary>The number of rows that a filter selects, counted up to a maximum.</summary>
/// <param name="Value">The number of rows, at most <see cref="Max"/>.</param>
/// <param name="IsMinimum">Whether there are more rows than <see cref="Max"/>.</param>
public readonly record struct RowCount(long Value, bool IsMinimum)
{
    /// <summary>The maximum number of counted rows.</summary>
    public const int Max = 10_000;

    /// <summary>The maximum number of rows that a count reads: one more than <see cref="Max"/>.</summary>
    internal const string Take = "10001";

    internal static RowCount Of(long counted) => new(Math.Min(counted, Max), counted > Max);
}

/// <summary>Creates pages from query results.</summary>
internal static class Page
{
    /// <summary>
    /// Creates a page from the rows of a query that asked for <paramref name="limit"/> + 1 rows: the extra row shows
    /// that another page follows.
    /// </summary>
    public static Page<T> Of<T>(List<T> rows, int limit, Func<T, Cursor> position) =>
        rows.Count <= limit ? new(rows, null) : new(rows[..limit], position(rows[limit - 1]));
}

/// <summary>
/// A position in a list that is ordered by an instant and an id. Clients see it as opaque text. The text contains a
/// checksum over the position and the name of the list, so a cursor of another list and a changed cursor are rejected.
/// </summary>
public readonly record struct Cursor(DateTimeOffset At, string Id)
{
    private const int ChecksumLength = 8;

    /// <summary>The text that clients send back to get the next page.</summary>
    /// <param name="list">The list's name.</param>
    public string ToText(string list)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{At.UtcTicks}:{Id}");
        return Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Checksum(list, text) + text));
    }

    /// <summary>Reads the text that <see cref="ToText"/> wrote for the same list.</summary>
    public static bool TryParse(string list, string text, out Cursor cursor)
    {
        cursor = default;
        if (text.Length > 4096 || !Base64Url.IsValid(text))
        {
            return false;
        }

        var plain = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text));
        if (plain.Length <= ChecksumLength || plain[..ChecksumLength] != Checksum(list, plain[ChecksumLength..]))
        {
            return false;
        }

        // The checksum is not a signature: a client can compute one, so the content is validated too.
        var parts = plain[ChecksumLength..].Split(':', 2);
        if (parts.Length != 2 || parts[1].Contains('\0', StringComparison.Ordinal)
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
                || ticks > DateTimeOffset.MaxValue.UtcTicks)
        {
            return false;
        }

        cursor = new(new DateTimeOffset(ticks, TimeSpan.Zero), parts[1]);
        return true;
    }

    /// <summary>
    /// Joins two parts that clients chose into one id, which begins with the length of the first part.
    /// </summary>
    internal static string Pair(string first, string second) =>
        string.Create(CultureInfo.InvariantCulture, $"{first.Length}:{first}{second}");

    /// <summary>
    /// The parts of an id that <see cref="Pair"/> joined. A text that it did not join is returned as the first part.
    /// </summary>
    internal static (string First, string Second) SplitPair(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && int.TryParse(text[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            && length <= text.Length - colon - 1
            ? (text.Substring(colon + 1, length), text[(colon + 1 + length)..])
            : (text, "");
    }

    private static string Checksum(string list, string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{list}\0{text}")).AsSpan(0, ChecksumLength / 2));
}
