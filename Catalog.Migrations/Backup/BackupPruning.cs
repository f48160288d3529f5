using Catalog.Data;

namespace Catalog.Migrations.Backup;

/// <summary>Removes old backups, but only if the newest backup is good.</summary>
internal static class BackupPruning
{
    /// <summary>
    /// Removes the backups that no rule keeps. Backups that are found to be damaged, files without a manifest and
    /// backups without rows are neither counted nor removed: a person must decide about them.
    /// </summary>
    /// <param name="place">The place of the backups.</param>
    /// <param name="rules">The rules for keeping backups.</param>
    /// <param name="shallow">True to read only the newest backup of each database completely.</param>
    /// <param name="dryRun">True to remove nothing.</param>
    /// <param name="time">The clock.</param>
    /// <param name="output">Receives one line per removed or incomplete backup.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>The names of the removed backups. With <paramref name="dryRun"/>, the names of the backups that would
    /// be removed.</returns>
    /// <exception cref="BackupException">The newest backup of a database is not good; nothing was removed.</exception>
    public static async Task<IReadOnlyList<string>> Prune(BackupPlace place, BackupRotation rules, bool shallow, bool dryRun,
        TimeProvider time, Output output, CancellationToken ct)
    {
        var all = await StoredBackup.List(place, ct);
        foreach (var incomplete in all.Where(backup => backup.State != BackupState.Complete))
        {
            output.Line($"left {incomplete.Name}: {incomplete.Description}");
        }

        // If the newest backup is already known to be damaged, this fails before it reads any backup.
        if (all.FirstOrDefault(backup => backup.State != BackupState.NoManifest) is { State: BackupState.Damaged } newest)
        {
            throw NewestDamaged(newest);
        }

        var removable = new List<StoredBackup>();
        foreach (var generations in all.Where(backup => backup.Manifest is { SchemaOnly: false })
            .GroupBy(backup => (backup.Manifest!.Engine, backup.Manifest.Database)))
        {
            var first = await generations.First().Check(place, ct);
            if (first.State != BackupState.Complete)
            {
                throw NewestDamaged(first);
            }

            var unneeded = await rules.Removable(generations.Where(backup => backup.State == BackupState.Complete), backup =>
                backup.Manifest!.StartedAt,
                async backup => backup.Name == first.Name || shallow || await IsGood(backup, place, output, ct), time.Now());
            // The manifest names the database. A newer backup with an unreadable manifest can also be of this database.
            if (unneeded.Count > 0 && all.TakeWhile(backup => backup != generations.First())
                .FirstOrDefault(backup => backup is { State: BackupState.Damaged, Manifest: null }) is { } unreadable)
            {
                throw NewestDamaged(unreadable);
            }

            removable.AddRange(unneeded);
        }

        foreach (var backup in removable)
        {
            if (!dryRun)
            {
                // Deletes the manifest first. After an interruption, the remaining file then does not count as a
                // backup.
                await place.Delete(backup.Name + ".json", ct);
                await place.Delete(backup.Name, ct);
            }

            output.Line($"{(dryRun ? "would remove" : "removed")} {backup.Name}");
        }

        return [.. removable.Select(backup => backup.Name)];
    }

    private static async Task<bool> IsGood(StoredBackup backup, BackupPlace place, Output output, CancellationToken ct)
    {
        var result = await backup.Check(place, ct);
        if (result.State == BackupState.Complete)
        {
            return true;
        }

        output.Line($"left {result.Name}: {result.Description}");
        return false;
    }

    private static BackupException NewestDamaged(StoredBackup newest) =>
        new(ExitCode.Drift, "newest_damaged",
            $"The newest backup, {newest.Name}, is not good ({newest.Fault}), so nothing was removed. Take a new backup, then move "
                + "this one to another place.");
}
