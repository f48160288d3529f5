using System.Diagnostics;
using System.Text;
using Catalog.Data.Database;
using Catalog.Data.Warehouses;
using Catalog.Tests.Support;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Catalog.Tests.Warehouses;

/// <summary>
/// Tests the guard with <see cref="RefusedSql"/>, <see cref="AllowedSql"/>, engines and random texts.
/// </summary>
[Trait("Category", "Fast")]
public sealed class SqlGuardTests
{
    private const int MaxBytes = 64 * 1024;

    private static readonly WarehouseSqlFamily[] Families = Enum.GetValues<WarehouseSqlFamily>();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Statements_that_do_more_than_read_are_refused_with_the_reason() => AssertRefused(
        SqlGuard.Refuse,
        RefusedSql.StatementsOfAll.SelectMany(row => Families.Select(family => (family, row.Sql, row.Reason)))
            .Concat(RefusedSql.Statements));

    [Fact]
    public void Conditions_that_could_leave_their_place_are_refused_with_the_reason() => AssertRefused(
        SqlGuard.RefuseExpression,
        RefusedSql.ConditionsOfAll.SelectMany(row => Families.Select(family => (family, row.Sql, row.Reason)))
            .Concat(RefusedSql.Conditions));

    [Fact]
    public void Queries_are_allowed() => AssertNone(
        Families.SelectMany(AllowedBy).Select(row => (row.Family, row.Sql, SqlGuard.Refuse(row.Sql, row.Family)))
            .Where(row => row.Item3 is not null));

    [Fact]
    public void Conditions_are_allowed_alone_and_in_a_query() => AssertNone(
        Families.SelectMany(ConditionsAllowedBy)
            .Select(row => (row.Family, row.Sql,
                SqlGuard.RefuseExpression(row.Sql, row.Family) ?? SqlGuard.Refuse(InQuery(row.Sql), row.Family)))
            .Where(row => row.Item3 is not null));

    // A text that no engine accepts proves nothing about the guard, so every text of the tests must parse.
    [Fact]
    public async Task What_is_allowed_parses_on_SQLite()
    {
        await using var connection = new SqliteConnection("Data Source=:memory:");
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
        command.CommandText = AllowedSql.Tables("text");
        await command.ExecuteNonQueryAsync(Ct);
        foreach (var sql in Texts(WarehouseSqlFamily.Sqlite))
        {
            command.CommandText = sql;
            Assert.True(await Record.ExceptionAsync(() => command.PrepareAsync(Ct)) is null, sql);
        }
    }

    [Fact]
    public async Task What_is_allowed_parses_on_Postgres()
    {
        Assert.SkipWhen(PostgresServer.Shared.Unavailable is not null, PostgresServer.Shared.Unavailable ?? "");
        var settings = PostgresUri.Parse("POSTGRES_DSN", await PostgresTestDatabase.Empty("guard"));
        settings.Pooling = false;
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(AllowedSql.Tables("jsonb"), connection);
        await command.ExecuteNonQueryAsync(Ct);
        foreach (var sql in Texts(WarehouseSqlFamily.Postgres))
        {
            command.CommandText = sql;
            var problem = await Record.ExceptionAsync(() => command.PrepareAsync(Ct));
            Assert.True(problem is null, $"{sql}: {problem?.Message}");
        }
    }

    [Theory]
    [InlineData("select 1", "select 1")]
    [InlineData(" /* a */ select 1 ; -- b", "select 1")]
    [InlineData("select 1 -- b", "select 1")]
    [InlineData("select ';' /* a */ ; /* b */\n", "select ';'")]
    public void A_statement_is_cut_to_what_runs(string sql, string statement) =>
        Assert.Equal(statement, SqlGuard.Statement(sql, WarehouseSqlFamily.Postgres));

    [Fact]
    public void A_refused_statement_is_not_cut() =>
        Assert.Throws<ArgumentException>(() => SqlGuard.Statement("select 1; select 2", WarehouseSqlFamily.Postgres));

    [Fact]
    public void A_text_of_64_KiB_is_judged_and_a_longer_one_is_refused()
    {
        const string start = "select '";
        foreach (var family in Families)
        {
            Assert.Null(SqlGuard.Refuse(start + new string('x', MaxBytes - start.Length - 1) + "'", family));
            Assert.Contains("64 KiB", SqlGuard.Refuse(start + new string('x', MaxBytes - start.Length) + "'", family));
            Assert.Contains("64 KiB", SqlGuard.Refuse(start + new string('\u00e9', MaxBytes / 2) + "'", family));
            Assert.Contains("64 KiB", SqlGuard.RefuseExpression(new string(' ', MaxBytes + 1), family));
        }
    }

    [Fact]
    public void Parentheses_are_at_most_100_deep()
    {
        static string Nested(int depth) => $"select {new string('(', depth)}1{new string(')', depth)}";

        foreach (var family in Families)
        {
            Assert.Null(SqlGuard.Refuse(Nested(100), family));
            Assert.Contains("100 deep", SqlGuard.Refuse(Nested(101), family));
        }
    }

    [Theory]
    [InlineData("(")]
    [InlineData("((")]
    [InlineData("()")]
    [InlineData("/*")]
    [InlineData("/**/")]
    [InlineData("'")]
    [InlineData("\"")]
    [InlineData("$a$")]
    [InlineData("$")]
    [InlineData("[")]
    [InlineData("--\n")]
    [InlineData("a.")]
    [InlineData("f(1),")]
    [InlineData("from a,")]
    [InlineData("1e")]
    [InlineData("\\'")]
    [InlineData("\ud83d\ude80")]
    public void A_long_text_is_judged_quickly(string part)
    {
        var body = string.Concat(Enumerable.Repeat(part, (MaxBytes - 10) / Encoding.UTF8.GetByteCount(part)));
        var watch = Stopwatch.StartNew();
        foreach (var family in Families)
        {
            _ = SqlGuard.Refuse("select " + body, family);
            _ = SqlGuard.RefuseExpression(body, family);
        }

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Random_texts_are_judged_without_an_exception()
    {
        string[] parts =
        [
            "select ", "from ", "with ", "x", " as ", "(", ")", "[", "]", "{", "}", "'", "''", "\"", "`", "\\", "$$", "$a$", "$1",
            "/*", "*/", "--", "#", "\n", "\r", ";", ",", ".", "1", "0x", "1e", "e'", "u&", "@", "@a", ":", "?", "update ",
            "delete ", "into ", "for ", "join ", "file", "pg_sleep", "load_file", "read_csv", ".csv", "or ", "=", "-", "/",
            "\ud83d\ude80", "\ud800", "\u00e9", "\u00a0", "\0",
        ];
        var random = new Random(16);
        var allowed = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => parts[random.Next(parts.Length)]));
            var family = Families[random.Next(Families.Length)];
            if (SqlGuard.Refuse("select " + text, family) is null)
            {
                Assert.Null(SqlGuard.Refuse(SqlGuard.Statement("select " + text, family), family));
            }

            if (SqlGuard.RefuseExpression(text, family) is null)
            {
                allowed++;
                Assert.True(SqlGuard.Refuse(InQuery(text), family) is null, $"{family}: {text} is allowed, but not in a query.");
            }
        }

        Assert.InRange(allowed, 100, 10_000);
    }

    private static void AssertRefused(
        Func<string, WarehouseSqlFamily, string?> refuse, IEnumerable<(WarehouseSqlFamily Family, string Sql, string Reason)> rows) =>
        AssertNone(rows.Select(row => (row.Reason, Judged: (row.Family, row.Sql, Answer: refuse(row.Sql, row.Family))))
            .Where(row => row.Judged.Answer?.Contains(row.Reason, StringComparison.Ordinal) != true).Select(row => row.Judged));

    // All wrong judgements are shown at once.
    private static void AssertNone(IEnumerable<(WarehouseSqlFamily Family, string Sql, string? Answer)> wrong) =>
        Assert.Equal("", string.Join('\n', wrong.Select(row => $"{row.Family}: {row.Sql} -> {row.Answer ?? "allowed"}")));

    private static IEnumerable<(WarehouseSqlFamily Family, string Sql)> AllowedBy(WarehouseSqlFamily family) =>
        AllowedSql.StatementsOfAll.Select(sql => (family, sql)).Concat(AllowedSql.Statements.Where(row => row.Family == family));

    private static IEnumerable<(WarehouseSqlFamily Family, string Sql)> ConditionsAllowedBy(WarehouseSqlFamily family) =>
        AllowedSql.ConditionsOfAll.Select(sql => (family, sql))
            .Concat(AllowedSql.Conditions.Where(row => row.Family == family));

    private static IEnumerable<string> Texts(WarehouseSqlFamily family) =>
        AllowedBy(family).Select(row => row.Sql).Concat(ConditionsAllowedBy(family).Select(row => InQuery(row.Sql)));

    private static string InQuery(string condition) => $"select 1 from t cross join orders where ({condition})";
}
