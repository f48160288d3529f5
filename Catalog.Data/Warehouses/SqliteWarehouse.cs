using Catalog.Data.Warehouses.Sql;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Catalog.Data.Warehouses;

/// <summary>A registered SQLite file below the operator's folder.</summary>
public sealed class SqliteWarehouse : Warehouse
{
    // Only a database of the Catalog has all three tables. So it is recognized even if its file has another name.
    private const string IsCatalogSql =
        "select count(*) = 3 from sqlite_master where type = 'table' and name in ('schemaversions', 'check_results', 'pipelines')";

    private readonly string _organization;
    private readonly string _path;
    private readonly WarehouseFiles _files;

    internal SqliteWarehouse(string organization, WarehouseSettings settings, WarehouseFiles files) =>
        (_organization, _path, _files) = (organization, settings.Path ?? "", files);

    /// <inheritdoc />
    public override string Type => "sqlite";

    /// <inheritdoc />
    public override string Display => $"sqlite:{_path}";

    /// <inheritdoc />
    public override WarehouseSql Sql { get; } = new SqliteSql();

    internal override Task<WarehouseConnection> Connect(WarehouseLimits limits, CancellationToken ct)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = _files.Find(_organization, _path),
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
            // How long a locked file is tried, in seconds. This is shorter than the time limit for connecting.
            DefaultTimeout = 3,
        }.ConnectionString);
        try
        {
            connection.Open();
            SqliteFunctions.Register(connection);
            if (SqliteWarehouseConnection.Run(connection, IsCatalogSql) is 1L)
            {
                throw WarehouseMessages.CatalogDatabase();
            }

            return Task.FromResult<WarehouseConnection>(new SqliteWarehouseConnection(connection, limits));
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    internal override WarehouseException Translate(Exception exception) => exception switch
    {
        SqliteException { SqliteErrorCode: raw.SQLITE_NOTADB or raw.SQLITE_CORRUPT } =>
            new(WarehouseProblem.DatabaseMissing,
                "The file of the connection is not a SQLite database, or is damaged. Check path, or restore the file."),
        SqliteException { SqliteErrorCode: raw.SQLITE_BUSY or raw.SQLITE_LOCKED } => WarehouseMessages.FileLocked(),
        _ => WarehouseMessages.FileUnreadable(),
    };
}
