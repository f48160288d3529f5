using System.Buffers.Binary;
using System.IO.Compression;

namespace Catalog.Migrations.Backup;

/// <summary>Reads and writes files that may be compressed as a whole.</summary>
internal static class Gzip
{
    public static Stream Write(string path, int? level)
    {
        var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 16, FileOptions.Asynchronous);
        return level is { } chosen ? new GZipStream(file, new ZLibCompressionOptions { CompressionLevel = chosen }) : file;
    }

    public static Stream Read(string path, bool compressed)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return compressed ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    /// <summary>Reads a compressed file to its end.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or was cut.</exception>
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

        // The framework takes a file that ends early for one that ends; the last four bytes say how long the content was.
        using var file = File.OpenHandle(path);
        var last = RandomAccess.Read(file, buffer.AsSpan(0, 4), Math.Max(0, RandomAccess.GetLength(file) - 4));
        if (last < 4 || BinaryPrimitives.ReadUInt32LittleEndian(buffer) != (uint)length)
        {
            throw new InvalidDataException("it was cut");
        }
    }
}
