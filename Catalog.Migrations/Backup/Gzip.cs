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
}
