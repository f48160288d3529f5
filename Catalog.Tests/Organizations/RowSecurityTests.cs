using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Tests.Support;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Organizations;

/// <summary>
/// Row-level security of Postgres protects organizations even if a statement lacks its organization condition.
/// </summary>
public sealed class RowSecurityTests : IClassFixture<PostgresTestDatabase>, IAsyncLifetime
{
    private readonly PostgresTestDatabase _database;
    private string[] _tables = [];

    public RowSecurityTests(PostgresTestDatabase database)
    {
        _database = database;
        database.Require();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await using var owner = await DedicatedPostgres.Open(_database.Address);
        _tables = [.. await owner.QueryAsync<string>($"select name from ({PostgresGrants.TablesQuery}) ours order by name")];
        foreach (var table in _tables)
        {
            foreach (var organization in new[] { "a", "b" })
            {
                await owner.ExecuteAsync(
                    $"insert into {table} select (jsonb_populate_record(null::{table}, @row::jsonb)).* on conflict do nothing",
                    new { row = Row(await Columns(owner, table), organization) });
            }
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Every_table_has_row_level_security() =>
        Assert.True(_tables.Length >= 16 && (await _database.Database.Isolation(Ct))!.IsEnforced);

    [Fact]
    public async Task A_statement_without_a_condition_reads_and_changes_only_the_organizations_own_rows()
    {
        foreach (var table in _tables)
        {
            Assert.Equal(["a"], await _database.Database.Many<string>("a", $"select distinct organization_id from {table}", null, Ct));
            Assert.Empty(await _database.Database.Many<string>("c", $"select organization_id from {table}", null, Ct));
            Assert.Empty(await _database.Database.Many<string>("", $"select organization_id from {table}", null, Ct));
            // The audit log is append-only.
            if (table != "audit_log")
            {
                Assert.Equal(
                    (1, 0), (await RunAndRollBack("a", $"update {table} set organization_id = organization_id"),
                        await RunAndRollBack("c", $"update {table} set organization_id = organization_id")));
                Assert.Equal(
                    (1, 0), (await RunAndRollBack("a", $"delete from {table}"), await RunAndRollBack("c", $"delete from {table}")));
            }
        }
    }

    [Fact]
    public async Task A_row_of_another_organization_cannot_be_written()
    {
        foreach (var table in _tables)
        {
            var refused = await Assert.ThrowsAsync<DatabaseUnavailableException>(() =>
                RunAndRollBack("c", $"insert into {table} select (jsonb_populate_record(null::{table}, @row::jsonb)).*", "d"));
            Assert.Equal(Unavailability.NotPermitted, refused.Reason);
            if (table != "audit_log")
            {
                await Assert.ThrowsAsync<DatabaseUnavailableException>(() =>
                    RunAndRollBack("a", $"update {table} set organization_id = 'd'"));
            }
        }
    }

    [Theory]
    [InlineData("update audit_log set actor = 'nobody'")]
    [InlineData("delete from audit_log")]
    [InlineData("truncate audit_log")]
    public async Task The_audit_log_cannot_be_changed(string statement)
    {
        var refused = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => RunAndRollBack("a", statement));

        Assert.Equal("42501", Assert.IsType<PostgresException>(refused.InnerException).SqlState);
    }

    [Fact]
    public async Task A_look_up_returns_only_the_row_with_its_key()
    {
        Assert.Equal(["a"], await _database.Database.LookUp<string>(LookUp.ApiKey, "id-a", "select organization_id from api_keys", Ct));
        Assert.Equal(
            ["b"], await _database.Database.LookUp<string>(
                LookUp.StripeCustomer, "stripe_customer_id-b", "select organization_id from organizations", Ct));
        Assert.Empty(await _database.Database.LookUp<string>(LookUp.ApiKey, "id-a", "select organization_id from organizations", Ct));
        Assert.Empty(await _database.Database.LookUp<string>(LookUp.ApiKey, "", "select organization_id from api_keys", Ct));
        Assert.Empty(await _database.Database.LookUp<string>(LookUp.StripeCustomer, "", "select organization_id from organizations", Ct));
        foreach (var table in new[] { "executions", "check_schedules" })
        {
            var due = $"select organization_id from {table} order by organization_id";
            Assert.Equal(["a", "b"], await _database.Database.LookUp<string>(LookUp.DueWork, "1", due, Ct));
            Assert.Empty(await _database.Database.LookUp<string>(LookUp.DueWork, "0", due, Ct));
            Assert.Empty(await _database.Database.LookUp<string>(LookUp.DueWork, "", due, Ct));
            Assert.Empty(await _database.Database.LookUp<string>(LookUp.ApiKey, "1", due, Ct));
        }

        Assert.Empty(await _database.Database.LookUp<string>(LookUp.DueWork, "1", "select organization_id from execution_checks", Ct));
    }

    [Fact]
    public async Task No_context_is_left_on_the_connection()
    {
        await using var database = DatabaseFactory.Open(TestDatabase.Read(_database.Address, ("DATAXPIPE_PG_POOL_MAX", "1")));
        Assert.Equal(["a"], await database.Many<string>("a", "select organization_id from runs", null, Ct));
        await database.Write("b", session => session.Execute("update runs set status = status", null, Ct), Ct);

        Assert.Equal(
            ["c", "catalog_app"],
            await database.Many<string>("c", "select current_setting('app.organization_id') union all select current_user::text", null,
                Ct));
        await using var plain = await DedicatedPostgres.Open(_database.Address);
        Assert.Equal("", await plain.ExecuteScalarAsync<string>("select coalesce(current_setting('app.organization_id', true), '')"));
    }

    private Task<int> RunAndRollBack(string organization, string sql, string row = "") =>
        _database.Database.Write(organization, async session =>
    {
        session.RequestRollback();
        var parameters = row.Length == 0
            ? null : new { row = Row(await session.Many<Column>(ColumnsOf, new { table = sql.Split(' ')[2] }, Ct), row) };
        return await session.Execute(sql, parameters, Ct);
    }, Ct);

    private const string ColumnsOf =
        "select column_name as name, data_type as type from information_schema.columns where table_schema = 'public' and table_name "
            + "= @table";

    private static async Task<List<Column>> Columns(NpgsqlConnection connection, string table) =>
        (await connection.QueryAsync<Column>(ColumnsOf, new { table })).AsList();

    // Builds a row that every table accepts; columns with a fixed list of words get an allowed word.
    private static string Row(List<Column> columns, string organization) =>
        "{" + string.Join(",", columns.Select(column => $"\"{column.Name}\":" + column.Name switch
        {
            "organization_id" => $"\"{organization}\"",
            "status" => columns.Any(other => other.Name == "severity") ? "\"fail\"" : "\"failed\"",
            "severity" => "\"warn\"",
            "plan" => "\"free\"",
            "direction" => "\"input\"",
            _ => column.Type switch
            {
                "text" => $"\"{column.Name}-{organization}\"",
                "uuid" => "\"00000000-0000-0000-0000-000000000001\"",
                "bytea" => "\"\\\\x00\"",
                "boolean" => "true",
                "timestamp with time zone" => "\"2026-01-01T00:00:00Z\"",
                _ => "1",
            },
        })) + "}";

    private sealed record Column
    {
        public required string Name { get; init; }
        public required string Type { get; init; }
    }
}
