using System.Data.Common;
using System.Security.Cryptography;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Backup;

/// <summary>Checks that a backup can be read to its end and agrees with its manifest.</summary>
internal static class BackupCheck
{
    /// <summary>Returns the SHA-256 of a file in lower-case hexadecimal.</summary>
    public static async Task<string> Hash(string path, CancellationToken ct)
    {
        await using var stream = Gzip.Read(path, compressed: false);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, ct));
    }

    /// <summary>Checks the size, the hash and the content of a backup.</summary>
    /// <param name="path">The backup file.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>One line per fault; empty for a good backup.</returns>
    /// <exception cref="BackupException">The check is not possible: pg_restore is missing or too old.</exception>
    public static async Task<IReadOnlyList<string>> FindFaults(string path, Manifest manifest, CancellationToken ct)
    {
        var bytes = new FileInfo(path).Length;
        if (bytes == 0 || bytes != manifest.Bytes)
        {
            return [$"it has {bytes} bytes and should have {manifest.Bytes}"];
        }

        if (await Hash(path, ct) is var hash && hash != manifest.Sha256)
        {
            return [$"its SHA-256 is {hash} and should be {manifest.Sha256}"];
        }

        return await FindContentFaults(path, manifest, ct);
    }

    /// <summary>Checks the content of a backup, without its size and hash.</summary>
    /// <returns>One line per fault; empty for good content.</returns>
    public static async Task<IReadOnlyList<string>> FindContentFaults(string path, Manifest manifest, CancellationToken ct)
    {
        try
        {
            await (manifest.Compression == "gzip" ? Gzip.Check(path, ct) : Task.CompletedTask);
            return manifest.Format switch
            {
                "custom" or "plain" => await CheckScript(path, manifest, ct),
                "sqlite" => await CheckSqlite(path, manifest, ct),
                _ => [$"this build does not know the format {manifest.Format}"],
            };
        }
        catch (InvalidDataException exception)
        {
            return [$"it cannot be decompressed: {exception.Message.TrimEnd('.')}"];
        }
        // A changed bit in a value leaves the structure of a SQLite file intact. But it can make the migration journal
        // unreadable.
        catch (Exception exception) when (exception is MigrationException or DbException)
        {
            return ["its journal or its tables cannot be read"];
        }
    }

    private static async Task<IReadOnlyList<string>> CheckScript(string path, Manifest manifest, CancellationToken ct)
    {
        var reader = new DumpReader(manifest.OwnSchema);
        if (await PostgresArchive.Read(path, manifest, script => reader.Read(script, ct), ct) is { } fault)
        {
            return [fault];
        }

        return !reader.Complete ? ["it is truncated: the end of the dump is missing"]
            : manifest.SchemaOnly ? [] : Differences(manifest.OwnRows, reader.Rows);
    }

    private static async Task<IReadOnlyList<string>> CheckSqlite(string path, Manifest manifest, CancellationToken ct)
    {
        using var folder = new TemporaryFolder();
        var file = await SqliteArchive.Decompress(path, manifest, folder.Path, ct);
        if (SqliteFile.FindFaults(file) is { Count: > 0 } faults)
        {
            return faults;
        }

        var found = await SqliteFile.Contents(file, ct);
        return [
            .. Differences(manifest.Rows, found.Rows),
            .. found.Fingerprint != manifest.SchemaFingerprint
                ? ["its schema differs from the one that was backed up"] : Array.Empty<string>(),
            .. found.Revision != manifest.SchemaRevision
                ? [$"its journal ends at {found.Revision} and should end at {manifest.SchemaRevision}"] : Array.Empty<string>(),
        ];
    }

    /// <summary>Compares row counts with those of a manifest.</summary>
    /// <returns>One line per difference; empty when all counts are equal.</returns>
    public static IReadOnlyList<string> Differences(IReadOnlyDictionary<string, long> expected, IReadOnlyDictionary<string, long> found) =>
    [
        .. expected.Where(table => !found.ContainsKey(table.Key)).Select(table => $"table {table.Key} is missing"),
        .. expected.Where(table => found.TryGetValue(table.Key, out var rows) && rows != table.Value)
        .Select(table => $"table {table.Key} has {found[table.Key]} rows and should have {table.Value}"),
        .. found.Keys.Except(expected.Keys, StringComparer.Ordinal).Select(table => $"table {table} is not in the manifest"),
    ];
}
