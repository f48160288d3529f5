using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Catalog.Migrations.Transfer;

/// <summary>Turns rows of a SQLite table into rows of Postgres, one after another into one buffer.</summary>
internal sealed class RowEncoder(TransferTable table)
{
    // Where each field of the last row begins, and behind the last one where it ends.
    private readonly int[] _fields = new int[table.Columns.Count + 1];

    /// <summary>The rows so far.</summary>
    public CopyBuffer Rows { get; } = new();

    /// <summary>Appends the current row; when a value stands against it, nothing.</summary>
    /// <param name="row">Stands at a row.</param>
    /// <param name="refused">Told of each column and reason that stand against it.</param>
    /// <returns>Whether the row was appended.</returns>
    public bool Append(SqliteRows row, Action<int, string>? refused = null)
    {
        var start = Rows.Length;
        var whole = true;
        Rows.Int16((short)table.Columns.Count);
        for (var i = 0; i < table.Columns.Count; i++)
        {
            _fields[i] = Rows.Length;
            if (ValueEncoder.Encode(row.Value(i), table.Columns[i], Rows) is { } reason)
            {
                whole = false;
                refused?.Invoke(i, reason);
            }
        }

        _fields[^1] = Rows.Length;
        if (!whole)
        {
            Rows.Truncate(start);
        }

        return whole;
    }

    /// <summary>The last row that was appended.</summary>
    public ReadOnlySpan<byte> Last => Rows.Written[(_fields[0] - 2)..];

    /// <summary>A field of the last row, its length before it.</summary>
    public ReadOnlySpan<byte> Field(int column) => Rows.Written[_fields[column].._fields[column + 1]];

    /// <summary>The key of an encoded row as text.</summary>
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

    /// <summary>The key of a row that may not be one, as text.</summary>
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

    // Whatever a key holds, it takes one line and cannot steer a terminal.
    private static string Shorten(string text)
    {
        var cut = text.Length > 40 ? text[..(char.IsHighSurrogate(text[38]) ? 38 : 39)] + '…' : text;
        return cut.Any(char.IsControl) ? string.Concat(cut.Select(character => char.IsControl(character) ? $"\\u{(int)character:x4}" : character.ToString())) : cut;
    }
}
