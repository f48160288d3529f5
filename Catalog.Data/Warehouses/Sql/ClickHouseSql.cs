using System.Globalization;

namespace Catalog.Data.Warehouses.Sql;

/// <summary>SQL of ClickHouse. It is not tested against a real server.</summary>
public sealed class ClickHouseSql : WarehouseSql
{
    /// <inheritdoc />
    public override WarehouseSqlFamily Family => WarehouseSqlFamily.ClickHouse;

    /// <inheritdoc />
    protected override string CurrentSchema => "currentDatabase()";

    /// <inheritdoc />
    public override string Quote(string identifier) =>
        $"`{identifier.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("`", "\\`", StringComparison.Ordinal)}`";

    /// <inheritdoc />
    public override string Text(string value) =>
        $"'{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";

    /// <inheritdoc />
    public override string AsText(string expression) => $"toString({expression})";

    /// <inheritdoc />
    public override string AsDouble(string expression) => $"toFloat64({expression})";

    /// <inheritdoc />
    public override string Length(string expression) => $"lengthUTF8({AsText(expression)})";

    /// <inheritdoc />
    public override string Matches(string expression, string pattern) => $"match({AsText(expression)}, {Text(pattern)})";

    /// <inheritdoc />
    /// <remarks>The escape character is always a backslash, because LIKE of ClickHouse has no ESCAPE clause.</remarks>
    public override string Like(string expression, string pattern) => $"{AsText(expression)} like {Text(pattern)}";

    /// <inheritdoc />
    public override string StandardDeviation(string expression) => $"stddevSamp({expression})";

    /// <inheritdoc />
    public override string Quantile(string expression, double quantile) =>
        $"quantileExactInclusive({quantile.ToString(CultureInfo.InvariantCulture)})({expression})";
}
