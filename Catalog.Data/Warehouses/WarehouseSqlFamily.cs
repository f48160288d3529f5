namespace Catalog.Data.Warehouses;

/// <summary>The rules by which a type of warehouse reads SQL.</summary>
public enum WarehouseSqlFamily
{
    /// <summary>Postgres and the servers that speak its protocol.</summary>
    Postgres,

    /// <summary>MySQL and MariaDB.</summary>
    MySql,

    /// <summary>SQLite.</summary>
    Sqlite,

    /// <summary>DuckDB.</summary>
    DuckDb,

    /// <summary>ClickHouse.</summary>
    ClickHouse,
}
