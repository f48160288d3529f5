using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data;

/// <summary>One page of a list, and where the next one begins.</summary>
/// <param name="Items">In the list's order.</param>
/// <param name="Next">The position of the last item, or null when nothing follows.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, Cursor? Next);

/// <summary>Makes pages.</summary>
internal static class Page
{
    /// <summary>Makes a page of what a query for one row more than <paramref name="limit"/> returned.</summary>
    public static Page<T> Of<T>(List<T> rows, int limit, Func<T, Cursor> position) =>
        rows.Count <= limit ? new(rows, null) : new(rows[..limit], position(rows[limit - 1]));
}

/// <summary>
/// A position in a list that is ordered by an instant and an id. Clients see it as opaque text, which names its list and carries a
/// check sum: a cursor of another list, or one that was changed, is told from a real one and refused.
/// </summary>
public readonly record struct Cursor(DateTimeOffset At, string Id)
{
    private const int Sum = 8;

    /// <summary>The text that clients send back.</summary>
    /// <param name="list">The list's name.</param>
    public string ToText(string list)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{At.UtcTicks}:{Id}");
        return Base64Url.EncodeToString(Encoding.UTF8.GetBytes(SumOf(list, text) + text));
    }

    /// <summary>Reads what <see cref="ToText"/> wrote for the same list.</summary>
    public static bool TryParse(string list, string text, out Cursor cursor)
    {
        cursor = default;
        if (text.Length > 4096 || !Base64Url.IsValid(text))
        {
            return false;
        }

        var plain = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text));
        if (plain.Length <= Sum || plain[..Sum] != SumOf(list, plain[Sum..]))
        {
            return false;
        }

        // The sum is no signature: who knows how it is made can make one, and must still meet a refusal.
        var parts = plain[Sum..].Split(':', 2);
        if (parts.Length != 2 || parts[1].Contains('\0', StringComparison.Ordinal)
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) || ticks > DateTimeOffset.MaxValue.UtcTicks)
        {
            return false;
        }

        cursor = new(new DateTimeOffset(ticks, TimeSpan.Zero), parts[1]);
        return true;
    }

    private static string SumOf(string list, string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{list}\0{text}")).AsSpan(0, Sum / 2));
}
