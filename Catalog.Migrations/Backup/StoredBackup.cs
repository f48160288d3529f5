using System.Globalization;
using Catalog.Data;
using Catalog.Data.Database;

namespace Catalog.Migrations.Backup;

/// <summary>The state of a stored backup.</summary>
internal enum BackupState
{
    /// <summary>The manifest is valid and the file has the size in the manifest.</summary>
    Complete,

    /// <summary>
    /// The manifest is missing: the backup is being written or was never finished. The file does not count as a backup.
    /// </summary>
    NoManifest,

    /// <summary>The file is missing or differs from the manifest, or the manifest is invalid or unreadable.</summary>
    Damaged,
}

/// <summary>A backup in a folder or bucket.</summary>
/// <param name="Name">Name of the file.</param>
/// <param name="Bytes">Size of the file; null if the file is missing.</param>
/// <param name="Manifest">The manifest; null if it is missing or invalid.</param>
/// <param name="State">The state. Before <see cref="StoredBackup.Check"/>, only the size and the manifest have been
/// examined.</param>
/// <param name="Fault">The reason for <see cref="BackupState.Damaged"/>; otherwise null.</param>
internal sealed record StoredBackup(string Name, long? Bytes, Manifest? Manifest, BackupState State, string? Fault)
{
    /// <summary>Lists the backups of a place, newest first. Reads the manifests, not the backups.</summary>
    public static async Task<IReadOnlyList<StoredBackup>> List(BackupPlace place, CancellationToken ct)
    {
        var files = (await place.List(ct)).ToDictionary(file => file.Name, file => file.Bytes, StringComparer.Ordinal);
        var names = files.Keys.Select(name => name.EndsWith(".json", StringComparison.Ordinal) ? name[..^".json".Length] : name)
            .Where(Manifest.IsName).Distinct(StringComparer.Ordinal);
        var backups = new List<StoredBackup>();
        foreach (var name in names)
        {
            backups.Add(
                await Inspect(place, name, files.TryGetValue(name, out var bytes) ? bytes : null, files.ContainsKey(name + ".json"), ct));
        }

        // The manifest's time is more exact than the name's, which is in seconds.
        return [.. backups.OrderByDescending(backup => backup.Manifest?.StartedAt ?? Time(backup.Name))
            .ThenByDescending(backup => backup.Name, StringComparer.Ordinal)];
    }

    private static DateTimeOffset Time(string name) =>
        DateTimeOffset.TryParseExact(name.AsSpan("catalog-".Length, 16), "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal, out var time) ? time : default;

    /// <summary>Reads the backup completely and compares it with its manifest; downloads a remote backup first.</summary>
    /// <returns>This backup, with state <see cref="BackupState.Damaged"/> if it differs from its manifest.</returns>
    public async Task<StoredBackup> Check(BackupPlace place, CancellationToken ct)
    {
        if (State != BackupState.Complete)
        {
            return this;
        }

        using var folder = new TemporaryFolder();
        var path = await place.Fetch(Name, folder.Path, ct);
        return await BackupCheck.FindFaults(path, Manifest!, ct) is { Count: > 0 } faults
            ? this with { State = BackupState.Damaged, Fault = string.Join("; ", faults) } : this;
    }

    /// <summary>The state as text.</summary>
    public string Description => State switch
    {
        BackupState.Complete => "complete",
        BackupState.NoManifest => "no manifest",
        _ => $"damaged: {Fault}",
    };

    private static async Task<StoredBackup> Inspect(BackupPlace place, string name, long? bytes, bool hasManifest, CancellationToken ct)
    {
        if (!hasManifest)
        {
            return new(name, bytes, null, BackupState.NoManifest, null);
        }

        try
        {
            var manifest = Manifest.Read(await place.Read(name + ".json", ct), name);
            return bytes is null ? new(name, bytes, manifest, BackupState.Damaged, "its file is missing")
                : bytes != manifest.Bytes
                ? new(name, bytes, manifest, BackupState.Damaged, $"it has {bytes} bytes and should have {manifest.Bytes}")
                // A wrong clock can cause a time in the future. Until that day, pruning would take this for the newest
                // backup.
                : manifest.StartedAt > TimeProvider.System.Now().AddHours(1)
                ? new(name, bytes, manifest, BackupState.Damaged,
                    $"its time {manifest.StartedAt:yyyy-MM-dd HH:mm:ss}Z is in the future: move it to another place or rename it")
                : new(name, bytes, manifest, BackupState.Complete, null);
        }
        catch (BackupException exception) when (exception.Exit == ExitCode.Drift)
        {
            return new(name, bytes, null, BackupState.Damaged, exception.Message.TrimEnd('.'));
        }
        catch (UnauthorizedAccessException)
        {
            return new(name, bytes, null, BackupState.Damaged,
                $"this user lacks permission to read its manifest{FileRights.OwnerOf(Path.Combine(place.Display, name + ".json"))}");
        }
    }
}
