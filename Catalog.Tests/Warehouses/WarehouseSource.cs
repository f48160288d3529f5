using Catalog.Data.Warehouses;

namespace Catalog.Tests.Warehouses;

/// <summary>A real warehouse of one type with a table <c>items</c> of three rows, for one test class.</summary>
public abstract class WarehouseSource : IAsyncLifetime
{
    protected const string Rows = "(1, 'one', 1.5, 0.5), (2, 'two', 2.5, null), (3, null, null, 1.5)";

    /// <summary>The folder for files of warehouses.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("catalog-warehouse-").FullName;

    public abstract WarehouseSettings Settings { get; }

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Creates the warehouse of organization <c>acme</c>.</summary>
    public Warehouse Create(bool allowPrivate = true, CatalogDatabaseDetector? catalog = null) =>
        new WarehouseFactory(new(allowPrivate), new(Folder), catalog).Create("acme", Settings);

    /// <summary>The number of rows of the table, read outside the warehouse.</summary>
    public abstract Task<long> CountRows();

    /// <summary>Runs statements as the owner of the warehouse.</summary>
    public abstract Task Execute(params string[] statements);

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>The path of a file of organization <c>acme</c>.</summary>
    protected string FilePath(string name) => Path.Combine(Directory.CreateDirectory(Path.Combine(Folder, "acme")).FullName, name);
}
