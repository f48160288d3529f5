using System.Diagnostics;
using Catalog.Data.Warehouses;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Catalog.Tests.Warehouses;

[Trait("Category", "Fast")]
public sealed class SqlGuardTests
{
    private static readonly WarehouseSqlFamily[] Families = Enum.GetValues<WarehouseSqlFamily>();

    [Theory]
    [MemberData(nameof(RefusedSql.Statements), MemberType = typeof(RefusedSql))]
    public void A_statement_is_refused(WarehouseSqlFamily family, string sql, string reason) =>
        AssertReason(reason, SqlGuard.Refuse(sql, family));

    [Theory]
    [MemberData(nameof(RefusedSql.Conditions), MemberType = typeof(RefusedSql))]
    public void A_condition_is_refused(WarehouseSqlFamily family, string sql, string reason) =>
        AssertReason(reason, SqlGuard.RefuseExpression(sql, family));

    [Theory]
    [MemberData(nameof(AllowedSql.Statements), MemberType = typeof(AllowedSql))]
    public void A_statement_is_allowed(WarehouseSqlFamily family, string sql) => Assert.Null(SqlGuard.Refuse(sql, family));

    [Theory]
    [MemberData(nameof(AllowedSql.Conditions), MemberType = typeof(AllowedSql))]
    public void A_condition_is_allowed(WarehouseSqlFamily family, string sql) => Assert.Null(SqlGuard.RefuseExpression(sql, family));

    [Fact]
    public void The_tables_of_cases_are_long()
    {
        Assert.True(RefusedSql.Statements.Count >= 100, $"{RefusedSql.Statements.Count} refused statements");
        Assert.True(AllowedSql.Statements.Count >= 60, $"{AllowedSql.Statements.Count} allowed statements");
        Assert.All(Families, family => Assert.Contains(RefusedSql.Statements, row => row.Data.Item1 == family));
    }

    [Theory]
    [InlineData("select 1", "select 1")]
    [InlineData(" /* a */ select 1 ; -- b", "select 1")]
    [InlineData("select 1 -- b", "select 1")]
    [InlineData("select ';' /* a */ ; /* b */", "select ';'")]
    public void A_statement_is_cut_to_its_tokens(string sql, string statement) =>
        Assert.Equal(statement, SqlGuard.Statement(sql, WarehouseSqlFamily.Postgres));

    [Fact]
    public void A_refused_statement_is_not_cut() =>
        Assert.Throws<ArgumentException>(() => SqlGuard.Statement("select 1; select 2", WarehouseSqlFamily.Postgres));

    // A lexer that copies or searches the rest of the text for each character needs minutes for these.
    [Theory]
    [InlineData("(")]
    [InlineData("/*")]
    [InlineData("/*/")]
    [InlineData("'")]
    [InlineData("''")]
    [InlineData("\\")]
    [InlineData("$a$")]
    [InlineData("$")]
    [InlineData("--\n")]
    [InlineData("a.")]
    [InlineData("select ")]
    [InlineData("from a,")]
    [InlineData("E'\\")]
    [InlineData("[{(")]
    [InlineData("1")]
    [InlineData("ｐ")]
    [InlineData("\ud800")]
    public void Long_texts_are_judged_quickly(string part)
    {
        var sql = string.Concat(Enumerable.Repeat(part, SqlGuard.MaxLength / part.Length));
        var clock = Stopwatch.StartNew();
        foreach (var family in Families)
        {
            SqlGuard.Refuse(sql, family);
            SqlGuard.Refuse("select " + sql[..^7], family);
            SqlGuard.RefuseExpression(sql, family);
        }

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"{clock.Elapsed}");
    }

    [Fact]
    public void Random_texts_are_judged_without_an_exception()
    {
        string[] parts =
        [
            "select ", "with x as (", ") ", "(", "from ", "'", "''", "\"", "`", "[", "]", "$$", "$a$", "--", "\n", "\r", "#", "/*", "*/", "/*!",
            ";", ",", ".", "..", "e'", "U&\"", "N'", "\\", "1", "0x", "1e", "into ", "for update", "pg_sleep", "delete ", "@", ":", "?", "{",
            "}", "größe", "ｆ", "\ud83d", "\ude00", "\u00a0", "\0", "as ", " union ", "a",
        ];
        var random = new Random(16);
        for (var round = 0; round < 50_000; round++)
        {
            var sql = string.Concat(Enumerable.Range(0, random.Next(1, 30)).Select(_ => random.Next(20) == 0
                ? ((char)random.Next(char.MaxValue)).ToString() : parts[random.Next(parts.Length)]));
            var family = Families[random.Next(Families.Length)];
            if (SqlGuard.Refuse(sql, family) is null)
            {
                // What is allowed stays allowed when it is cut.
                Assert.Null(SqlGuard.Refuse(SqlGuard.Statement(sql, family), family));
            }

            SqlGuard.RefuseExpression(sql, family);
        }
    }

    private static void AssertReason(string expected, string? actual)
    {
        Assert.Contains(expected, actual ?? "(allowed)", StringComparison.Ordinal);
        Assert.True(actual!.EndsWith('.') && actual.Length < 200, actual);
    }
}

/// <summary>The allowed statements are valid on the server, so the table contains no invented SQL.</summary>
public sealed class AllowedSqlOnSqliteTests
{
    [Fact]
    public void Each_allowed_statement_and_condition_is_accepted()
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        Array.ForEach(AllowedSql.Tables, table => connection.Execute(table));
        Assert.All(AllowedSqlOf.Family(WarehouseSqlFamily.Sqlite), sql => connection.Query($"explain {sql}"));
    }
}

public sealed class AllowedSqlOnPostgresTests(PostgresTestDatabase database) : IClassFixture<PostgresTestDatabase>
{
    [Fact]
    public async Task Each_allowed_statement_and_condition_is_accepted()
    {
        database.Require();
        await using var source = NpgsqlDataSource.Create(PostgresUri(database));
        await using var connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await connection.ExecuteAsync("create schema guarded; set search_path = guarded");
        Array.ForEach(AllowedSql.Tables, table => connection.Execute(table));
        Assert.All(AllowedSqlOf.Family(WarehouseSqlFamily.Postgres), sql => connection.Execute($"explain {sql}"));
    }

    private static string PostgresUri(PostgresTestDatabase database) =>
        Catalog.Data.Database.PostgresUri.Parse("test", database.Address).ConnectionString;
}

internal static class AllowedSqlOf
{
    public static IEnumerable<string> Family(WarehouseSqlFamily family) =>
        AllowedSql.Statements.Where(row => row.Data.Item1 == family).Select(row => SqlGuard.Statement(row.Data.Item2, family))
            .Concat(AllowedSql.Conditions.Where(row => row.Data.Item1 == family)
                .Select(row => $"select 1 from orders where ({row.Data.Item2})"));
}
