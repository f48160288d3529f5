using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Catalog.Migrations.Transfer;

/// <summary>Encodes rows of a SQLite table as Postgres rows in one buffer.</summary>
internal sealed class RowEncoder(TransferTable table)
{
    // The start of each field of the last row; the last element is the end of the row.
    private readonly int[] _fields = new int[table.Columns.Count + 1];

    /// <summary>The encoded rows.</summary>
    public CopyBuffer Rows { get; } = new();

    /// <summary>Appends the current row, unless a value cannot be converted.</summary>
    /// <param name="row">The source, positioned at a row.</param>
    /// <param name="rejected">Called with the column and the reason for each value that cannot be converted; null for no calls.</param>
    /// <returns>True if the row was appended.</returns>
    public bool Append(SqliteRows row, Action<int, string>? rejected = null)
    {
        var start = Rows.Length;
        var complete = true;
        Rows.Int16((short)table.Columns.Count);
        for (var i = 0; i < table.Columns.Count; i++)
        {
            _fields[i] = Rows.Length;
            if (ValueEncoder.Encode(row.Value(i), table.Columns[i], Rows) is { } reason)
            {
                complete = false;
                rejected?.Invoke(i, reason);
            }
        }

        _fields[^1] = Rows.Length;
        if (!complete)
        {
            Rows.Truncate(start);
        }

        return complete;
    }

    /// <summary>The last appended row.</summary>
    public ReadOnlySpan<byte> Last => Rows.Written[(_fields[0] - 2)..];

    /// <summary>Returns a field of the last row, including its length prefix.</summary>
    public ReadOnlySpan<byte> Field(int column) => Rows.Written[_fields[column].._fields[column + 1]];

    /// <summary>Formats the key of an encoded row.</summary>
    public static string KeyText(TransferTable table, ReadOnlySpan<byte> row)
    {
        var texts = new string[table.Columns.Count];
        var at = 2;
        for (var i = 0; i < texts.Length; i++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(row[at..]);
            texts[i] = length < 0 ? "null" : Text(table.Columns[i].Kind, row.Slice(at + 4, length));
            at += 4 + Math.Max(0, length);
        }

        return string.Join(" / ", table.Key.Select(place => Shorten(texts[place])));
    }

    /// <summary>Formats the key of a source row, which may contain invalid values.</summary>
    public static string KeyText(TransferTable table, SqliteRows row) => string.Join(" / ", table.Key.Select(place =>
    {
        var value = row.Value(place);
        return Shorten(value.Class switch
        {
            StorageClass.Integer => value.Integer.ToString(CultureInfo.InvariantCulture),
            StorageClass.Real => value.Real.ToString("R", CultureInfo.InvariantCulture),
            StorageClass.Text => Encoding.UTF8.GetString(value.Bytes),
            StorageClass.Null => "null",
            _ => Convert.ToHexStringLower(value.Bytes),
        });
    }));

    private static string Text(ColumnKind kind, ReadOnlySpan<byte> field) => kind switch
    {
        ColumnKind.Text => Encoding.UTF8.GetString(field),
        ColumnKind.Instant => InstantText.Write(BinaryPrimitives.ReadInt64BigEndian(field)),
        ColumnKind.Uuid => new Guid(field, bigEndian: true).ToString("D").ToUpperInvariant(),
        ColumnKind.Int64 => BinaryPrimitives.ReadInt64BigEndian(field).ToString(CultureInfo.InvariantCulture),
        ColumnKind.Int32 => BinaryPrimitives.ReadInt32BigEndian(field).ToString(CultureInfo.InvariantCulture),
        _ => Convert.ToHexStringLower(field),
    };

    // Shortens the text and escapes control characters, which could change lines or control the terminal.
    private static string Shorten(string text)
    {
        var cut = text.Length > 40 ? text[..(char.IsHighSurrogate(text[38]) ? 38 : 39)] + '…' : text;
        return cut.Any(char.IsControl)
            ? string.Concat(cut.Select(character => char.IsControl(character) ? $"\\u{(int)character:x4}" : character.ToString())) : cut;
    }
}
