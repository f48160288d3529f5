using Catalog.Data;

namespace Catalog.Migrations.Backup;

/// <summary>Brings a backup into a bucket: under its final name there is never anything but a whole one, and its manifest comes last.</summary>
internal static class Upload
{
    /// <summary>Uploads under another name, reads back, copies to the final name, then writes the manifest.</summary>
    /// <param name="store">Where to.</param>
    /// <param name="path">The backup, found good.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="time">Tells what is old.</param>
    /// <param name="warn">Told what did not matter enough to fail.</param>
    /// <param name="ct">Stops.</param>
    public static async Task Send(ObjectStore store, string path, Manifest manifest, TimeProvider time, Action<string> warn, CancellationToken ct)
    {
        await store.Sweep(time.Now(), ct);
        var temporary = $"{ObjectStore.Uploading}{manifest.File}.{Guid.NewGuid():N}";
        var written = new List<string>();
        try
        {
            written.Add(temporary);
            await store.Put(temporary, path, ct);
            var (bytes, hash) = await store.ReadBack(temporary, ct);
            if (bytes != manifest.Bytes || hash != manifest.Sha256)
            {
                throw Garbled(bytes, manifest.Bytes);
            }

            written.Add(manifest.File);
            await store.Copy(temporary, manifest.File, bytes, ct);
            if (await store.Size(manifest.File, ct) is var copied && copied != manifest.Bytes)
            {
                throw Garbled(copied, manifest.Bytes);
            }

            var described = manifest.Write();
            written.Add(manifest.File + ".json");
            await store.Put(manifest.File + ".json", described, ct);
            if (await store.Read(manifest.File + ".json", ct) is var back && !back.AsSpan().SequenceEqual(described))
            {
                throw Garbled(back.Length, described.Length);
            }
        }
        catch
        {
            // The manifest first: without it the rest is no backup.
            written.Reverse();
            await Remove(store, written, _ => { });
            throw;
        }

        await Remove(store, [temporary], warn);
    }

    private static async Task Remove(ObjectStore store, IReadOnlyList<string> names, Action<string> warn)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        foreach (var name in names)
        {
            try
            {
                await store.Delete(name, limit.Token);
            }
            catch (Exception exception) when (exception is BackupException or OperationCanceledException)
            {
                warn($"{name} could not be removed from {store.Display}; the next upload after a day does it.");
            }
        }
    }

    private static BackupException Garbled(long found, long wanted) => new(ExitCode.Drift, "upload_garbled",
        $"The object store gave back something else than was sent ({found} bytes instead of {wanted}), and nothing was kept there. It may store the framing of chunked uploads: check that it is a supported store.");
}
