using System.Globalization;
using Catalog.Data;
using Catalog.Data.Database;

namespace Catalog.Migrations.Backup;

/// <summary>How a backup in a place looks without reading it to its end.</summary>
internal enum BackupState
{
    /// <summary>Its manifest is there and says its size.</summary>
    Complete,

    /// <summary>It has no manifest: it is being written, or was never finished. It is no backup.</summary>
    NoManifest,

    /// <summary>Its file is missing or has another size, its manifest cannot be read, or, when it was read, it is not what its manifest says.</summary>
    Damaged,
}

/// <summary>A backup that lies in a place.</summary>
/// <param name="Name">Of its file.</param>
/// <param name="Bytes">Of its file; null when that is missing.</param>
/// <param name="Manifest">Null when it is missing or cannot be read.</param>
/// <param name="State">How it looks.</param>
/// <param name="Fault">Why it is damaged; otherwise null.</param>
internal sealed record StoredBackup(string Name, long? Bytes, Manifest? Manifest, BackupState State, string? Fault)
{
    /// <summary>The backups of a place, newest first.</summary>
    public static async Task<IReadOnlyList<StoredBackup>> In(BackupPlace place, CancellationToken ct)
    {
        var files = (await place.List(ct)).ToDictionary(file => file.Name, file => file.Bytes, StringComparer.Ordinal);
        var names = files.Keys.Select(name => name.EndsWith(".json", StringComparison.Ordinal) ? name[..^".json".Length] : name)
            .Where(Manifest.IsName).Distinct(StringComparer.Ordinal);
        var kept = new List<StoredBackup>();
        foreach (var name in names)
        {
            kept.Add(await One(place, name, files.TryGetValue(name, out var bytes) ? bytes : null, files.ContainsKey(name + ".json"), ct));
        }

        // Names tell seconds only.
        return [.. kept.OrderByDescending(one => one.Manifest?.StartedAt ?? Time(one.Name)).ThenByDescending(one => one.Name, StringComparer.Ordinal)];
    }

    private static DateTimeOffset Time(string name) =>
        DateTimeOffset.TryParseExact(name.AsSpan("catalog-".Length, 16), "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : default;

    /// <summary>Reads it to its end; downloads it first where it lies elsewhere.</summary>
    /// <returns>The same, damaged when it is not what its manifest says.</returns>
    public async Task<StoredBackup> Examined(BackupPlace place, CancellationToken ct)
    {
        if (State != BackupState.Complete)
        {
            return this;
        }

        using var folder = new TemporaryFolder();
        var path = await place.Fetch(Name, folder.Path, ct);
        return await BackupCheck.Faults(path, Manifest!, ct) is { Count: > 0 } faults ? this with { State = BackupState.Damaged, Fault = string.Join("; ", faults) } : this;
    }

    /// <summary>The state in words.</summary>
    public string Words => State switch
    {
        BackupState.Complete => "complete",
        BackupState.NoManifest => "no manifest",
        _ => $"damaged: {Fault}",
    };

    private static async Task<StoredBackup> One(BackupPlace place, string name, long? bytes, bool described, CancellationToken ct)
    {
        if (!described)
        {
            return new(name, bytes, null, BackupState.NoManifest, null);
        }

        try
        {
            var manifest = Manifest.Read(await place.Read(name + ".json", ct), name);
            return bytes is null ? new(name, bytes, manifest, BackupState.Damaged, "its file is missing")
                : bytes != manifest.Bytes ? new(name, bytes, manifest, BackupState.Damaged, $"it has {bytes} bytes and should have {manifest.Bytes}")
                // Made under a wrong clock it would count as the newest until that day, and those made meanwhile as old.
                : manifest.StartedAt > TimeProvider.System.Now().AddHours(1) ? new(name, bytes, manifest, BackupState.Damaged, $"it says that it was made at {manifest.StartedAt:yyyy-MM-dd HH:mm:ss}Z, which is still to come: move it away or rename it")
                : new(name, bytes, manifest, BackupState.Complete, null);
        }
        catch (BackupException exception) when (exception.Exit == ExitCode.Drift)
        {
            return new(name, bytes, null, BackupState.Damaged, exception.Message);
        }
        catch (UnauthorizedAccessException)
        {
            return new(name, bytes, null, BackupState.Damaged, $"its manifest may not be read by this user{FileRights.OwnerOf(Path.Combine(place.Display, name + ".json"))}");
        }
    }
}
