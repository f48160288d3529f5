using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Catalog.Migrations.Transfer;

/// <summary>Converts a SQLite value to a Postgres field, exactly or not at all.</summary>
internal static class ValueEncoder
{
    /// <summary>Appends a value as a field.</summary>
    /// <returns>Null on success. Otherwise the reason why Postgres would reject or change the value; the buffer's new
    /// content is then invalid.</returns>
    public static string? Encode(StoredValue value, TransferColumn column, CopyBuffer to)
    {
        if (value.Class == StorageClass.Null)
        {
            to.Null();
            return column.Nullable ? null : "is null, but the target's column is not nullable";
        }

        return column.Kind switch
        {
            ColumnKind.Text => Text(value, column, to),
            ColumnKind.Instant => Instant(value, column, to),
            ColumnKind.Uuid => Uuid(value, column, to),
            ColumnKind.Double => Double(value, to),
            ColumnKind.Bytes => Bytes(value, to),
            ColumnKind.Boolean => Whole(value, 0, 1, 1, "is neither 0 nor 1", to),
            ColumnKind.Int16 => Whole(value, short.MinValue, short.MaxValue, 2, "is out of range for smallint", to),
            ColumnKind.Int32 => Whole(value, int.MinValue, int.MaxValue, 4, "is out of range for integer", to),
            _ => Whole(value, long.MinValue, long.MaxValue, 8, "is out of range for bigint", to),
        };
    }

    private static string? Text(StoredValue value, TransferColumn column, CopyBuffer to)
    {
        switch (value.Class)
        {
            // A column without a declared type can contain an integer. The service reads it as this text. Distinct
            // integers have distinct texts.
            case StorageClass.Integer when !column.InKey:
                to.Field(Encoding.ASCII.GetBytes(value.Integer.ToString(CultureInfo.InvariantCulture)));
                return null;
            case not StorageClass.Text:
                return $"is {Describe(value.Class)} instead of text";
        }

        if (value.Bytes.Contains((byte)0))
        {
            return "contains a NUL character, which text in Postgres cannot contain";
        }

        if (!Utf8.IsValid(value.Bytes))
        {
            return "is not valid UTF-8: it contains a lone surrogate or bytes of another encoding";
        }

        if (column.MaxLength is { } max && value.Bytes.Length > max && Encoding.UTF8.GetString(value.Bytes).EnumerateRunes().Count() > max)
        {
            return $"is longer than {max} characters";
        }

        to.Field(value.Bytes);
        return null;
    }

    private static string? Instant(StoredValue value, TransferColumn column, CopyBuffer to)
    {
        if (value.Class != StorageClass.Text)
        {
            return $"is {Describe(value.Class)} instead of a timestamp";
        }

        if (!InstantText.TryCanonical(value.Bytes, out var microseconds))
        {
            if (InstantText.Read(value.Bytes, out microseconds) is { } reason)
            {
                return reason;
            }

            // A text in another format does not sort like its timestamp. Also, two texts of one timestamp would be
            // equal keys.
            if (column.InKey)
            {
                return "is a timestamp in a key in another format than the service writes: change it to yyyy-MM-ddTHH:mm:ss.ffffffZ";
            }
        }

        to.Field(microseconds);
        return null;
    }

    private static string? Uuid(StoredValue value, TransferColumn column, CopyBuffer to)
    {
        if (value.Class != StorageClass.Text || value.Bytes.Length != 36
            || !Utf8Parser.TryParse(value.Bytes, out Guid id, out var read, 'D') || read != 36)
        {
            return value.Class == StorageClass.Text ? "is not a UUID" : $"is {Describe(value.Class)} instead of a UUID";
        }

        if (column.InKey && value.Bytes.ContainsAnyInRange((byte)'a', (byte)'f'))
        {
            return "is a UUID in lower-case letters in a key, which the service does not find: change it to upper case";
        }

        to.Int32(16);
        id.TryWriteBytes(to.Reserve(16), bigEndian: true, out _);
        return null;
    }

    private static string? Double(StoredValue value, CopyBuffer to)
    {
        var number = value.Real;
        switch (value.Class)
        {
            case StorageClass.Integer:
                number = value.Integer;
                if (number >= 9223372036854775808.0 || (long)number != value.Integer)
                {
                    return "is an integer that double precision would round";
                }

                break;
            case not StorageClass.Real:
                return $"is {Describe(value.Class)} instead of a number";
        }

        if (!double.IsFinite(number))
        {
            return "is not finite, so JSON cannot represent it";
        }

        to.Field(BitConverter.DoubleToInt64Bits(number));
        return null;
    }

    private static string? Bytes(StoredValue value, CopyBuffer to)
    {
        if (value.Class != StorageClass.Blob)
        {
            return $"is {Describe(value.Class)} instead of bytes";
        }

        to.Field(value.Bytes);
        return null;
    }

    private static string? Whole(StoredValue value, long min, long max, int width, string outOfRange, CopyBuffer to)
    {
        if (value.Class != StorageClass.Integer)
        {
            return value.Class == StorageClass.Real && Math.Abs(value.Real) >= 9223372036854775808.0
                ? outOfRange : $"is {Describe(value.Class)} instead of {(width == 1 ? "0 or 1" : "an integer")}";
        }

        if (value.Integer < min || value.Integer > max)
        {
            return outOfRange;
        }

        to.Int32(width);
        var bytes = to.Reserve(width);
        for (var (i, rest) = (width - 1, value.Integer); i >= 0; i--, rest >>= 8)
        {
            bytes[i] = (byte)rest;
        }

        return null;
    }

    private static string Describe(StorageClass storage) => storage switch
    {
        StorageClass.Integer => "an integer",
        StorageClass.Real => "a real number",
        StorageClass.Text => "text",
        _ => "a blob",
    };
}
