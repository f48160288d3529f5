namespace Catalog.Data.Warehouses.Sql;

/// <summary>SQL of PostgreSQL.</summary>
public sealed class PostgresSql : WarehouseSql
{
    /// <inheritdoc />
    public override WarehouseSqlFamily Family => WarehouseSqlFamily.Postgres;

    /// <inheritdoc />
    /// <remarks>A literal that begins with E means the same with each value of standard_conforming_strings.</remarks>
    public override string Text(string value) => value.Contains('\\', StringComparison.Ordinal)
        ? $"E{base.Text(value.Replace("\\", "\\\\", StringComparison.Ordinal))}" : base.Text(value);

    /// <inheritdoc />
    /// <remarks>The server reports an error for the length of a number.</remarks>
    public override string Length(string expression) => $"char_length({expression})";

    /// <inheritdoc />
    public override string Matches(string expression, string pattern) => $"{AsText(expression)} ~ {Text(pattern)}";

    /// <inheritdoc />
    /// <remarks>
    /// The statement reads the system catalog, because information_schema hides columns that the user is not allowed to
    /// read, and ignores the search path.
    /// </remarks>
    public override string Columns(string table) =>
        "select a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a "
        + $"where a.attrelid = to_regclass({Text(Table(table))}) and a.attnum > 0 and not a.attisdropped order by a.attnum";
}
