namespace Catalog.Migrations.Backup;

/// <summary>
/// Uploads a backup to a bucket. The object store makes an object visible only when its upload is complete, and the
/// manifest is uploaded last. So no reader sees a partial backup.
/// </summary>
internal static class Upload
{
    /// <summary>
    /// Uploads a backup, reads it back and compares it. Then uploads the manifest. After an error, both objects are
    /// deleted.
    /// </summary>
    /// <param name="store">The bucket.</param>
    /// <param name="path">A backup that has been checked.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task Send(ObjectStore store, string path, Manifest manifest, CancellationToken ct)
    {
        var manifestName = manifest.File + ".json";
        try
        {
            await store.Put(manifest.File, path, ct);
            var (bytes, hash) = await store.ReadBack(manifest.File, ct);
            if (bytes != manifest.Bytes || hash != manifest.Sha256)
            {
                throw ContentDiffers(bytes, manifest.Bytes);
            }

            var content = manifest.Write();
            await store.Put(manifestName, content, ct);
            if (await store.Read(manifestName, ct) is var readBack && !readBack.AsSpan().SequenceEqual(content))
            {
                throw ContentDiffers(readBack.Length, content.Length);
            }
        }
        catch
        {
            // Deletes the manifest first, because a file without a manifest does not count as a backup.
            await Remove(store, manifestName);
            await Remove(store, manifest.File);
            throw;
        }
    }

    private static async Task Remove(ObjectStore store, string name)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await store.Delete(name, limit.Token);
        }
        catch (Exception exception) when (exception is BackupException or OperationCanceledException)
        {
            // The caller rethrows the original error, which matters more.
        }
    }

    private static BackupException ContentDiffers(long found, long expected) => new(ExitCode.Drift, "upload_garbled",
        $"The object store returned other content than was uploaded ({found} bytes instead of {expected}), so the upload was "
            + "deleted. Some stores do not support uploads in chunks: use another store.");
}
