using System.Globalization;

namespace Catalog.Data.Warehouses.Sql;

/// <summary>SQL of SQLite. <see cref="SqliteFunctions"/> adds the functions that SQLite lacks.</summary>
public sealed class SqliteSql : WarehouseSql
{
    /// <inheritdoc />
    public override WarehouseSqlFamily Family => WarehouseSqlFamily.Sqlite;

    /// <inheritdoc />
    public override string Boolean(bool value) => value ? "1" : "0";

    /// <inheritdoc />
    public override string AsDouble(string expression) => $"cast({expression} as real)";

    /// <inheritdoc />
    public override string Length(string expression) => $"length({AsText(expression)})";

    /// <inheritdoc />
    public override string Matches(string expression, string pattern) => $"{AsText(expression)} regexp {Text(pattern)}";

    /// <inheritdoc />
    /// <remarks>LIKE of SQLite ignores upper and lower case, so the pattern becomes a regular expression.</remarks>
    public override string Like(string expression, string pattern) => Matches(expression, LikeAsRegex(pattern));

    /// <inheritdoc />
    public override string Quantile(string expression, double quantile) =>
        $"catalog_quantile({expression}, {quantile.ToString(CultureInfo.InvariantCulture)})";

    /// <inheritdoc />
    public override string StandardDeviation(string expression) => $"catalog_stddev({expression})";

    /// <inheritdoc />
    public override string Columns(string table) => NameParts(table) is [var schema, var name]
        ? $"select name, type from pragma_table_info({Text(name)}, {Text(schema)}) order by cid"
        : $"select name, type from pragma_table_info({Text(NameParts(table)[^1])}) order by cid";
}
