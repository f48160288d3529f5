using System.Buffers.Text;
using System.Globalization;
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

/// <summary>A position in a list that is ordered by an instant and an id. Clients see it as opaque text.</summary>
public readonly record struct Cursor(DateTimeOffset At, string Id)
{
    /// <summary>The text that clients send back.</summary>
    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{At.UtcTicks}:{Id}")));

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string text, out Cursor cursor)
    {
        cursor = default;
        if (text.Length > 2048 || !Base64Url.IsValid(text))
        {
            return false;
        }

        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split(':', 2);
        if (parts.Length != 2 || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            || ticks > DateTimeOffset.MaxValue.UtcTicks || parts[1].Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        cursor = new(new DateTimeOffset(ticks, TimeSpan.Zero), parts[1]);
        return true;
    }
}
