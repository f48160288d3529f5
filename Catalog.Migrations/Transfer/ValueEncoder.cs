using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Catalog.Migrations.Transfer;

/// <summary>Turns one value of a SQLite file into one field of Postgres, exactly or not at all.</summary>
internal static class ValueEncoder
{
    /// <summary>Appends the field.</summary>
    /// <returns>Null, or why Postgres would refuse or change the value; then nothing of use was appended.</returns>
    public static string? Encode(StoredValue value, TransferColumn column, CopyBuffer to)
    {
        if (value.Class == StorageClass.Null)
        {
            to.Null();
            return column.Nullable ? null : "is empty, and the target's column may not be";
        }

        return column.Kind switch
        {
            ColumnKind.Text => Text(value, column, to),
            ColumnKind.Instant => Instant(value, column, to),
            ColumnKind.Uuid => Uuid(value, column, to),
            ColumnKind.Double => Double(value, to),
            ColumnKind.Bytes => Bytes(value, to),
            ColumnKind.Boolean => Whole(value, 0, 1, 1, "is neither 0 nor 1", to),
            ColumnKind.Int16 => Whole(value, short.MinValue, short.MaxValue, 2, "is beyond smallint", to),
            ColumnKind.Int32 => Whole(value, int.MinValue, int.MaxValue, 4, "is beyond integer", to),
            _ => Whole(value, long.MinValue, long.MaxValue, 8, "is beyond bigint", to),
        };
    }

    private static string? Text(StoredValue value, TransferColumn column, CopyBuffer to)
    {
        switch (value.Class)
        {
            // In a column declared without a type; the service reads it as this text, and no other number does.
            case StorageClass.Integer when !column.InKey:
                to.Field(Encoding.ASCII.GetBytes(value.Integer.ToString(CultureInfo.InvariantCulture)));
                return null;
            case not StorageClass.Text:
                return $"is {Words(value.Class)} where text belongs";
        }

        if (value.Bytes.Contains((byte)0))
        {
            return "holds a NUL character, which Postgres' text cannot";
        }

        if (!Utf8.IsValid(value.Bytes))
        {
            return "is no UTF-8: it holds a lone surrogate or bytes of another encoding";
        }

        if (column.MaxLength is { } most && value.Bytes.Length > most && Encoding.UTF8.GetString(value.Bytes).EnumerateRunes().Count() > most)
        {
            return $"is longer than {most} characters";
        }

        to.Field(value.Bytes);
        return null;
    }

    private static string? Instant(StoredValue value, TransferColumn column, CopyBuffer to)
    {
        if (value.Class != StorageClass.Text)
        {
            return $"is {Words(value.Class)} where an instant belongs";
        }

        if (!InstantText.TryCanonical(value.Bytes, out var microseconds))
        {
            if (InstantText.Read(value.Bytes, out microseconds) is { } reason)
            {
                return reason;
            }

            // Another spelling sorts elsewhere than its instant, and two spellings are one key.
            if (column.InKey)
            {
                return "is an instant in another form than the service writes, in a key: rewrite it as yyyy-MM-ddTHH:mm:ss.ffffffZ";
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
            return value.Class == StorageClass.Text ? "is no UUID" : $"is {Words(value.Class)} where a UUID belongs";
        }

        if (column.InKey && value.Bytes.ContainsAnyInRange((byte)'a', (byte)'f'))
        {
            return "is a UUID in small letters, in a key: the service would not find it, and it sorts elsewhere";
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
                return $"is {Words(value.Class)} where a number belongs";
        }

        if (!double.IsFinite(number))
        {
            return "is not finite: no answer in JSON could show it";
        }

        to.Field(BitConverter.DoubleToInt64Bits(number));
        return null;
    }

    private static string? Bytes(StoredValue value, CopyBuffer to)
    {
        if (value.Class != StorageClass.Blob)
        {
            return $"is {Words(value.Class)} where bytes belong";
        }

        to.Field(value.Bytes);
        return null;
    }

    private static string? Whole(StoredValue value, long least, long most, int width, string beyond, CopyBuffer to)
    {
        if (value.Class != StorageClass.Integer)
        {
            return value.Class == StorageClass.Real && Math.Abs(value.Real) >= 9223372036854775808.0 ? beyond : $"is {Words(value.Class)} where {(width == 1 ? "0 or 1" : "an integer")} belongs";
        }

        if (value.Integer < least || value.Integer > most)
        {
            return beyond;
        }

        to.Int32(width);
        var bytes = to.Reserve(width);
        for (var (i, rest) = (width - 1, value.Integer); i >= 0; i--, rest >>= 8)
        {
            bytes[i] = (byte)rest;
        }

        return null;
    }

    private static string Words(StorageClass storage) => storage switch
    {
        StorageClass.Integer => "an integer",
        StorageClass.Real => "a real number",
        StorageClass.Text => "text",
        _ => "a blob",
    };
}
