using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Catalog.Migrations.Grants;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Catalog.Tests.Organizations;

/// <summary>
/// Row-level security of Postgres protects organizations even if a statement lacks its organization condition.
/// </summary>
public sealed class RowSecurityTests : IClassFixture<PostgresTestDatabase>, IAsyncLifetime
{
    // A worker would run the rows that the tests store as due work.
    private static readonly (string, string) NoWorkers = ("DATAXPIPE_EXECUTION_WORKERS", "0");

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
        await using var database = Databases.Open(TestDatabase.Read(_database.Address, ("DATAXPIPE_PG_POOL_MAX", "1")));
        Assert.Equal(["a"], await database.Many<string>("a", "select organization_id from runs", null, Ct));
        await database.Write("b", session => session.Execute("update runs set status = status", null, Ct), Ct);

        Assert.Equal(
            ["c", "catalog_app"],
            await database.Many<string>("c", "select current_setting('app.organization_id') union all select current_user::text", null,
                Ct));
        await using var plain = await DedicatedPostgres.Open(_database.Address);
        Assert.Equal("", await plain.ExecuteScalarAsync<string>("select coalesce(current_setting('app.organization_id', true), '')"));
    }

    [Fact]
    public async Task A_service_that_loses_its_role_refuses_requests()
    {
        var (role, login) = (DedicatedPostgres.Name("r"), DedicatedPostgres.Name("u"));
        var address = await PostgresTestDatabase.AtHead("catalog_role", superuser: true);
        await DedicatedPostgres.Execute(address, $"create role {login} login password '{login}'");
        await using (var owner = MigrationDatabase.Open(TestDatabase.Read(address)))
        {
            await PostgresRoleGrant.Run(owner, role, login, Ct);
        }

        using var app = new CatalogApp(new ExistingDatabase(DedicatedPostgres.WithUser(address, login)), ("DATAXPIPE_APP_ROLE", role));
        using var client = app.Client();
        Assert.Equal(200, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);

        await DedicatedPostgres.Execute(address, $"revoke {role} from {login}");

        await (await client.GetAsync("/api/v1/runs/", Ct)).Problem(503, "database_unavailable");
        await WaitUntil((503, 503), client);
        await DedicatedPostgres.Execute(address, $"grant {role} to {login}");
        Assert.Equal(200, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);
        await DedicatedPostgres.Execute(address, $"drop owned by {role}", $"drop role {role}", $"drop role {login}");
    }

    [Fact]
    public async Task The_service_warns_only_if_row_level_security_cannot_be_enforced()
    {
        using var warned = new CatalogApp(
            new ExistingDatabase(_database.Address), ("DATAXPIPE_APP_ROLE", "nobody_made_this"), NoWorkers);
        using var client = warned.Client();
        Assert.Equal(200, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);
        Assert.Contains(warned.Log.At(LogLevel.Warning), line =>
            line.Contains("the role nobody_made_this does not exist", StringComparison.Ordinal));

        using var held = new CatalogApp(_database, ("DATAXPIPE_REQUIRE_RLS", "true"), NoWorkers);
        using var servedClient = held.Client();
        Assert.Equal(200, (int)(await servedClient.GetAsync("/api/v1/runs/", Ct)).StatusCode);
        Assert.Empty(held.Log.At(LogLevel.Warning));
    }

    [Theory]
    [InlineData("alter table runs disable row level security")]
    [InlineData("drop policy organization on runs")]
    [InlineData("create policy everybody on runs using (true)")]
    [InlineData("drop policy organization on runs; create policy organization on runs using (organization_id <> '')")]
    public async Task A_changed_policy_is_detected(string sabotage)
    {
        var address = await PostgresTestDatabase.AtHead("catalog_open");
        await using (var whole = Databases.Open(TestDatabase.Read(address)))
        {
            Assert.True((await whole.Isolation(Ct))!.IsEnforced);
        }

        await DedicatedPostgres.Execute(address, sabotage);

        await using var open = Databases.Open(TestDatabase.Read(address));
        var isolation = await open.Isolation(Ct);
        Assert.False(isolation!.IsEnforced);
        Assert.Contains("on runs", isolation.Description, StringComparison.Ordinal);
        if (!sabotage.Contains("<>", StringComparison.Ordinal))
        {
            Assert.Contains("row_security_off", (await MigratorConsole.Run(address, "doctor", "--json")).Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Requests_are_refused_while_required_row_level_security_is_off()
    {
        var open = await PostgresTestDatabase.AtHead("catalog_ceases");
        var above = await PostgresTestDatabase.AtHead("catalog_above", superuser: true);
        var (role, login, itself) = (DedicatedPostgres.Name("r"), DedicatedPostgres.Name("u"), DedicatedPostgres.Name("v"));
        // One login must switch to the role; the other login is the role itself.
        await DedicatedPostgres.Execute(above, $"create role {login} login noinherit password '{login}'",
            $"create role {itself} login password '{itself}'");
        await using (var owner = MigrationDatabase.Open(TestDatabase.Read(above)))
        {
            await PostgresRoleGrant.Run(owner, role, login, Ct);
            await PostgresRoleGrant.Run(owner, itself, itself, Ct);
        }

        // The service reads the schema version as its login.
        await DedicatedPostgres.Execute(above, $"grant select on schemaversions to {login}");

        // In parallel, because each service checks only every six seconds.
        await Task.WhenAll(
            CheckLossAndRecovery(open, null, open, "alter table runs disable row level security",
                "alter table runs enable row level security", "on runs"),
            CheckLossAndRecovery(DedicatedPostgres.WithUser(above, login), role, above, $"alter role {role} bypassrls",
                $"alter role {role} nobypassrls", $"the role {role} has BYPASSRLS"),
            CheckLossAndRecovery(DedicatedPostgres.WithUser(above, itself), itself, above, $"alter role {itself} bypassrls",
                $"alter role {itself} nobypassrls", $"the role {itself} has BYPASSRLS"),
            CheckPreparedStatements(above));
        await DedicatedPostgres.Execute(above, $"drop owned by {role}, {login}, {itself}", $"drop role {role}, {login}, {itself}");
    }

    private static async Task CheckLossAndRecovery(string service, string? role, string administrator, string sabotage, string fix,
        string words)
    {
        using var app = new CatalogApp(new ExistingDatabase(service), [("DATAXPIPE_REQUIRE_RLS", "true"), .. role is null
            ? [] : new[] { ("DATAXPIPE_APP_ROLE", role) }]);
        using var client = app.Client();
        Assert.Equal((200, 200), await StatusesOf(client));

        await DedicatedPostgres.Execute(administrator, sabotage);
        await WaitUntil((503, 503), client);
        Assert.Contains(app.Log.At(LogLevel.Warning), line => line.Contains(words, StringComparison.Ordinal));
        await DedicatedPostgres.Execute(administrator, fix);
        await WaitUntil((200, 200), client);
    }

    // The server keeps the plan of a prepared statement when row-level security applies to the role again.
    private static async Task CheckPreparedStatements(string administrator)
    {
        var role = DedicatedPostgres.Name("w");
        await DedicatedPostgres.Execute(administrator, $"create role {role} login password '{role}'");
        await using (var owner = MigrationDatabase.Open(TestDatabase.Read(administrator)))
        {
            await PostgresRoleGrant.Run(owner, role, role, Ct);
        }

        await DedicatedPostgres.Execute(
            administrator,
            "insert into organizations (organization_id, name, plan, created_at, updated_at) values ('a', 'a', 'free', now(), "
                + "now()), ('b', 'b', 'free', now(), now())");
        await using var database = Databases.Open(TestDatabase.Read(DedicatedPostgres.WithUser(administrator, role)));
        async Task<int> Seen() => (await database.Many<string>("a", "select organization_id from organizations", null, Ct)).Count;
        async Task WaitUntil(bool held)
        {
            for (var until = Environment.TickCount64 + 20_000; (await database.Isolation(Ct))!.IsEnforced != held; await Task.Delay(
                250, Ct))
            {
                Assert.True(Environment.TickCount64 < until);
            }
        }

        await WaitUntil(held: true);
        await DedicatedPostgres.Execute(administrator, $"alter role {role} bypassrls");
        await WaitUntil(held: false);
        // The third execution uses the prepared statement.
        Assert.Equal((2, 2, 2), (await Seen(), await Seen(), await Seen()));
        await DedicatedPostgres.Execute(administrator, $"alter role {role} nobypassrls");
        await WaitUntil(held: true);
        Assert.Equal(1, await Seen());
        await DedicatedPostgres.Execute(administrator, $"drop owned by {role}", $"drop role {role}");
    }

    private static async Task<(int, int)> StatusesOf(HttpClient client) =>
        ((int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode, (int)(await client.GetAsync("/ready", Ct)).StatusCode);

    private static async Task WaitUntil((int, int) expected, HttpClient client)
    {
        var until = Environment.TickCount64 + 20_000;
        while (await StatusesOf(client) is var statuses && statuses != expected)
        {
            Assert.True(Environment.TickCount64 < until, $"{statuses}, not {expected}");
            await Task.Delay(500, Ct);
        }
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

    private sealed class ExistingDatabase(string address) : TestDatabase
    {
        public override string Address => address;

        public override ValueTask InitializeAsync() => ValueTask.CompletedTask;
    }
}
