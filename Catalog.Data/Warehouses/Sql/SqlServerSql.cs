using System.Globalization;

namespace Catalog.Data.Warehouses.Sql;

/// <summary>SQL of Microsoft SQL Server. Not tested against a server.</summary>
public sealed class SqlServerSql : WarehouseSql
{
    /// <inheritdoc />
    public override WarehouseSqlFamily Family => WarehouseSqlFamily.SqlServer;

    /// <inheritdoc />
    public override bool HasQuantile => false;

    /// <inheritdoc />
    protected override string CurrentSchema => "schema_name()";

    /// <inheritdoc />
    public override string Quote(string identifier) => $"[{identifier.Replace("]", "]]", StringComparison.Ordinal)}]";

    /// <inheritdoc />
    public override string Text(string value) => $"N{base.Text(value)}";

    /// <inheritdoc />
    public override string Boolean(bool value) => value ? "1" : "0";

    /// <inheritdoc />
    public override string AsText(string expression) => $"cast({expression} as nvarchar(max))";

    /// <inheritdoc />
    public override string AsDouble(string expression) => $"cast({expression} as float)";

    /// <inheritdoc />
    /// <remarks>LEN does not count spaces at the end.</remarks>
    public override string Length(string expression) => $"(len({AsText(expression)} + N'x') - 1)";

    /// <inheritdoc />
    public override string Matches(string expression, string pattern) =>
        throw new NotSupportedException("SQL Server has no regular expressions; use params.like.");

    /// <inheritdoc />
    /// <remarks>Brackets are a set of characters in its patterns.</remarks>
    public override string Like(string expression, string pattern) =>
        base.Like(expression, pattern.Replace("[", "\\[", StringComparison.Ordinal));

    /// <inheritdoc />
    /// <remarks>A sum of integers would be an integer, and overflow.</remarks>
    public override string Sum(string expression) => $"sum({AsDouble(expression)})";

    /// <inheritdoc />
    public override string StandardDeviation(string expression) => $"stdev({expression})";

    /// <inheritdoc />
    public override string Limit(string select, int rows) => select.StartsWith("select ", StringComparison.Ordinal)
        ? string.Create(CultureInfo.InvariantCulture, $"select top {rows} {select["select ".Length..]}")
        : throw new ArgumentException("Must start with select.", nameof(select));
}
