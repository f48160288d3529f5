using System.Text.Json;
using Catalog.Data.Checks;
using Catalog.Data.Executions;
using Catalog.Data.Warehouses;
using Catalog.Tests.Support;
using Catalog.Tests.Warehouses;

namespace Catalog.Tests.Executions;

public sealed class GreatExpectationsOnSqlite(SqliteSource source) : GreatExpectationsTests(source), IClassFixture<SqliteSource>
{
    private protected override string Engine => "sqlite";
    private protected override ColumnTypes Types { get; } = new("integer", "real", "boolean", "text", "datetime");

    private protected override Dictionary<string, string> Listed { get; } = new(StringComparer.Ordinal)
    {
        ["test_error_handling_values_are_integers"] = "SQLite computes the length of a number",
        ["error:_improperly_mixed_types"] = "SQLite compares texts with numbers",
        ["error:_improperly_mixed_types_again"] = "SQLite compares texts with numbers",
        ["error:_improperly_mixed_types_once_more"] = "SQLite compares texts with numbers",
        ["error_on_string-to-int_comparisons"] = "SQLite compares texts with numbers",
    };
}

public sealed class GreatExpectationsOnDuckDb(DuckDbSource source) : GreatExpectationsTests(source), IClassFixture<DuckDbSource>
{
    private protected override string Engine => "duckdb";
    private protected override ColumnTypes Types { get; } = new("bigint", "double", "boolean", "varchar", "timestamp");

    private protected override Dictionary<string, string> Listed { get; } = new(StringComparer.Ordinal)
    {
        ["error_on_string-to-int_comparisons"] = "DuckDB compares text with a number as numbers",
    };
}

public sealed class GreatExpectationsOnPostgres : GreatExpectationsTests, IClassFixture<PostgresSource>
{
    public GreatExpectationsOnPostgres(PostgresSource source) : base(source) =>
        Assert.SkipWhen(PostgresServer.Shared.Unavailable is not null, PostgresServer.Shared.Unavailable ?? "");

    private protected override string Engine => "postgresql";
    private protected override ColumnTypes Types { get; } = new("bigint", "double precision", "boolean", "text", "timestamp");
}

public sealed class GreatExpectationsOnMariaDb : GreatExpectationsTests, IClassFixture<MariaDbSource>
{
    public GreatExpectationsOnMariaDb(MariaDbSource source) : base(source) =>
        Assert.SkipWhen(MariaDbServer.Shared.Unavailable is not null, MariaDbServer.Shared.Unavailable ?? "");

    private protected override string Engine => "mysql";
    private protected override ColumnTypes Types { get; } = new("bigint", "double", "boolean", "varchar(200)", "datetime");

    private protected override Dictionary<string, string> Listed { get; } = new(StringComparer.Ordinal)
    {
        ["test_error_handling_values_are_integers"] = "MariaDB computes the length of a number",
        ["error:_improperly_mixed_types"] = "MariaDB compares texts with numbers",
        ["error:_improperly_mixed_types_again"] = "MariaDB compares texts with numbers",
        ["error:_improperly_mixed_types_once_more"] = "MariaDB compares texts with numbers",
        ["error_on_string-to-int_comparisons"] = "MariaDB compares texts with numbers",
    };
}

/// <summary>The verdicts of our kinds agree with those of Great Expectations, except for the listed cases.</summary>
public abstract class GreatExpectationsTests(WarehouseSource source)
{
    private protected abstract string Engine { get; }

    private protected abstract ColumnTypes Types { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Verdicts_agree_with_Great_Expectations()
    {
        await using var warehouse = source.Create();
        List<string> disagreements = [];
        var (cases, agreed, listed) = (0, 0, 0);
        foreach (var data in GreatExpectationsCases.Read())
        {
            await source.Execute([.. data.Create(Engine, Types, warehouse.Sql.Quote)]);
            List<(string Name, Check Check, bool? Success, string? Reason)> tests = [];
            foreach (var (number, test) in data.Cases.Index())
            {
                var given = test.GetProperty("in");
                if (GreatExpectationsCases.Definition(data.Expectation, given) is not { } definition)
                {
                    continue;
                }

                var output = test.GetProperty("out");
                var success = output.TryGetProperty("success", out var flag) ? flag.GetBoolean() : (bool?)null;
                tests.Add(($"{data.Table}[{number}] {test.GetProperty("title").GetString()}",
                    NewCheck(number, data.Table, definition), success, Reason(data, test)));
            }

            var verdicts = new Dictionary<string, CheckVerdict>(StringComparer.Ordinal);
            await CheckRunner.Run(tests.ConvertAll(test => test.Check), Context(warehouse), verdict =>
            {
                verdicts.Add(verdict.Check.Id, verdict);
                return Task.CompletedTask;
            }, Ct);
            foreach (var (name, check, success, reason) in tests)
            {
                cases++;
                var verdict = verdicts[check.Id];
                // A case without a verdict means that Great Expectations expects an exception, so our check must give
                // an error.
                if (verdict.Status == (success switch { true => CheckStatus.Pass, false => CheckStatus.Fail, null => CheckStatus.Error }))
                {
                    agreed++;
                }
                else if (reason is not null)
                {
                    listed++;
                    TestContext.Current.TestOutputHelper!.WriteLine($"listed: {name}: {reason} (was {verdict.Status})");
                }
                else
                {
                    disagreements.Add(
                        $"{name}: expected {success?.ToString() ?? "an error"}, "
                            + $"was {verdict.Status} ({verdict.Message}) {check.Definition}");
                }
            }
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{Engine}: {cases} cases, {agreed} agreed, {listed} listed");
        Assert.True(disagreements.Count == 0, string.Join('\n', disagreements));
    }

    // Why the verdict of a case may be another than that of Great Expectations; null when it must be the same.
    private string? Reason(GreatExpectationsData data, JsonElement test)
    {
        static List<string?> Names(JsonElement json, string name) => json.TryGetProperty(name, out var list)
            ? [.. list.EnumerateArray().Select(item => item.GetString())] : [];
        var (only, not) = (Names(test, "only_for"),
            Names(data.Json, "suppress_test_for").Concat(Names(test, "suppress_test_for")).ToList());
        var given = test.GetProperty("in");
        return only.Count > 0 && !only.Contains(Engine) && !only.Contains("sqlalchemy")
            ? $"Great Expectations runs it only on {string.Join(", ", only)}"
            : not.Contains(Engine) || not.Contains("sqlalchemy") ? "Great Expectations does not run it on this engine"
            : given.GetRawText().Contains("$PARAMETER", StringComparison.Ordinal) ? "a bound is computed when the check runs"
            : HasNoRule(given) ? "a check without bounds has no rule, so its definition is refused"
            : Listed.GetValueOrDefault(test.GetProperty("title").GetString()!);
    }

    // Whether a case gives neither a bound nor a set of columns.
    private static bool HasNoRule(JsonElement given) =>
        !new[] { "min_value", "max_value", "value", "column_set", "column_list", "value_set", "regex", "mostly", "column_A" }.Any(name =>
            given.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
        && new[] { "min_value", "max_value", "column_set" }.Any(name => given.TryGetProperty(name, out _));

    /// <summary>The cases of this engine that may differ, by title, with the reason.</summary>
    private protected virtual Dictionary<string, string> Listed { get; } = [];

    private static Check NewCheck(int number, string table, System.Text.Json.Nodes.JsonObject definition) => new()
    {
        Id = $"case-{number}",
        PipelineId = "",
        Dataset = table,
        ConnectionId = "oracle",
        Kind = (string?)definition["kind"],
        Severity = CheckSeverity.Error,
        Definition = definition.ToJsonString(),
        CreatedAt = default,
        UpdatedAt = default,
    };

    private static CheckRunContext Context(Warehouse warehouse) => new()
    {
        Open = (_, ct) => warehouse.Open(new(), ct),
        History = (_, _, _) => Task.FromResult<IReadOnlyList<HistoryPoint>>([]),
        PiiColumns = (_, _, _) => Task.FromResult<IReadOnlySet<string>>(new HashSet<string>()),
        Time = TimeProvider.System,
    };
}
