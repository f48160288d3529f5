using System.Globalization;

namespace Catalog.Data.Warehouses.Sql;

/// <summary>SQL of DuckDB.</summary>
public sealed class DuckDbSql : WarehouseSql
{
    /// <inheritdoc />
    public override WarehouseSqlFamily Family => WarehouseSqlFamily.DuckDb;

    /// <inheritdoc />
    public override string Length(string expression) => $"length({expression})";

    /// <inheritdoc />
    public override string Matches(string expression, string pattern) => $"regexp_matches({AsText(expression)}, {Text(pattern)})";

    /// <inheritdoc />
    public override string Quantile(string expression, double quantile) =>
        $"quantile_cont({expression}, {quantile.ToString(CultureInfo.InvariantCulture)})";
}
