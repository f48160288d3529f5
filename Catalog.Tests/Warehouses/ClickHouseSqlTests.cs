using System.Text.Json;
using Catalog.Data.Warehouses.Sql;

namespace Catalog.Tests.Warehouses;

/// <summary>The SQL for ClickHouse. No test can start a ClickHouse server.</summary>
[Trait("Category", "Fast")]
public sealed class ClickHouseSqlTests
{
    private static readonly ClickHouseSql ClickHouse = new();

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
