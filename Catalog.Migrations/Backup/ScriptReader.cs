using System.Text;

namespace Catalog.Migrations.Backup;

/// <summary>Reads what pg_dump or pg_restore writes as SQL, to its end: whether the end is there, and how many rows of each table.</summary>
/// <param name="schema">The one whose tables are named without it.</param>
internal sealed class ScriptReader(string schema)
{
    // Longer than any line that matters but rows, whose text does not.
    private const int HeadLength = 4096;
    private readonly byte[] _head = new byte[HeadLength];
    private readonly Dictionary<string, long> _rows = new(StringComparer.Ordinal);
    private string? _table;
    private int _length;
    private bool _complete;

    /// <summary>The rows of each table that had a COPY; names as in <see cref="Manifest.Rows"/>.</summary>
    public IReadOnlyDictionary<string, long> Rows => _rows;

    /// <summary>Whether the script ended as pg_dump ends one.</summary>
    public bool Complete => _complete && _table is null;

    public async Task Read(Stream script, CancellationToken ct)
    {
        var buffer = new byte[1 << 17];
        int read;
        while ((read = await script.ReadAsync(buffer, ct)) > 0)
        {
            Take(buffer.AsSpan(0, read));
        }
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var end = bytes.IndexOf((byte)'\n');
            var piece = end < 0 ? bytes : bytes[..end];
            var kept = Math.Min(piece.Length, HeadLength - _length);
            piece[..kept].CopyTo(_head.AsSpan(_length));
            _length += kept;
            if (end < 0)
            {
                return;
            }

            Line(_head.AsSpan(0, _length));
            _length = 0;
            bytes = bytes[(end + 1)..];
        }
    }

    private void Line(ReadOnlySpan<byte> line)
    {
        if (_table is not null)
        {
            if (line.SequenceEqual("\\."u8))
            {
                _table = null;
            }
            else
            {
                _rows[_table]++;
            }
        }
        else if (line.StartsWith("COPY "u8) && line.EndsWith(" FROM stdin;"u8))
        {
            _table = Name(Encoding.UTF8.GetString(line[5..]));
            _rows[_table] = 0;
            _complete = false;
        }
        else if (!line.IsEmpty)
        {
            // Newer programs write \unrestrict and their closing comment after it.
            _complete = line.SequenceEqual("-- PostgreSQL database dump complete"u8)
                || (_complete && (line.StartsWith("--"u8) || line.StartsWith("\\unrestrict "u8)));
        }
    }

    // Up to the list of columns; quotes may hold anything.
    private string Name(string text)
    {
        var quoted = false;
        var end = 0;
        while (end < text.Length && (quoted || text[end] is not (' ' or '(')))
        {
            quoted ^= text[end++] == '"';
        }

        var name = text[..end];
        // Quoted where it is one of SQL's words.
        var prefix = Array.Find([$"{schema}.", $"\"{schema}\"."], prefix => name.StartsWith(prefix, StringComparison.Ordinal));
        return name[(prefix?.Length ?? 0)..];
    }
}
