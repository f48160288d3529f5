namespace Catalog.Migrations.Backup;

/// <summary>Brings a backup into a bucket: a store shows an object when all of it has come, and a backup counts once its manifest is there, which comes last.</summary>
internal static class Upload
{
    /// <summary>Uploads a backup, reads back what the store gives for it, then writes the manifest. Whatever fails, nothing of it is left there.</summary>
    /// <param name="store">Where to.</param>
    /// <param name="path">The backup, found good.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="ct">Stops.</param>
    public static async Task Send(ObjectStore store, string path, Manifest manifest, CancellationToken ct)
    {
        var description = manifest.File + ".json";
        try
        {
            await store.Put(manifest.File, path, ct);
            var (bytes, hash) = await store.ReadBack(manifest.File, ct);
            if (bytes != manifest.Bytes || hash != manifest.Sha256)
            {
                throw Garbled(bytes, manifest.Bytes);
            }

            var described = manifest.Write();
            await store.Put(description, described, ct);
            if (await store.Read(description, ct) is var back && !back.AsSpan().SequenceEqual(described))
            {
                throw Garbled(back.Length, described.Length);
            }
        }
        catch
        {
            // The manifest first: without it the rest is no backup.
            await Remove(store, description);
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
            // The first failure is the one to tell of.
        }
    }

    private static BackupException Garbled(long found, long wanted) => new(ExitCode.Drift, "upload_garbled",
        $"The object store gave back something else than was sent ({found} bytes instead of {wanted}), and nothing was kept there. It may store the framing of chunked uploads: check that it is a supported store.");
}
