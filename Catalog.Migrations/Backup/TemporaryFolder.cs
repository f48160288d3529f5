namespace Catalog.Migrations.Backup;

/// <summary>A folder of this user's own, removed with all it holds.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("catalog-backup-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
