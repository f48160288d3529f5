using Catalog.Data;

namespace Catalog.Migrations.Backup;

/// <summary>Removes old backups, when the newest is known to be good.</summary>
internal static class Pruning
{
    /// <summary>Removes what no rule keeps. Damaged ones, those without a manifest and those without rows neither count nor go: a person decides on them.</summary>
    /// <param name="place">Where.</param>
    /// <param name="rules">What is kept.</param>
    /// <param name="shallow">Whether only the newest of each database is read to its end.</param>
    /// <param name="dryRun">Whether nothing is removed.</param>
    /// <param name="time">Tells the age.</param>
    /// <param name="output">Told what is removed and what is odd.</param>
    /// <param name="ct">Stops.</param>
    /// <returns>The names of what was removed, or would be.</returns>
    /// <exception cref="BackupException">The newest backup of a database is not good; nothing was removed.</exception>
    public static async Task<IReadOnlyList<string>> Prune(BackupPlace place, BackupRotation rules, bool shallow, bool dryRun, TimeProvider time, Output output, CancellationToken ct)
    {
        var all = await StoredBackup.In(place, ct);
        foreach (var odd in all.Where(kept => kept.State != BackupState.Complete))
        {
            output.Line($"left {odd.Name}: {odd.Words}");
        }

        // Before anything is read: the newest file of all must be good.
        if (all.FirstOrDefault(kept => kept.State != BackupState.NoManifest) is { State: BackupState.Damaged } newest)
        {
            throw Refusal(newest);
        }

        var removable = new List<StoredBackup>();
        foreach (var generations in all.Where(kept => kept.Manifest is { SchemaOnly: false }).GroupBy(kept => (kept.Manifest!.Engine, kept.Manifest.Database)))
        {
            var first = await generations.First().Examined(place, ct);
            if (first.State != BackupState.Complete)
            {
                throw Refusal(first);
            }

            var gone = await rules.Removable(generations.Where(kept => kept.State == BackupState.Complete), kept => kept.Manifest!.StartedAt, async kept =>
            {
                if (kept.Name == first.Name || shallow)
                {
                    return true;
                }

                var examined = await kept.Examined(place, ct);
                if (examined.State != BackupState.Complete)
                {
                    output.Line($"left {examined.Name}: {examined.Words}");
                }

                return examined.State == BackupState.Complete;
            }, time.Now());
            // A manifest that cannot be read tells of no database, so it may be of this one.
            if (gone.Count > 0 && all.TakeWhile(kept => kept != generations.First()).FirstOrDefault(kept => kept is { State: BackupState.Damaged, Manifest: null }) is { } unreadable)
            {
                throw Refusal(unreadable);
            }

            removable.AddRange(gone);
        }

        foreach (var kept in removable)
        {
            if (!dryRun)
            {
                // The manifest first: cut off between the two, the rest is no backup and counts as none.
                await place.Delete(kept.Name + ".json", ct);
                await place.Delete(kept.Name, ct);
            }

            output.Line($"{(dryRun ? "would remove" : "removed")} {kept.Name}");
        }

        return [.. removable.Select(kept => kept.Name)];
    }

    private static BackupException Refusal(StoredBackup newest) =>
        new(ExitCode.Drift, "newest_damaged", $"The newest backup, {newest.Name}, is not good ({newest.Fault}), so nothing was removed. Make a new one, then move this one away.");
}
