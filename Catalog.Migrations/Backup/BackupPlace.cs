using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations.Backup;

/// <summary>A file that lies in a place.</summary>
/// <param name="Name">Without a folder.</param>
/// <param name="Bytes">Its size.</param>
internal sealed record StoredFile(string Name, long Bytes);

/// <summary>Where backups lie: a folder, or a bucket of an object store.</summary>
internal abstract class BackupPlace : IDisposable
{
    /// <summary>In words; without a secret.</summary>
    public abstract string Display { get; }

    /// <summary>A folder's path, or the address of a bucket.</summary>
    /// <exception cref="BackupException">There is no such folder.</exception>
    public static BackupPlace At(string where, IConfiguration settings) =>
        ObjectStoreSettings.IsAddress(where) ? new ObjectStore(ObjectStoreSettings.Read(where, settings))
            : Directory.Exists(where) ? new LocalFolder(Path.GetFullPath(where))
            : throw new BackupException(ExitCode.Usage, "usage", $"There is no folder {where}.");

    /// <summary>The files there, not those of folders below.</summary>
    public abstract Task<IReadOnlyList<StoredFile>> List(CancellationToken ct);

    /// <summary>A small file.</summary>
    public abstract Task<byte[]> Read(string name, CancellationToken ct);

    /// <summary>Makes a file available on this machine.</summary>
    /// <param name="name">The file.</param>
    /// <param name="folder">Where it may be put.</param>
    /// <param name="ct">Stops.</param>
    /// <returns>Its path.</returns>
    public abstract Task<string> Fetch(string name, string folder, CancellationToken ct);

    public abstract Task Delete(string name, CancellationToken ct);

    public virtual void Dispose()
    {
    }
}

/// <summary>Backups in a folder of this machine.</summary>
internal sealed class LocalFolder(string folder) : BackupPlace
{
    public override string Display => folder;

    public override Task<IReadOnlyList<StoredFile>> List(CancellationToken ct) =>
        Task.FromResult<IReadOnlyList<StoredFile>>([.. new DirectoryInfo(folder).EnumerateFiles().Select(file => new StoredFile(file.Name, file.Length))]);

    public override Task<byte[]> Read(string name, CancellationToken ct) => File.ReadAllBytesAsync(Path.Combine(folder, name), ct);

    public override Task<string> Fetch(string name, string _, CancellationToken ct) => Task.FromResult(Path.Combine(folder, name));

    public override Task Delete(string name, CancellationToken ct)
    {
        File.Delete(Path.Combine(folder, name));
        return Task.CompletedTask;
    }
}
