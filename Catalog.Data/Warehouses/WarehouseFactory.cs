using Catalog.Data.Settings;

namespace Catalog.Data.Warehouses;

/// <summary>Creates warehouses by the type of their connection.</summary>
/// <param name="guard">Checks hosts and ports.</param>
/// <param name="files">Finds the files of SQLite and DuckDB warehouses.</param>
/// <param name="catalog">Recognizes the Catalog's own database; null when it is not a Postgres database.</param>
public sealed class WarehouseFactory(DestinationGuard guard, WarehouseFiles files, CatalogDatabaseDetector? catalog)
{
    /// <summary>
    /// The types that have a driver. SQL Server is not included, because its driver does not connect in a process
    /// without cultures. This service runs without cultures (InvariantGlobalization).
    /// </summary>
    public static IReadOnlyList<string> Types { get; } = ["postgres", "mysql", "mariadb", "sqlite", "duckdb", "clickhouse"];

    /// <summary>Validates a configuration of a type that has a driver.</summary>
    /// <exception cref="SettingException">A field is missing or not valid. The message contains no secret.</exception>
    public static void Validate(WarehouseSettings settings)
    {
        switch (settings.Type)
        {
            case "postgres":
                PostgresWarehouse.Parse(settings);
                break;
            case "mysql" or "mariadb":
                MySqlWarehouse.Parse(settings);
                break;
            case "clickhouse":
                ClickHouseWarehouse.Parse(settings);
                break;
            case "sqlite" or "duckdb" when settings.Path is not { } path || !WarehouseFiles.IsName(path):
                throw new SettingException(
                    "path: must be the name of a file below the folder of the organization, such as sales/2026.db, with at most 255 "
                        + "letters, digits, _, -, . and /.");
            default:
                break;
        }
    }

    /// <summary>Creates a warehouse. No connection is opened.</summary>
    /// <exception cref="WarehouseException">The type has no driver.</exception>
    /// <exception cref="SettingException">The configuration is not valid.</exception>
    public Warehouse Create(string organization, WarehouseSettings settings)
    {
        Validate(settings);
        return settings.Type switch
        {
            "postgres" => new PostgresWarehouse(settings, guard, catalog),
            "mysql" or "mariadb" => new MySqlWarehouse(settings, guard),
            "clickhouse" => new ClickHouseWarehouse(settings, guard),
            "sqlite" => new SqliteWarehouse(organization, settings, files),
            "duckdb" => new DuckDbWarehouse(organization, settings, files),
            _ => throw WarehouseMessages.Refused(
                $"The service only stores connections of this type and cannot use them. It can use the types {string.Join(", ", Types)}."),
        };
    }
}
