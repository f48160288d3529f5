using Catalog.Tests.Support;
using Catalog.Tests.Warehouses;

namespace Catalog.Tests.Executions;

public sealed class VerdictsOnSqlite(SqliteSource source) : VerdictTests(source, "text", "text"), IClassFixture<SqliteSource>;

public sealed class VerdictsOnDuckDb(DuckDbSource source) : VerdictTests(source, "varchar", "timestamp"), IClassFixture<DuckDbSource>;

public sealed class VerdictsOnPostgres : VerdictTests, IClassFixture<PostgresSource>
{
    public VerdictsOnPostgres(PostgresSource source) : base(source, "text", "timestamp") =>
        Assert.SkipWhen(PostgresServer.Shared.Unavailable is not null, PostgresServer.Shared.Unavailable ?? "");
}

public sealed class VerdictsOnMariaDb : VerdictTests, IClassFixture<MariaDbSource>
{
    public VerdictsOnMariaDb(MariaDbSource source) : base(source, "varchar(100)", "datetime") =>
        Assert.SkipWhen(MariaDbServer.Shared.Unavailable is not null, MariaDbServer.Shared.Unavailable ?? "");
}

/// <summary>Verdicts about values at the edges: times of the future, large numbers, samples that are left out.</summary>
public abstract class VerdictTests(WarehouseSource source, string text, string time) : CheckRunTestBase(source, text, time)
{
    [Theory]
    [InlineData("2026-01-06 00:04:59", "pass")]
    [InlineData("2026-01-06 00:05:01", "error")]
    [InlineData("2126-01-01 00:00:00", "error")]
    public async Task A_newest_value_of_the_future_is_not_fresh(string newest, string status)
    {
        await CreateTables();
        await Source.Execute($"update people set created = '{newest}' where id = 1");

        var verdicts = await Run(
            """{"kind":"freshness","column":"created","params":{"max_age":"1d"}}""",
            """{"kind":"freshness","column":"created","fail":{"above":"1d"}}""",
            """{"kind":"freshness","column":"created","params":{"max_age":"9d","where":"id > 1"}}""");

        Assert.Equal([status, status, "pass"], verdicts.Select(verdict => verdict.Status));
        Assert.Equal(status == "error", verdicts[0].Message.Contains("in the future", StringComparison.Ordinal));
        Assert.True(verdicts[0].ObservedNumber is null or 0, $"{verdicts[0].ObservedNumber}");
    }

    [Fact]
    public async Task Numbers_beyond_the_precision_of_a_double_are_compared_exactly()
    {
        await Source.Execute("drop table if exists big", "create table big (id bigint)", "insert into big values (9007199254740993)");
        const string Big = "\"table\":\"big\"";
        var verdicts = await Run(
            $$$"""{"kind":"max","column":"id","params":{{{{Big}}},"max":9007199254740992}}""",
            $$$"""{"kind":"max","column":"id","params":{{{{Big}}},"max":9007199254740993}}""",
            $$$"""{"kind":"min","column":"id","params":{{{{Big}}},"min":9007199254740994}}""",
            $$$"""{"kind":"sum","column":"id","params":{{{{Big}}},"min":9007199254740993,"max":9007199254740993}}""",
            $$$"""{"kind":"accepted_values","column":"id","params":{{{{Big}}},"values":[9007199254740992]}}""",
            $$$"""{"kind":"range","column":"id","params":{{{{Big}}},"max":9007199254740992}}""",
            """{"kind":"sql_value","sql":"select max(id) from big","fail":{"above":9007199254740992}}""",
            """{"kind":"sql_value","sql":"select max(id) from big","fail":{"at_most":9007199254740992}}""",
            """{"kind":"sql_value","sql":"select max(id) from big","fail":{"not_equals":9007199254740993}}""",
            """{"kind":"sql_value","sql":"select max(id) from big","fail":9007199254740992}""",
            """{"kind":"sql_value","sql":"select max(id) from big","params":{"max":"9007199254740992"}}""");

        Assert.Equal(["fail", "pass", "fail", "pass", "fail", "fail", "fail", "pass", "pass", "fail", "fail"],
            verdicts.Select(verdict => verdict.Status));
        Assert.Equal("9007199254740993", verdicts[0].ObservedValue);
        Assert.Contains("9007199254740993", verdicts[6].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_number_of_more_than_28_digits_has_a_verdict()
    {
        const string Digits = "12345678901234567890123456789012345";
        await Source.Execute("drop table if exists wide", "create table wide (id decimal(38, 2))",
            $"insert into wide values ({Digits}.25)");
        var verdicts = await Run(
            """{"kind":"max","column":"id","params":{"table":"wide","max":1}}""",
            """{"kind":"min","column":"id","params":{"table":"wide","min":1}}""",
            """{"kind":"sum","column":"id","params":{"table":"wide"},"fail":{"above":1e27}}""",
            """{"kind":"max","column":"id","params":{"table":"wide","max":2e34}}""");

        Assert.True(verdicts.Select(verdict => verdict.Status).SequenceEqual(["fail", "pass", "fail", "pass"]),
            string.Join('\n', verdicts.Select(verdict => $"{verdict.Status} {verdict.Message}")));
        Assert.Equal(1.2345678901234568e34, verdicts[0].ObservedNumber);
    }

    [Fact]
    public async Task A_sample_that_is_left_out_is_named_with_the_reason()
    {
        await CreateTables();
        await Source.Execute("drop table if exists texts", $"create table texts as select 1 as id, '{new string('x', 70_000)}' as name");

        var verdicts = await Run(
            """{"kind":"pattern","column":"name","params":{"table":"texts","regex":"^y","samples":2}}""",
            """{"kind":"expression","params":{"expression":"id > 5","samples":2}}""",
            """{"kind":"expression","columns":["id"],"params":{"expression":"id > 5","samples":1}}""",
            """{"kind":"not_null","column":"name","params":{"samples":2,"sample_deny":["name"]}}""");

        Assert.All(verdicts, verdict => Assert.Equal("fail", verdict.Status));
        Assert.Equal([null, null, """[{"id":1}]""", null], verdicts.Select(Sample));
        Assert.Contains("larger than 65536 bytes", Fact(verdicts[0], "samples_left_out"), StringComparison.Ordinal);
        Assert.Contains("names no column", Fact(verdicts[1], "samples_left_out"), StringComparison.Ordinal);
        Assert.Null(Fact(verdicts[2], "samples_left_out"));
        Assert.Contains(
            "No sample is kept: all its columns are tagged pii or named in sample_deny.", verdicts[3].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_name_the_table_the_column_and_the_unit()
    {
        await CreateTables();

        var verdicts = await Run(
            """{"kind":"unique","column":"lost"}""",
            """{"kind":"row_count","params":{"group_by":"gruop"}}""",
            """{"kind":"row_count","params":{"table":"nowhere"}}""",
            """{"kind":"relationships","column":"grp","params":{"to_table":"parents","to_column":"gone"}}""",
            """{"kind":"cross_table_row_count","params":{"other_table":"elsewhere"}}""",
            """{"kind":"freshness","column":"created","fail":{"above":"2d"}}""",
            """{"kind":"freshness","column":"name","fail":{"above":"2d"}}""",
            """{"kind":"cross_table_row_count","params":{"other_table":"parents"},"fail":{"above":4}}""");

        Assert.All(
            new[]
            {
                "table people has no column lost", "table people has no column gruop", "table nowhere does not exist",
                "table parents has no column gone", "table elsewhere does not exist", "The value is 86400 seconds",
                "column name is not a time", "The value is 6 rows, the number compared with the threshold is 4 rows",
            }.Zip(verdicts),
            pair => Assert.Contains(pair.First, pair.Second.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_misspelt_name_in_sample_deny_hides_everything()
    {
        await CreateTables();

        var verdicts = await Run(
            """{"kind":"forbidden_values","column":"name","params":{"values":["bob"],"samples":5,"sample_deny":["nmae"]}}""",
            """{"kind":"max","column":"amount","params":{"max":60,"sample_deny":["amuont"]}}""",
            """{"kind":"row_count","params":{"group_by":"grp","sample_deny":["gpr"],"min":1}}""",
            """{"kind":"forbidden_values","column":"name","params":{"values":["bob"],"samples":1,"sample_deny":["GRP"]}}""");

        Assert.Equal(["fail", "pass", "pass", "fail"], verdicts.Select(verdict => verdict.Status));
        Assert.Null(Sample(verdicts[0]));
        Assert.Contains("sample_deny names nmae", verdicts[0].Message, StringComparison.Ordinal);
        Assert.Equal("\"(hidden)\"", verdicts[1].ObservedValue);
        Assert.Contains("sample_deny names amuont", verdicts[1].Message, StringComparison.Ordinal);
        Assert.DoesNotContain("[\"a\"]", verdicts[2].Metadata, StringComparison.Ordinal);
        Assert.Contains("sample_deny names gpr", verdicts[2].Message, StringComparison.Ordinal);
        Assert.Equal("""[{"name":"bob"}]""", Sample(verdicts[3]));
    }
}
