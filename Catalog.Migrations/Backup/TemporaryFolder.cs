namespace Catalog.Migrations.Backup;

/// <summary>A private temporary folder, deleted with its files on disposal.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("catalog-backup-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
