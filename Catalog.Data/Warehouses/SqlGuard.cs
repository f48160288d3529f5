namespace Catalog.Data.Warehouses;

/// <summary>The rules by which SQL of a user is read.</summary>
public enum WarehouseSqlFamily
{
    Postgres,
    MySql,
    Sqlite,
    DuckDb,
    SqlServer,
    ClickHouse,
}

/// <summary>Placeholder until the guard is merged.</summary>
public static class SqlGuard
{
    public static string? Refuse(string sql, WarehouseSqlFamily family) => null;
    public static string? RefuseExpression(string sql, WarehouseSqlFamily family) => null;
}
