using System.Buffers.Binary;

namespace Catalog.Migrations.Transfer;

/// <summary>
/// Checks that the keys of a table are unique and in the order of the target. Loading, resuming and comparing depend on
/// this order.
/// </summary>
internal sealed class KeyOrder(TransferTable table)
{
    private byte[] _previous = [];
    private readonly int[] _lengths = new int[table.Key.Count];
    private bool _hasPrevious;

    /// <returns>False if the row's key is not greater than that of the previous row.</returns>
    public bool Follows(RowEncoder row)
    {
        var order = 0;
        var offset = 0;
        for (var i = 0; _hasPrevious && order == 0 && i < _lengths.Length; i++)
        {
            order = Compare(table.Columns[table.Key[i]].Kind, row.Field(table.Key[i])[4..], _previous.AsSpan(offset, _lengths[i]));
            offset += _lengths[i];
        }

        if (_hasPrevious && order <= 0)
        {
            return false;
        }

        offset = 0;
        for (var i = 0; i < _lengths.Length; i++)
        {
            var field = row.Field(table.Key[i])[4..];
            if (_previous.Length < offset + field.Length)
            {
                Array.Resize(ref _previous, (offset + field.Length) * 2);
            }

            field.CopyTo(_previous.AsSpan(offset));
            _lengths[i] = field.Length;
            offset += field.Length;
        }

        return _hasPrevious = true;
    }

    private static int Compare(ColumnKind kind, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => kind switch
    {
        ColumnKind.Int16 => BinaryPrimitives.ReadInt16BigEndian(left).CompareTo(BinaryPrimitives.ReadInt16BigEndian(right)),
        ColumnKind.Int32 => BinaryPrimitives.ReadInt32BigEndian(left).CompareTo(BinaryPrimitives.ReadInt32BigEndian(right)),
        ColumnKind.Int64 or ColumnKind.Instant =>
            BinaryPrimitives.ReadInt64BigEndian(left).CompareTo(BinaryPrimitives.ReadInt64BigEndian(right)),
        ColumnKind.Double => BinaryPrimitives.ReadDoubleBigEndian(left).CompareTo(BinaryPrimitives.ReadDoubleBigEndian(right)),
        _ => left.SequenceCompareTo(right),
    };
}
