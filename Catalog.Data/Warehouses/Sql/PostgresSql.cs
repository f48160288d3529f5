namespace Catalog.Data.Warehouses.Sql;

/// <summary>SQL of PostgreSQL.</summary>
public sealed class PostgresSql : WarehouseSql
{
    /// <inheritdoc />
    public override WarehouseSqlFamily Family => WarehouseSqlFamily.Postgres;

    /// <inheritdoc />
    public override string Matches(string expression, string pattern) => $"{AsText(expression)} ~ {Text(pattern)}";

    /// <inheritdoc />
    /// <remarks>
    /// Read from the system catalog: information_schema hides columns that the user may not read, and ignores the
    /// search path.
    /// </remarks>
    public override string Columns(string table) =>
        "select a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a "
        + $"where a.attrelid = to_regclass({Text(Table(table))}) and a.attnum > 0 and not a.attisdropped order by a.attnum";
}
