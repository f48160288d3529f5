namespace Catalog.Data.Warehouses.Sql;

/// <summary>SQL of PostgreSQL.</summary>
public sealed class PostgresSql : WarehouseSql
{
    /// <inheritdoc />
    public override WarehouseSqlFamily Family => WarehouseSqlFamily.Postgres;

    /// <inheritdoc />
    /// <remarks>The form with E means the same whatever standard_conforming_strings says.</remarks>
    public override string Text(string value) => value.Contains('\\', StringComparison.Ordinal)
        ? $"E{base.Text(value.Replace("\\", "\\\\", StringComparison.Ordinal))}" : base.Text(value);

    /// <inheritdoc />
    /// <remarks>A length of a number is an error of the server.</remarks>
    public override string Length(string expression) => $"char_length({expression})";

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
