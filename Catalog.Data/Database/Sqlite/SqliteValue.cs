using System.Globalization;

namespace Catalog.Data.Database.Sqlite;

/// <summary>How SQLite keeps the types that it does not have.</summary>
internal static class SqliteValue
{
    // Six digits always: text of one width sorts as time does.
    private const string Instant = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>The value as SQLite keeps it; null as <see cref="DBNull"/>.</summary>
    public static object From(object? value) => value switch
    {
        null => DBNull.Value,
        DateTimeOffset instant => instant.UtcDateTime.ToString(Instant, CultureInfo.InvariantCulture),
        // In upper case, as the driver itself writes it where a list of them is expanded.
        Guid id => id.ToString("D").ToUpperInvariant(),
        bool flag => flag ? 1L : 0L,
        _ => value,
    };

    /// <summary>Reads ours, and what the driver writes for the journal's zoneless column.</summary>
    public static DateTimeOffset ToInstant(string text) =>
        DateTimeOffset.TryParseExact(text, Instant, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant
            : DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
