using System.Collections;
using System.Data.Common;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Catalog.Data.Warehouses;

/// <summary>Reads the values of one result, within the limits of size.</summary>
/// <param name="connection">The connection of the result.</param>
/// <param name="limits">The limits.</param>
internal sealed class WarehouseValues(WarehouseConnection connection, WarehouseLimits limits)
{
    // The number of bytes that each value counts in addition to its text, so that many small values are limited too.
    private const int SmallSize = 8;
    private long _bytes;

    /// <summary>Reads the current row, column by column.</summary>
    /// <exception cref="WarehouseException">A value or the result is too large.</exception>
    public object?[] ReadRow(DbDataReader reader, int columns)
    {
        var row = new object?[columns];
        for (var i = 0; i < columns; i++)
        {
            row[i] = Read(reader, i);
            _bytes += SmallSize + (row[i] is string text ? Encoding.UTF8.GetByteCount(text) : 0);
            if (_bytes > limits.MaxBytes)
            {
                throw WarehouseMessages.TooMuchData($"The result is larger than {limits.MaxBytes} bytes. Select fewer rows or columns.");
            }
        }

        return row;
    }

    private object? Read(DbDataReader reader, int column)
    {
        if (reader.IsDBNull(column))
        {
            return null;
        }

        // This check comes before the value is read, because the value can be larger than the memory.
        Check(connection.SizeOf(reader, column) ?? 0);
        var value = Normalize(connection.ReadValue(reader, column));
        Check(value is string text ? Encoding.UTF8.GetByteCount(text) : 0);
        return value;
    }

    private void Check(long size)
    {
        if (size > limits.MaxValueBytes)
        {
            throw WarehouseMessages.TooMuchData(
                $"A value of the result is larger than {limits.MaxValueBytes} bytes. Select a part of it, or its length.");
        }
    }

    /// <summary>Converts a value to one of the types that <see cref="WarehouseRows.Rows"/> lists.</summary>
    internal static object? Normalize(object? value) => value switch
    {
        null or DBNull => null,
        bool or long or decimal or double or string or DateTimeOffset => value,
        sbyte or byte or short or ushort or int or uint => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        ulong number => number <= long.MaxValue ? (long)number : (decimal)number,
        float number => (double)number,
        BigInteger number => Normalize(number),
        // A time without a time zone is read as UTC.
        DateTime { Kind: DateTimeKind.Local } time => new DateTimeOffset(time.ToUniversalTime()),
        DateTime time => new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)),
        DateOnly date => new DateTimeOffset(date.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc)),
        byte[] bytes => Convert.ToHexStringLower(bytes),
        Stream stream => Hex(stream),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        IDictionary pairs => $"{{{string.Join(", ", pairs.Keys.Cast<object?>().Select(key => $"{Normalize(key)}: {Text(pairs[key!])}"))}}}",
        IEnumerable items => $"[{string.Join(", ", items.Cast<object?>().Select(Text))}]",
        _ => value.ToString(),
    };

    /// <summary>
    /// The number in a text as decimal, which has up to 28 digits and rounds further digits after the point. A number
    /// beyond the range of decimal is a double.
    /// </summary>
    /// <exception cref="FormatException">The text is not a number.</exception>
    internal static object Number(string text) => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        ? number : double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static string Text(object? item) => Normalize(item) switch
    {
        null => "null",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        var other => other.ToString() ?? "",
    };

    private static object Normalize(BigInteger number) => number >= long.MinValue && number <= long.MaxValue ? (long)number
        : number >= (BigInteger)decimal.MinValue && number <= (BigInteger)decimal.MaxValue ? (decimal)number
        : (double)number;

    private static string Hex(Stream stream)
    {
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        stream.Dispose();
        return Convert.ToHexStringLower(memory.ToArray());
    }
}
