using System.Text.Json;
using Catalog.Data.Warehouses.Sql;

namespace Catalog.Tests.Executions;

/// <summary>The SQL of the types of warehouses that no test can start.</summary>
[Trait("Category", "Fast")]
public sealed class StatementTests
{
    private static readonly SqlServerSql SqlServer = new();
    private static readonly ClickHouseSql ClickHouse = new();

    [Fact]
    public void SqlServer_has_its_own_quotes_literals_and_functions()
    {
        Assert.Equal("[my]].schema].[Or\"ders]", SqlServer.Table("\"my].schema\".\"Or\"\"ders\""));
        Assert.Equal("N'o''hara \\'", SqlServer.Text("o'hara \\"));
        Assert.Equal("1", SqlServer.Literal(Json("true")));
        Assert.Equal("(len(cast([c] as nvarchar(max)) + N'x') - 1)", SqlServer.Length("[c]"));
        Assert.Equal("cast([c] as nvarchar(max)) like N'50\\%\\[a]_' escape N'\\'", SqlServer.Like("[c]", "50\\%[a]_"));
        Assert.Equal("sum(cast([c] as float))", SqlServer.Sum("[c]"));
        Assert.Equal("stdev([c])", SqlServer.StandardDeviation("[c]"));
        Assert.Equal("select top 3 [c] from [t]", SqlServer.Limit("select [c] from [t]", 3));
        Assert.Equal("select column_name, data_type from information_schema.columns where table_name = N'orders' "
            + "and table_schema = schema_name() order by ordinal_position", SqlServer.Columns("orders"));
        Assert.False(SqlServer.HasQuantile);
        Assert.Throws<NotSupportedException>(() => SqlServer.Matches("[c]", "^a"));
    }

    [Fact]
    public void ClickHouse_has_its_own_quotes_literals_and_functions()
    {
        Assert.Equal("`my\\`db`.`orders`", ClickHouse.Table("my`db.orders"));
        Assert.Equal("'o\\'hara \\\\'", ClickHouse.Text("o'hara \\"));
        Assert.Equal("true", ClickHouse.Literal(Json("true")));
        Assert.Equal("lengthUTF8(toString(`c`))", ClickHouse.Length("`c`"));
        Assert.Equal("match(toString(`c`), '^\\\\d')", ClickHouse.Matches("`c`", "^\\d"));
        Assert.Equal("toString(`c`) like '50\\\\%_'", ClickHouse.Like("`c`", "50\\%_"));
        Assert.Equal("stddevSamp(`c`)", ClickHouse.StandardDeviation("`c`"));
        Assert.Equal("quantileExactInclusive(0.25)(`c`)", ClickHouse.Quantile("`c`", 0.25));
        Assert.Equal("select `c` from `t` limit 3", ClickHouse.Limit("select `c` from `t`", 3));
        Assert.Contains("table_schema = 'mart'", ClickHouse.Columns("mart.orders"), StringComparison.Ordinal);
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
