using System.Buffers.Binary;
using System.IO.Compression;

namespace Catalog.Migrations.Backup;

/// <summary>Reads and writes files that are optionally gzip-compressed.</summary>
internal static class Gzip
{
    /// <param name="path">The file.</param>
    /// <param name="level">Compression level, 1 to 9; null for no compression.</param>
    public static Stream Write(string path, int? level)
    {
        var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 16, FileOptions.Asynchronous);
        return level is { } chosen ? new GZipStream(file, new ZLibCompressionOptions { CompressionLevel = chosen }) : file;
    }

    public static Stream Read(string path, bool compressed)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16,
            FileOptions.Asynchronous | FileOptions.SequentialScan);
        return compressed ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    /// <summary>Reads a compressed file completely.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or truncated.</exception>
    public static async Task Check(string path, CancellationToken ct)
    {
        var buffer = new byte[1 << 17];
        var length = 0L;
        await using (var stream = Read(path, compressed: true))
        {
            for (int read; (read = await stream.ReadAsync(buffer, ct)) > 0;)
            {
                length += read;
            }
        }

        // GZipStream does not report a truncated file. A complete file ends with the content's length modulo 2^32.
        using var file = File.OpenHandle(path);
        var last = RandomAccess.Read(file, buffer.AsSpan(0, 4), Math.Max(0, RandomAccess.GetLength(file) - 4));
        if (last < 4 || BinaryPrimitives.ReadUInt32LittleEndian(buffer) != (uint)length)
        {
            throw new InvalidDataException("it is truncated");
        }
    }
}
