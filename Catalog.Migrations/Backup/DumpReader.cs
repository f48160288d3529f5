using System.Text;

namespace Catalog.Migrations.Backup;

/// <summary>
/// Reads an SQL script by pg_dump or pg_restore completely: counts the rows of each table and checks that the script is
/// complete.
/// </summary>
/// <param name="schema">The schema that is left out of table names.</param>
internal sealed class DumpReader(string schema)
{
    // Longer lines are truncated: only rows are longer, and their text does not matter.
    private const int MaxLineLength = 4096;
    private readonly byte[] _line = new byte[MaxLineLength];
    private readonly Dictionary<string, long> _rows = new(StringComparer.Ordinal);
    private string? _table;
    private int _length;
    private bool _complete;

    /// <summary>Row count of each table with a COPY statement; names as in <see cref="Manifest.Rows"/>.</summary>
    public IReadOnlyDictionary<string, long> Rows => _rows;

    /// <summary>True if the script ends with pg_dump's closing comment.</summary>
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
            var part = end < 0 ? bytes : bytes[..end];
            var length = Math.Min(part.Length, MaxLineLength - _length);
            part[..length].CopyTo(_line.AsSpan(_length));
            _length += length;
            if (end < 0)
            {
                return;
            }

            Line(_line.AsSpan(0, _length));
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
            // After the closing comment, newer versions of pg_dump write \unrestrict and one more comment.
            _complete = line.SequenceEqual("-- PostgreSQL database dump complete"u8)
                || (_complete && (line.StartsWith("--"u8) || line.StartsWith("\\unrestrict "u8)));
        }
    }

    // Returns the table's name, which ends at the list of columns. A quoted name can contain any character.
    private string Name(string text)
    {
        var quoted = false;
        var end = 0;
        while (end < text.Length && (quoted || text[end] is not (' ' or '(')))
        {
            quoted ^= text[end++] == '"';
        }

        var name = text[..end];
        // The schema's name is quoted if it is an SQL keyword.

        var prefix = Array.Find([$"{schema}.", $"\"{schema}\"."], prefix => name.StartsWith(prefix, StringComparison.Ordinal));
        return name[(prefix?.Length ?? 0)..];
    }
}
