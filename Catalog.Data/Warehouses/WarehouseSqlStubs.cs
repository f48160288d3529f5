namespace Catalog.Data.Warehouses.Sql;

internal sealed class PostgresSql : PlainSql;

internal sealed class MySqlSql : PlainSql;

internal sealed class SqliteSql : PlainSql;

internal sealed class DuckDbSql : PlainSql;

internal sealed class SqlServerSql : PlainSql;

internal sealed class ClickHouseSql : PlainSql;

internal abstract class PlainSql : WarehouseSql
{
    public override string Quote(string identifier) => $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
