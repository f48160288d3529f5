using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Catalog.Data.Warehouses;

/// <summary>Reads a <c>numeric</c> of the Postgres protocol, which has up to 131,072 digits before the point.</summary>
internal static class PostgresNumeric
{
    private const int Header = 8;
    private const ushort Negative = 0x4000;

    /// <summary>
    /// The value as decimal, rounded when it has more digits than a decimal; as double when it is outside the range of a
    /// decimal.
    /// </summary>
    /// <param name="bytes">
    /// The value as the server sends it: sign, scale, groups of four digits, and the position of the point.
    /// </param>
    /// <exception cref="FormatException">The bytes are not a numeric value.</exception>
    public static object Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Header || bytes.Length != Header + (2 * BinaryPrimitives.ReadInt16BigEndian(bytes)))
        {
            throw new FormatException("The bytes are not a numeric value.");
        }

        var weight = BinaryPrimitives.ReadInt16BigEndian(bytes[2..]);
        switch (BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]))
        {
            case 0xC000:
                return double.NaN;
            case 0xD000:
                return double.PositiveInfinity;
            case 0xF000:
                return double.NegativeInfinity;
            case var sign:
                var number = WarehouseValues.Number(Digits(bytes[Header..], weight, sign == Negative));
                return number is decimal exact ? WithPlaces(exact, BinaryPrimitives.ReadInt16BigEndian(bytes[6..])) : number;
        }
    }

    // Gives the number the decimal places that the server shows, for example 1.50 for numeric(10, 2).
    private static decimal WithPlaces(decimal number, int places) =>
        places is >= 0 and <= 28 ? decimal.Round(number, places) + new decimal(0, 0, 0, false, (byte)places) : number;

    // The first group has the weight 10000^weight.
    private static string Digits(ReadOnlySpan<byte> groups, int weight, bool isNegative)
    {
        var text = new StringBuilder(isNegative ? "-0" : "0");
        for (var i = 0; i < groups.Length; i += 2)
        {
            text.Append(CultureInfo.InvariantCulture, $"{BinaryPrimitives.ReadInt16BigEndian(groups[i..]):0000}");
        }

        return text.Append(CultureInfo.InvariantCulture, $"e{4 * (weight + 1 - (groups.Length / 2))}").ToString();
    }
}
