using System.Globalization;

namespace Catalog.Data.Database.Sqlite;

/// <summary>Converts types that SQLite does not have.</summary>
internal static class SqliteValue
{
    // Always six fraction digits, so that the text sorts by time.
    private const string Instant = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>The value as SQLite stores it; null becomes <see cref="DBNull"/>.</summary>
    public static object From(object? value) => value switch
    {
        null => DBNull.Value,
        DateTimeOffset instant => instant.UtcDateTime.ToString(Instant, CultureInfo.InvariantCulture),
        // Dapper replaces a list parameter by one parameter for each value, and the driver writes their ids in upper case.
        // Stored ids must be equal to them, so they are in upper case too.
        Guid id => id.ToString("D").ToUpperInvariant(),
        bool flag => flag ? 1L : 0L,
        _ => value,
    };

    /// <summary>
    /// Reads our time format, and the format without a time zone that the driver writes into the migration journal.
    /// </summary>
    public static DateTimeOffset ToInstant(string text) =>
        DateTimeOffset.TryParseExact(text, Instant, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant
            : DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
