using System.Buffers.Binary;
using Npgsql;

namespace Catalog.Migrations.Transfer;

/// <summary>Reads the rows of one COPY statement, one at a time.</summary>
internal sealed class PostgresCopyOut : IDisposable
{
    private readonly NpgsqlRawCopyStream _stream;
    private byte[] _bytes = new byte[256 * 1024];
    private int _start;
    private int _end;
    private int _length;
    private bool _complete;

    public PostgresCopyOut(NpgsqlRawCopyStream stream, int header)
    {
        _stream = stream;
        Fill(header);
        _start = header;
    }

    /// <summary>The encoded current row, valid until the next <see cref="Read"/>.</summary>
    public ReadOnlySpan<byte> Row => _bytes.AsSpan(_start, _length);

    /// <returns>False after the last row.</returns>
    public bool Read()
    {
        _start += _length;
        _length = 0;
        Fill(2);
        var fields = BinaryPrimitives.ReadInt16BigEndian(_bytes.AsSpan(_start));
        if (fields < 0)
        {
            _complete = true;
            return false;
        }

        var length = 2;
        for (var field = 0; field < fields; field++)
        {
            Fill(length + 4);
            length += 4 + Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(_bytes.AsSpan(_start + length)));
        }

        Fill(length);
        _length = length;
        return true;
    }

    public void Dispose()
    {
        try
        {
            // A statement that was not read completely must be cancelled.
            if (!_complete || _stream.Read(_bytes, 0, _bytes.Length) > 0)
            {
                _stream.Cancel();
            }
        }
        finally
        {
            _stream.Dispose();
        }
    }

    // Reads until the buffer contains this many bytes from the start of the current row.
    private void Fill(int count)
    {
        if (_end - _start >= count)
        {
            return;
        }

        if (_start + count > _bytes.Length)
        {
            var to = count > _bytes.Length ? new byte[Math.Max(count, (int)Math.Min(2L * _bytes.Length, Array.MaxLength))] : _bytes;
            _bytes.AsSpan(_start, _end - _start).CopyTo(to);
            (_bytes, _end, _start) = (to, _end - _start, 0);
        }

        while (_end - _start < count)
        {
            var read = _stream.Read(_bytes, _end, _bytes.Length - _end);
            _end += read > 0 ? read : throw new EndOfStreamException("The target sent an incomplete row. Run this again.");
        }
    }
}
