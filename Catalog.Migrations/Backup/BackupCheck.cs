using System.Security.Cryptography;

namespace Catalog.Migrations.Backup;

/// <summary>Whether a backup is what its manifest says: size, hash, read to the end, rows counted.</summary>
internal static class BackupCheck
{
    /// <summary>SHA-256 of a file as it is read from the disk, in lower-case hexadecimal.</summary>
    public static async Task<string> Hash(string path, CancellationToken ct)
    {
        await using var stream = Gzip.Read(path, compressed: false);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, ct));
    }

    /// <summary>What is wrong with a backup, a line each; empty when nothing is.</summary>
    /// <param name="path">The file.</param>
    /// <param name="manifest">What it should be.</param>
    /// <param name="ct">Stops.</param>
    /// <exception cref="BackupException">It cannot be examined here: pg_restore is missing or too old.</exception>
    public static async Task<IReadOnlyList<string>> Faults(string path, Manifest manifest, CancellationToken ct)
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

        return await Content(path, manifest, ct);
    }

    /// <summary>What is wrong with a backup's content, whatever its hash.</summary>
    public static async Task<IReadOnlyList<string>> Content(string path, Manifest manifest, CancellationToken ct)
    {
        try
        {
            await (manifest.Compression == "gzip" ? Gzip.Check(path, ct) : Task.CompletedTask);
            return manifest.Format switch
            {
                "custom" or "plain" => await Script(path, manifest, ct),
                "sqlite" => await Sqlite(path, manifest, ct),
                _ => [$"this build knows no format {manifest.Format}"],
            };
        }
        catch (InvalidDataException exception)
        {
            return [$"it cannot be decompressed: {exception.Message.TrimEnd('.')}"];
        }
    }

    private static async Task<IReadOnlyList<string>> Script(string path, Manifest manifest, CancellationToken ct)
    {
        var reader = new ScriptReader(manifest.OwnSchema);
        if (await PostgresArchive.Read(path, manifest, script => reader.Read(script, ct), ct) is { } complaint)
        {
            return [complaint];
        }

        return !reader.Complete ? ["it does not end as a dump ends: it was cut"]
            : manifest.SchemaOnly ? [] : Differences(manifest.OwnRows, reader.Rows);
    }

    private static async Task<IReadOnlyList<string>> Sqlite(string path, Manifest manifest, CancellationToken ct)
    {
        using var folder = new TemporaryFolder();
        var file = await SqliteArchive.Unpacked(path, manifest, folder.Path, ct);
        if (SqliteBackup.Faults(file) is { Count: > 0 } faults)
        {
            return faults;
        }

        var found = await SqliteBackup.Contents(file, ct);
        return [
            .. Differences(manifest.Rows, found.Rows),
            .. found.Fingerprint != manifest.SchemaFingerprint ? ["its schema is not the one that was backed up"] : Array.Empty<string>(),
            .. found.Revision != manifest.SchemaRevision ? [$"its journal ends at {found.Revision} and should end at {manifest.SchemaRevision}"] : Array.Empty<string>(),
        ];
    }

    /// <summary>How rows that were found differ from those of a manifest.</summary>
    public static IReadOnlyList<string> Differences(IReadOnlyDictionary<string, long> wanted, IReadOnlyDictionary<string, long> found) =>
    [
        .. wanted.Where(table => !found.ContainsKey(table.Key)).Select(table => $"table {table.Key} is missing"),
        .. wanted.Where(table => found.TryGetValue(table.Key, out var rows) && rows != table.Value).Select(table => $"table {table.Key} has {found[table.Key]} rows and should have {table.Value}"),
        .. found.Keys.Except(wanted.Keys, StringComparer.Ordinal).Select(table => $"table {table} is not in the manifest"),
    ];
}
