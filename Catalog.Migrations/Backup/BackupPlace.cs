using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations.Backup;

/// <summary>A file in a folder or bucket.</summary>
/// <param name="Name">File name without a folder.</param>
/// <param name="Bytes">Size in bytes.</param>
internal sealed record StoredFile(string Name, long Bytes);

/// <summary>Where backups are stored: a folder, or a bucket of an object store.</summary>
internal abstract class BackupPlace : IDisposable
{
    /// <summary>A name of the place for messages; contains no secret.</summary>
    public abstract string Display { get; }

    /// <summary>Opens the place at a folder's path or a bucket's URL.</summary>
    /// <exception cref="BackupException">The folder does not exist.</exception>
    public static BackupPlace At(string where, IConfiguration settings) =>
        ObjectStoreSettings.IsAddress(where) ? new ObjectStore(ObjectStoreSettings.Read(where, settings))
            : Directory.Exists(where) ? new LocalFolder(Path.GetFullPath(where))
            : throw new BackupException(ExitCode.Usage, "usage", $"The folder {where} does not exist. Create it, or correct the path.");

    /// <summary>Lists the files of the place itself, not those of its subfolders.</summary>
    public abstract Task<IReadOnlyList<StoredFile>> List(CancellationToken ct);

    /// <summary>Reads a small file.</summary>
    public abstract Task<byte[]> Read(string name, CancellationToken ct);

    /// <summary>Makes a file available on this machine: downloads it if it is remote.</summary>
    /// <param name="name">The file.</param>
    /// <param name="folder">The folder for a download.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>The path of the local file.</returns>
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
        Task.FromResult<IReadOnlyList<StoredFile>>(
            [.. new DirectoryInfo(folder).EnumerateFiles().Select(file => new StoredFile(file.Name, file.Length))]);

    public override Task<byte[]> Read(string name, CancellationToken ct) => File.ReadAllBytesAsync(Path.Combine(folder, name), ct);

    public override Task<string> Fetch(string name, string _, CancellationToken ct) => Task.FromResult(Path.Combine(folder, name));

    public override Task Delete(string name, CancellationToken ct)
    {
        File.Delete(Path.Combine(folder, name));
        return Task.CompletedTask;
    }
}
