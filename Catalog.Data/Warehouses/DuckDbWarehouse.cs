using Catalog.Data.Warehouses.Sql;
using DuckDB.NET.Data;

namespace Catalog.Data.Warehouses;

/// <summary>A registered DuckDB file below the operator's folder.</summary>
public sealed class DuckDbWarehouse : Warehouse
{
    private readonly string _organization;
    private readonly string _path;
    private readonly WarehouseFiles _files;

    internal DuckDbWarehouse(string organization, WarehouseSettings settings, WarehouseFiles files) =>
        (_organization, _path, _files) = (organization, settings.Path ?? "", files);

    /// <inheritdoc />
    public override string Type => "duckdb";

    /// <inheritdoc />
    public override string Display => $"duckdb:{_path}";

    /// <inheritdoc />
    public override WarehouseSql Sql { get; } = new DuckDbSql();

    internal override Task<WarehouseConnection> Connect(WarehouseLimits limits, CancellationToken ct)
    {
        // These settings forbid other files, the network, extensions that are not built in, and statements that change
        // settings. lock_configuration must come last, because it forbids further settings.
        var connection = new DuckDBConnection(new DuckDBConnectionStringBuilder
        {
            DataSource = _files.Find(_organization, _path),
            ["access_mode"] = "READ_ONLY",
            ["enable_external_access"] = "false",
            ["autoinstall_known_extensions"] = "false",
            ["autoload_known_extensions"] = "false",
            ["allow_community_extensions"] = "false",
            ["memory_limit"] = "1GB",
            ["temp_directory"] = "",
            ["threads"] = $"{Math.Min(Environment.ProcessorCount, 4)}",
            ["lock_configuration"] = "true",
        }.ConnectionString);
        try
        {
            connection.Open();
            return Task.FromResult<WarehouseConnection>(new DuckDbWarehouseConnection(connection, limits));
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    internal override WarehouseException Translate(Exception exception) => exception switch
    {
        DuckDBException { Message: var message } when message.Contains("lock on file", StringComparison.Ordinal) =>
            WarehouseMessages.FileLocked(),
        DuckDBException { Message: var message } when message.Contains("ermission denied", StringComparison.Ordinal) =>
            WarehouseMessages.FileUnreadable(),
        _ => new(WarehouseProblem.DatabaseMissing,
            "The file of the connection cannot be opened: it is not a DuckDB database, or a newer version of DuckDB wrote it. Check path, "
                + "or write the file with an older version."),
    };
}
