using System.Text.Json;
using Catalog.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Catalog.Tests.Executions;

public sealed class WarehouseExecutionsOnSqlite(SqliteTestDatabase database)
    : WarehouseExecutionTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class WarehouseExecutionsOnPostgres(PostgresTestDatabase database)
    : WarehouseExecutionTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Executions on a real warehouse, from the definition to the failed run.</summary>
public abstract class WarehouseExecutionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("catalog-files-").FullName;
    private readonly CatalogApp _app;
    private readonly HttpClient _client;

    protected WarehouseExecutionTests(TestDatabase database)
    {
        _app = new(database.Require(), ("DATAXPIPE_WAREHOUSE_FILES", _folder), ("DATAXPIPE_EXECUTION_STATEMENT_TIMEOUT", "2"));
        _client = _app.Client();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Checks_of_a_registered_warehouse_are_executed_and_fail_their_run()
    {
        await Warehouse("sales", "create table sales (id integer, amount real)",
            "insert into sales values (1, 10.0), (2, null), (3, 30.0)");
        await Pipeline(
            new { id = "1-rows", kind = "row_count", dataset = "sales", connection_id = "sales", @params = new { min = 1 } },
            new { id = "2-amount", kind = "not_null", dataset = "sales", column = "amount", connection_id = "sales" },
            new { id = "3-id", kind = "unique", dataset = "sales", column = "id", connection_id = "sales" },
            new { id = "4-gone", kind = "not_null", dataset = "sales", column = "gone", connection_id = "sales" },
            new { id = "5-unknown", kind = "not_null", dataset = "sales", column = "id", connection_id = "unknown" },
            new { id = "6-kind", kind = "vibes", dataset = "sales", connection_id = "sales" });

        var execution = await Execute(new { run_id = "real" });

        Assert.Equal("completed", execution.GetProperty("status").GetString());
        Assert.Equal(["pass", "fail", "pass", "error", "error", "error"], execution.GetProperty("checks").EnumerateArray()
            .Select(check => check.GetProperty("status").GetString()));
        Assert.All(execution.GetProperty("checks").EnumerateArray(), check =>
            Assert.NotEqual("", check.GetProperty("message").GetString()));
        var amount = execution.GetProperty("checks")[1];
        Assert.Equal((1, 3), (amount.GetProperty("failed_rows").GetInt64(), amount.GetProperty("total_rows").GetInt64()));
        Assert.Equal(3, execution.GetProperty("rows").GetInt64());
        var run = await _client.GetJson("/api/v1/runs/real");
        Assert.Equal("failed", run.GetProperty("status").GetString());
        Assert.Equal("""{"pass":2,"warn":0,"fail":1,"error":3}""", run.GetProperty("checks").GetRawText());
    }

    [Fact]
    public async Task Progress_is_counted_by_connection_and_by_every_kind_that_counts_rows()
    {
        foreach (var (name, rows) in new[] { ("east", "(1), (2), (3)"), ("west", "(1), (2)") })
        {
            await Warehouse(name, "create table places (id integer)", $"insert into places values {rows}");
        }

        await Pipeline(
            new { id = "1", kind = "row_count", dataset = "places", connection_id = "east" },
            new { id = "2", kind = "not_null", dataset = "places", column = "id", connection_id = "west" },
            new { id = "3", kind = "unique", dataset = "places", column = "id", connection_id = "west" });

        var execution = await Execute(null);

        Assert.Equal(["east places 1 3", "west places 2 2"], execution.GetProperty("tables").EnumerateArray().Select(table =>
            $"{table.GetProperty("connection_id")} {table.GetProperty("table")} {table.GetProperty("executed")} {table.GetProperty("rows")}"));
        Assert.Equal(5, execution.GetProperty("rows").GetInt64());
        Assert.Equal("west", execution.GetProperty("checks")[1].GetProperty("connection_id").GetString());
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_statement_that_takes_too_long_is_an_error()
    {
        await Warehouse("slow", ["create table n (i integer)", "insert into n values (1)",
            .. Enumerable.Repeat("insert into n select i from n", 13)]);
        await Pipeline(new
        {
            id = "slow",
            kind = "sql_value",
            dataset = "n",
            connection_id = "slow",
            sql = "select count(*) from n as a, n as b, n as c where a.i + b.i + c.i > 5",
            fail = 0,
        });

        var check = (await Execute(null)).GetProperty("checks")[0];

        Assert.Equal("error", check.GetProperty("status").GetString());
        Assert.Contains("The statement took longer than", check.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private async Task Warehouse(string name, params string[] statements)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "default")).FullName, $"{name}.db");
        await using (var file = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            await file.OpenAsync(Ct);
            foreach (var statement in statements)
            {
                await using var command = file.CreateCommand();
                command.CommandText = statement;
                await command.ExecuteNonQueryAsync(Ct);
            }
        }

        var answer = await _client.PostJson("/api/v1/connections/", new { id = name, type = "sqlite", config = new { path = $"{name}.db" } });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    private async Task Pipeline(params object[] checks)
    {
        var answer = await _client.PostJson("/api/v1/pipelines/", new { name = "real", version = Guid.NewGuid(), checks });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    private async Task<JsonElement> Execute(object? body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/pipelines/real/checks/execute");
        request.Headers.Add("Prefer", "wait=60");
        request.Content = new StringContent(JsonSerializer.Serialize(body ?? new { }), null, "application/json");
        var answer = await _client.SendAsync(request, Ct);
        Assert.Equal(200, (int)answer.StatusCode);
        return await answer.Json();
    }

    public void Dispose()
    {
        _client.Dispose();
        _app.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }
}
