namespace Catalog.Data.Warehouses.Sql;

/// <summary>SQL of MySQL and MariaDB. A backslash in a text is an escape character, as it is by default.</summary>
public sealed class MySqlSql : WarehouseSql
{
    /// <inheritdoc />
    public override WarehouseSqlFamily Family => WarehouseSqlFamily.MySql;

    /// <inheritdoc />
    public override bool HasQuantile => false;

    /// <inheritdoc />
    protected override string CurrentSchema => "database()";

    /// <inheritdoc />
    public override string Quote(string identifier) => $"`{identifier.Replace("`", "``", StringComparison.Ordinal)}`";

    /// <inheritdoc />
    public override string Text(string value) =>
        $"'{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";

    /// <inheritdoc />
    public override string AsText(string expression) => $"cast({expression} as char)";

    /// <inheritdoc />
    public override string AsDouble(string expression) => $"cast({expression} as double)";

    /// <inheritdoc />
    /// <remarks>Without (?-i) the collation of the column decides whether upper and lower case differ.</remarks>
    public override string Matches(string expression, string pattern) => $"{AsText(expression)} regexp {Text("(?-i)" + pattern)}";

    /// <inheritdoc />
    /// <remarks>LIKE follows the collation of the column, which ignores upper and lower case by default.</remarks>
    public override string Like(string expression, string pattern) => Matches(expression, LikeAsRegex(pattern));

    /// <inheritdoc />
    public override string StandardDeviation(string expression) => $"stddev_samp({AsDouble(expression)})";
}
