using System.Buffers.Binary;

namespace Catalog.Migrations.Transfer;

/// <summary>
/// Rows in the binary format of Postgres' COPY. A row is the number of its fields and then, for each field, its length
/// (-1 for null) and its bytes. The same bytes are loaded, read back and hashed, so rows are equal if their bytes are
/// equal.
/// </summary>
internal sealed class CopyBuffer
{
    private byte[] _bytes = new byte[64 * 1024];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>Discards everything after the first <paramref name="length"/> bytes.</summary>
    public void Truncate(int length) => Length = length;

    public Span<byte> Reserve(int count)
    {
        if (_bytes.Length - Length < count)
        {
            Array.Resize(ref _bytes, (int)Math.Clamp(Math.Max(2L * _bytes.Length, (long)Length + count), 0, Array.MaxLength));
        }

        Length += count;
        return _bytes.AsSpan(Length - count, count);
    }

    public void Int16(short value) => BinaryPrimitives.WriteInt16BigEndian(Reserve(2), value);

    public void Int32(int value) => BinaryPrimitives.WriteInt32BigEndian(Reserve(4), value);

    public void Null() => Int32(-1);

    public void Field(long value)
    {
        Int32(8);
        BinaryPrimitives.WriteInt64BigEndian(Reserve(8), value);
    }

    public void Field(ReadOnlySpan<byte> value)
    {
        var to = Reserve(4 + value.Length);
        BinaryPrimitives.WriteInt32BigEndian(to, value.Length);
        value.CopyTo(to[4..]);
    }
}
