using System.Buffers.Binary;

namespace Catalog.Migrations.Transfer;

/// <summary>Watches that keys come in the order in which the target itself sorts them, each once: loading, resuming and comparing rest on it.</summary>
internal sealed class KeyOrder(TransferTable table)
{
    private byte[] _before = [];
    private readonly int[] _lengths = new int[table.Key.Count];
    private bool _begun;

    /// <returns>False when the row's key does not come after the one before it.</returns>
    public bool Follows(RowEncoder row)
    {
        var order = 0;
        var at = 0;
        for (var i = 0; _begun && order == 0 && i < _lengths.Length; i++)
        {
            order = Compare(table.Columns[table.Key[i]].Kind, row.Field(table.Key[i])[4..], _before.AsSpan(at, _lengths[i]));
            at += _lengths[i];
        }

        if (_begun && order <= 0)
        {
            return false;
        }

        at = 0;
        for (var i = 0; i < _lengths.Length; i++)
        {
            var field = row.Field(table.Key[i])[4..];
            if (_before.Length < at + field.Length)
            {
                Array.Resize(ref _before, (at + field.Length) * 2);
            }

            field.CopyTo(_before.AsSpan(at));
            _lengths[i] = field.Length;
            at += field.Length;
        }

        return _begun = true;
    }

    private static int Compare(ColumnKind kind, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => kind switch
    {
        ColumnKind.Int16 => BinaryPrimitives.ReadInt16BigEndian(left).CompareTo(BinaryPrimitives.ReadInt16BigEndian(right)),
        ColumnKind.Int32 => BinaryPrimitives.ReadInt32BigEndian(left).CompareTo(BinaryPrimitives.ReadInt32BigEndian(right)),
        ColumnKind.Int64 or ColumnKind.Instant => BinaryPrimitives.ReadInt64BigEndian(left).CompareTo(BinaryPrimitives.ReadInt64BigEndian(right)),
        ColumnKind.Double => BinaryPrimitives.ReadDoubleBigEndian(left).CompareTo(BinaryPrimitives.ReadDoubleBigEndian(right)),
        _ => left.SequenceCompareTo(right),
    };
}
