using Catalog.Data.Executions;
using Catalog.Tests.Support;
using Catalog.Tests.Warehouses;

namespace Catalog.Tests.Executions;

public sealed class CheckKindsOnSqlite(SqliteSource source) : CheckKindTests(source, "text", "text"), IClassFixture<SqliteSource>;

public sealed class CheckKindsOnDuckDb(DuckDbSource source) : CheckKindTests(source, "varchar", "timestamp"), IClassFixture<DuckDbSource>;

public sealed class CheckKindsOnPostgres : CheckKindTests, IClassFixture<PostgresSource>
{
    public CheckKindsOnPostgres(PostgresSource source) : base(source, "text", "timestamp") =>
        Assert.SkipWhen(PostgresServer.Shared.Unavailable is not null, PostgresServer.Shared.Unavailable ?? "");
}

public sealed class CheckKindsOnMariaDb : CheckKindTests, IClassFixture<MariaDbSource>
{
    public CheckKindsOnMariaDb(MariaDbSource source) : base(source, "varchar(100)", "datetime") =>
        Assert.SkipWhen(MariaDbServer.Shared.Unavailable is not null, MariaDbServer.Shared.Unavailable ?? "");
}

/// <summary>The kinds of checks on a real warehouse: numbers, NULL, empty tables, errors, groups, samples and history.</summary>
public abstract class CheckKindTests(WarehouseSource source, string text, string time) : CheckRunTestBase(source, text, time)
{
    // Each row has the definition and the expected status, number, failed rows and judged rows.
    public static TheoryData<string, string, double?, long?, long?> Kinds { get; } = new()
    {
        { """{"kind":"row_count"}""", "pass", 6, null, 6 },
        { """{"kind":"row_count","params":{"min":7}}""", "fail", 6, null, 6 },
        { """{"kind":"row_count","params":{"where":"grp = 'b'"},"fail":{"not_equals":3}}""", "pass", 3, null, 3 },
        { """{"kind":"row_count","warn":{"above":5},"fail":{"above":6}}""", "warn", 6, null, 6 },
        { """{"kind":"not_null","column":"name"}""", "fail", 1, 1, 6 },
        { """{"kind":"not_null","column":"name","params":{"where":"grp <> 'b'"}}""", "pass", 0, 0, 3 },
        { """{"kind":"not_null","column":"name","fail":{"above":17,"unit":"percent"}}""", "pass", 1, 1, 6 },
        { """{"kind":"not_null","column":"name","fail":{"above":33,"unit":"percent"},"params":{"where":"grp = 'b'"}}""", "fail", 1, 1, 3 },
        { """{"kind":"null","column":"note"}""", "fail", 5, 5, 6 },
        { """{"kind":"missing","column":"note"}""", "fail", 2, 2, 6 },
        { """{"kind":"missing","column":"note","params":{"values":["null"]}}""", "fail", 3, 3, 6 },
        { """{"kind":"unique","column":"name"}""", "fail", 2, 2, 5 },
        { """{"kind":"unique","column":"name","params":{"measure":"values"}}""", "fail", 1, 1, 4 },
        { """{"kind":"unique","column":"name","params":{"measure":"surplus"}}""", "fail", 1, 1, 5 },
        { """{"kind":"unique","columns":["name","grp"]}""", "pass", 0, 0, 6 },
        { """{"kind":"unique","column":"id"}""", "pass", 0, 0, 6 },
        { """{"kind":"accepted_values","column":"grp","params":{"values":["a","b"]}}""", "fail", 1, 1, 6 },
        { """{"kind":"accepted_values","column":"name","params":{"values":["ann","bob","Éva","o'hara"]}}""", "pass", 0, 0, 5 },
        { """{"kind":"accepted_values","column":"id","params":{"values":[]}}""", "fail", 6, 6, 6 },
        { """{"kind":"forbidden_values","column":"name","params":{"values":["o'hara"]}}""", "fail", 1, 1, 5 },
        { """{"kind":"range","column":"amount","params":{"min":10,"max":50}}""", "pass", 0, 0, 5 },
        { """{"kind":"range","column":"amount","params":{"min":10,"max":50,"strict_min":true,"strict_max":true}}""", "fail", 2, 2, 5 },
        { """{"kind":"range","column":"created","params":{"min":"2026-01-02 00:00:00"}}""", "fail", 1, 1, 5 },
        { """{"kind":"range","column":"grp","params":{"max":"b"}}""", "fail", 1, 1, 6 },
        { """{"kind":"length","column":"name","params":{"min":3,"max":3}}""", "fail", 1, 1, 5 },
        { """{"kind":"pattern","column":"name","params":{"regex":"^[a-z]"}}""", "fail", 1, 1, 5 },
        { """{"kind":"pattern","column":"name","params":{"like":"B%","negated":true}}""", "pass", 0, 0, 5 },
        { """{"kind":"pattern","column":"name","params":{"like":"b_b"}}""", "fail", 3, 3, 5 },
        { """{"kind":"pattern","column":"name","params":{"like":"b\\_b"}}""", "fail", 5, 5, 5 },
        { """{"kind":"pattern","column":"note","params":{"format":"email"}}""", "fail", 5, 5, 5 },
        { """{"kind":"relationships","column":"grp","params":{"to_table":"parents","to_column":"grp"}}""", "fail", 1, 1, 6 },
        { """{"kind":"compare_columns","columns":["amount","id"],"params":{"operator":">"}}""", "pass", 0, 0, 5 },
        { """{"kind":"compare_columns","columns":["amount","id"],"params":{"operator":">","nulls":"fail"}}""", "fail", 1, 1, 6 },
        { """{"kind":"expression","params":{"expression":"amount > id * 5"}}""", "pass", 0, 0, 5 },
        { """{"kind":"min","column":"amount","params":{"min":10}}""", "pass", 10, null, null },
        { """{"kind":"max","column":"amount","params":{"max":49}}""", "fail", 50, null, null },
        { """{"kind":"avg","column":"amount","params":{"min":30,"max":30}}""", "pass", 30, null, null },
        { """{"kind":"sum","column":"amount","params":{"where":"grp = 'a'","min":30,"max":30}}""", "pass", 30, null, null },
        { """{"kind":"stddev","column":"amount","params":{"min":15.811,"max":15.812}}""", "pass", null, null, null },
        { """{"kind":"median","column":"amount","params":{"min":30,"max":30}}""", "pass", 30, null, null },
        { """{"kind":"quantile","column":"amount","params":{"quantile":0.1,"min":13.999,"max":14.001}}""", "pass", null, null, null },
        { """{"kind":"quantile","column":"amount","params":{"quantile":1,"min":50,"max":50}}""", "pass", 50, null, null },
        { """{"kind":"distinct_count","column":"name","params":{"min":4,"max":4}}""", "pass", 4, null, null },
        { """{"kind":"distinct_share","column":"name","params":{"max":0.8}}""", "pass", 0.8, null, null },
        { """{"kind":"most_common_value","column":"grp","params":{"values":["b"]}}""", "pass", 0, null, null },
        { """{"kind":"most_common_value","column":"amount","params":{"values":[10],"where":"id < 3"}}""", "fail", 1, null, null },
        { """{"kind":"most_common_value","column":"amount","params":{"values":[10],"ties":"any","where":"id < 3"}}""", "pass", 0, null, null },
        { """{"kind":"schema","params":{"columns":["id","name"],"mode":"contains"}}""", "pass", 0, null, null },
        { """{"kind":"schema","params":{"columns":["id","lost"],"mode":"contains"}}""", "fail", 1, null, null },
        { """{"kind":"freshness","column":"created","fail":{"above":"2d"}}""", "pass", 86400, null, null },
        { """{"kind":"freshness","column":"created","warn":{"above":"1h"},"fail":{"above":"2d"}}""", "warn", 86400, null, null },
        { """{"kind":"freshness","column":"created","params":{"max_age":"1d","time_zone":"America/New_York"}}""", "pass", 68400, null, null },
        { """{"kind":"cross_table_row_count","params":{"other_table":"parents"},"fail":{"above":4}}""", "pass", 6, null, 2 },
        { """{"kind":"cross_table_row_count","params":{"other_table":"parents"}}""", "fail", 6, null, 2 },
        { """{"kind":"sql_rows","sql":"select id from people where id > 4; "}""", "fail", 2, 2, null },
        { """{"kind":"sql_rows","sql":"select id from people where id > 4 -- end"}""", "fail", 2, 2, null },
        { """{"kind":"sql_value","sql":"select sum(id) from people","params":{"min":21,"max":21}}""", "pass", 21, null, null },
        // The condition matches no row, so there is no value.
        { """{"kind":"min","column":"amount","params":{"where":"id > 100","min":1}}""", "fail", null, null, null },
        { """{"kind":"avg","column":"amount","params":{"where":"id > 100"},"warn":{"above":1}}""", "warn", null, null, null },
        { """{"kind":"most_common_value","column":"grp","params":{"where":"id > 100","values":["a"]}}""", "fail", null, null, null },
        // The name of the column has quotes, blanks, upper case and a keyword.
        { """{"kind":"not_null","column":"Select \"x\" `y`"}""", "fail", 5, 5, 6 },
        // A check that cannot be judged has the status error.
        { """{"kind":"not_null","column":"lost"}""", "error", null, null, null },
        { """{"kind":"row_count","params":{"table":"lost"}}""", "error", null, null, null },
        { """{"kind":"row_count","params":{"where":"lost = 1"}}""", "error", null, null, null },
        { """{"kind":"sql_value","sql":"select id from people","fail":1}""", "error", null, null, null },
    };

    [Fact]
    public async Task Each_kind_has_its_number_and_verdict()
    {
        await CreateTables();
        var cases = Kinds.Select(row => row.Data).ToList();
        var verdicts = await Run([.. cases.Select(row => row.Item1)]);
        var wrong = cases.Zip(verdicts).Where(pair => pair.Second.Status != pair.First.Item2
                || (pair.First.Item3 is { } number && !(Math.Abs(number - (pair.Second.ObservedNumber ?? double.NaN)) < 1e-9))
                || pair.Second.FailedRows != pair.First.Item4 || pair.Second.TotalRows != pair.First.Item5)
            .Select(pair => $"{pair.First.Item1}: {pair.Second.Status} {pair.Second.ObservedNumber} {pair.Second.FailedRows}/"
                + $"{pair.Second.TotalRows} {pair.Second.Message} {pair.Second.Metadata}").ToList();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task An_empty_table_fails_only_the_row_count_and_freshness()
    {
        await CreateTables();
        var verdicts = await Run(
            """{"kind":"row_count","params":{"table":"nobody"}}""", """{"kind":"freshness","column":"created","params":{"table":"nobody","max_age":"1h"}}""",
            """{"kind":"not_null","column":"name","params":{"table":"nobody"}}""",
            """{"kind":"range","column":"id","params":{"table":"nobody","min":1},"fail":{"above":1,"unit":"percent"}}""",
            """{"kind":"unique","column":"id","params":{"table":"nobody"}}""",
            """{"kind":"relationships","column":"name","params":{"table":"nobody","to_table":"parents","to_column":"grp"}}""",
            """{"kind":"distinct_count","column":"id","params":{"table":"nobody","max":0}}""");
        Assert.Equal(["fail", "fail", "pass", "pass", "pass", "pass", "pass"], verdicts.Select(verdict => verdict.Status));
    }

    [Fact]
    public async Task Aggregates_of_one_table_are_one_statement()
    {
        await CreateTables();
        var checks = Enumerable.Range(0, 20).Select(i =>
            $$$"""{"kind":"range","column":"amount","params":{"min":{{{i}}},"where":"id > {{{i % 3}}}"}}""").ToArray();
        Assert.All(await Run(checks), verdict => Assert.NotEqual("error", verdict.Status));
        Assert.Equal(1, Statements);
    }

    [Theory]
    [InlineData("""{"kind":"not_null","column":"lost"}""", 3)]
    [InlineData("""{"kind":"row_count","params":{"where":"lost = 1"}}""", 12)]
    [InlineData("""{"kind":"row_count","params":{"where":"id in (select id from lost)"}}""", 12)]
    public async Task A_faulty_check_among_twenty_is_the_only_error(string faulty, int atMost)
    {
        await CreateTables();
        var checks = Enumerable.Range(0, 19).Select(i => $$$"""{"kind":"range","column":"amount","params":{"min":{{{i}}}}}""").ToList();
        checks.Insert(7, faulty);
        var verdicts = await Run([.. checks]);
        Assert.Equal([7], verdicts.Index().Where(verdict => verdict.Item.Status == "error").Select(verdict => verdict.Index));
        Assert.InRange(Statements, 2, atMost);
    }

    [Fact]
    public async Task Groups_are_judged_one_by_one_and_the_worst_decides()
    {
        await CreateTables();
        Pii.Add("name");
        var verdicts = await Run(
            """{"kind":"row_count","params":{"group_by":"grp","min":2}}""", """{"kind":"not_null","column":"name","params":{"group_by":["grp"]}}""",
            """{"kind":"row_count","params":{"group_by":"grp","max_groups":2}}""", """{"kind":"row_count","params":{"group_by":"name"}}""");
        Assert.Equal(["fail", "fail", "error", "pass"], verdicts.Select(verdict => verdict.Status));
        Assert.Contains("\"c\"", verdicts[0].Metadata, StringComparison.Ordinal);
        Assert.Equal((1L, 6L), (verdicts[1].FailedRows, verdicts[1].TotalRows));
        Assert.DoesNotContain("bob", verdicts[3].Metadata, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Samples_show_violating_rows_and_never_denied_columns()
    {
        await CreateTables();
        const string Named = """{"kind":"forbidden_values","column":"name","params":{"values":["bob"],"samples":5,"where":"id < 3"}}""";
        Assert.Equal("""[{"name":"bob"}]""", Sample(Assert.Single(await Run(Named))));
        var denied = Named.Replace("\"samples\"", "\"sample_deny\":[\"NAME\"],\"samples\"", StringComparison.Ordinal);
        Assert.Null(Sample(Assert.Single(await Run(denied))));
        Assert.Equal("""[{"grp":"c"}]""", Sample(Assert.Single(await Run(
            """{"kind":"relationships","column":"grp","params":{"to_table":"parents","to_column":"grp","samples":5}}"""))));
        Pii.Add("Name");
        Assert.Null(Sample(Assert.Single(await Run(Named))));
        Assert.DoesNotContain("ann", Assert.Single(await Run("""{"kind":"min","column":"name","params":{"min":"a"}}""")).ObservedValue!,
            StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Denied_values_of_a_column_are_not_shown_as_the_measured_value()
    {
        await CreateTables();
        var verdicts = await Run(
            """{"kind":"max","column":"amount","params":{"max":60,"sample_deny":["AMOUNT"]}}""",
            """{"kind":"median","column":"amount","params":{"min":0,"sample_deny":["amount"]}}""",
            """{"kind":"avg","column":"amount","params":{"min":0,"sample_deny":["amount"]}}""");

        Assert.All(verdicts, verdict => Assert.Equal("pass", verdict.Status));
        Assert.All(verdicts.Take(2), verdict => Assert.Equal(("\"(hidden)\"", null), (verdict.ObservedValue, verdict.ObservedNumber)));
        Assert.DoesNotContain("50", verdicts[0].Message, StringComparison.Ordinal);
        Assert.Equal(30, verdicts[2].ObservedNumber);
    }

    [Fact]
    public async Task A_value_that_cannot_be_compared_is_an_error_and_never_a_pass()
    {
        await CreateTables();
        var verdicts = await Run(
            """{"kind":"sql_value","sql":"select 'abc' as v","fail":{"above":1}}""",
            """{"kind":"sql_value","sql":"select 'abc' as v","fail":{"below":1}}""",
            """{"kind":"max","column":"name","fail":{"above":1}}""");
        Assert.All(verdicts, verdict => Assert.Equal("error", verdict.Status));

        const string Percent = """{"kind":"cross_table_row_count","params":{"other_table":"nobody"},"fail":{"above":10,"unit":"percent"}}""";
        Assert.Equal("fail", Assert.Single(await Run(Percent)).Status);
    }

    [Fact]
    public async Task History_kinds_compare_with_earlier_results()
    {
        await CreateTables();
        const string Volume = """{"kind":"volume_change","warn":{"above":5},"fail":{"above":10}}""";
        const string Anomaly = """{"kind":"anomaly"}""";
        Assert.Equal("pass", Assert.Single(await Run(Volume)).Status);
        // An error has no number, so the check compares with the result before the error.
        History.AddRange([new(default, null, "error"), new(default, 10, "pass")]);
        Assert.Equal("fail", Assert.Single(await Run(Volume)).Status);
        Assert.Equal("pass", Assert.Single(await Run("""{"kind":"volume_change","fail":{"above":10},"params":{"direction":"increase"}}""")).Status);
        Assert.Equal("pass", Assert.Single(await Run(Anomaly)).Status);
        History.AddRange(new double[] { 9, 10, 11, 10, 9, 11 }.Select(number => new HistoryPoint(default, number, "pass")));
        Assert.Equal("fail", Assert.Single(await Run(Anomaly)).Status);
        Assert.Equal(6, Assert.Single(await Run(Anomaly)).ObservedNumber);
        Assert.Equal("pass", Assert.Single(await Run("""{"kind":"anomaly","params":{"ignore_change_below_percent":50}}""")).Status);
    }
}
