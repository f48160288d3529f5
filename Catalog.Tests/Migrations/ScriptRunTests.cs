using System.Diagnostics;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Migrations;

/// <summary>Session settings, faults and locks during scripts, each on the engine that is concerned.</summary>
public sealed class ScriptRunTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>, IDisposable
{
    private readonly TestChain _scripts = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-scripts-run-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Session_settings_of_a_script_end_with_the_script()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_session");
        _scripts.Change("0002_currency.sql", sql =>
            sql + "create schema s;\nset search_path = s, public;\nset lock_timeout = 0;\nset default_transaction_read_only = "
                + "on;\ncreate temp table schemaversions_not (x integer);\n");
        Assert.Equal(0, (await MigratorConsole.Run(address, "upgrade", "--scripts", _scripts.Path)).Exit);

        Assert.Equal(
            "public", await Scalar<string>(address, "select table_schema from information_schema.views where table_name = 'open_orders'"));
    }

    [Fact]
    public async Task The_search_path_of_the_database_and_a_schema_of_the_user_are_ignored()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_path");
        await Execute(address, "create schema postgres");
        await Execute(address, "create table postgres.schemaversions (schemaversionsid serial, scriptname text, applied timestamp)");
        await Execute(address, "insert into postgres.schemaversions (scriptname, applied) values ('0009_theirs.sql', now())");
        await Execute(address, $"alter database {new Uri(address).AbsolutePath.Trim('/')} set search_path = postgres");

        Assert.Equal(0, (await MigratorConsole.Run(address, "upgrade")).Exit);
        foreach (var verb in new[] { "current", "verify", "history", "doctor" })
        {
            var result = await MigratorConsole.Run(address, verb);
            Assert.True(result.Exit == 0 || verb == "doctor", result.ToString());
            Assert.DoesNotContain("0009_theirs", result.Output);
        }
    }

    [Theory]
    [InlineData("copy customers from stdin")]
    [InlineData("select $1")]
    [InlineData("create table x (a int references customers (id) deferrable initially deferred);\ninsert into x values (99)")]
    public async Task A_faulty_script_is_rolled_back_and_reported_by_name(string sql)
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_wrong");
        _scripts.Change("0002_currency.sql", _ => sql);

        var failed = await MigratorConsole.Run(address, "upgrade", "--json", "--scripts", _scripts.Path);

        Assert.Equal((1, "script_failed"), (failed.Exit, failed.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains("0002_currency.sql", failed.Errors);
        Assert.Contains("rolled back", failed.Errors);
        Assert.DoesNotContain("   at ", failed.Errors);
        Assert.Equal(3, (await MigratorConsole.Run(address, "current", "--scripts", _scripts.Path)).Exit);
    }

    [Fact]
    public async Task A_connection_lost_during_a_script_is_reported()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_ended");
        _scripts.Change("0002_currency.sql", sql => sql + "select pg_sleep(60);\n");
        var upgrade = MigratorConsole.Run(address, "upgrade", "--json", "--scripts", _scripts.Path);
        for (var clock = Stopwatch.StartNew(); await Scalar<int>(
            address, "select count(pg_terminate_backend(pid))::int from pg_stat_activity where wait_event = 'PgSleep' and datname = "
                + "current_database()") == 0;)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20));
            await Task.Delay(50, Ct);
        }

        var result = await upgrade;
        Assert.Equal((7, "connection_lost"), (result.Exit, result.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains("0002_currency.sql", result.Errors);
    }

    [Fact]
    public async Task A_failed_statement_without_a_transaction_is_not_reported_as_half_applied()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_refused");
        _scripts.Change("0003_state_idx.sql", _ => "-- transaction: none\nvacum orders;\n");
        Assert.Equal(1, (await MigratorConsole.Run(address, "upgrade", "--scripts", _scripts.Path)).Exit);
        _scripts.Change("0003_state_idx.sql", _ => "-- transaction: none\nvacuum orders;\n");
        Assert.Equal(3, (await MigratorConsole.Run(address, "current", "--scripts", _scripts.Path)).Exit);
        Assert.Equal(0, (await MigratorConsole.Run(address, "upgrade", "--scripts", _scripts.Path)).Exit);
    }

    [Fact]
    public async Task A_statement_without_a_transaction_also_has_a_lock_time_out()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_gives_way");
        _scripts.Change("0003_state_idx.sql", _ => "-- transaction: none\nalter table orders add column y int;\n");
        await MigratorConsole.Run(address, "upgrade", "2", "--scripts", _scripts.Path);
        await using var reader = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await reader.Source.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await connection.ExecuteAsync("select * from orders");

        var refused = await MigratorConsole.Run(address, "upgrade", "--lock-timeout", "0.3", "--statement-timeout", "20", "--scripts",
            _scripts.Path);

        Assert.Equal(1, refused.Exit);
        Assert.Contains("lock timeout", refused.Errors);
    }

    [Fact]
    public async Task The_services_login_can_wait_and_read_the_status()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_service", superuser: true);
        await MigratorConsole.Run(address, "upgrade");
        var login = $"catalog_login_{Guid.NewGuid():N}"[..24];
        await PostgresTestDatabase.Execute($"create role {login} login password 'login'");
        await Execute(address, $"grant select on schemaversions to {login}");
        try
        {
            var asLogin = new UriBuilder(address) { UserName = login, Password = "login" }.Uri.ToString();
            foreach (var arguments in new string[][] { ["wait"], ["wait", "--head", "--timeout", "5"], ["current"], ["history"],
                ["verify"] })
            {
                var result = await MigratorConsole.Run(asLogin, arguments);
                Assert.True(result.Exit == 0, $"{string.Join(' ', arguments)}: {result}");
            }
        }
        finally
        {
            await Execute(address, $"drop owned by {login}");
            await PostgresTestDatabase.Execute($"drop role {login}");
        }
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_second_migrator_of_a_SQLite_file_waits_for_the_first()
    {
        var path = Path.Combine(_directory, "busy.db");
        Assert.Equal(0, (await MigratorConsole.Run(path, "upgrade", "1", "--scripts", _scripts.Path)).Exit);
        await using var other = MigrationDatabase.Open(TestDatabase.Read(path));
        await using var connection = await other.Source.OpenConnectionAsync(Ct);
        var transaction = await connection.BeginTransactionAsync(Ct);

        var refused = await MigratorConsole.Run(path, "upgrade", "--wait", "0.5", "--scripts", _scripts.Path);
        Assert.Equal(5, refused.Exit);

        var waiting = MigratorConsole.Run(path, "upgrade", "--scripts", _scripts.Path);
        await Task.Delay(7000, Ct);
        await transaction.RollbackAsync(Ct);
        var result = await waiting;
        Assert.True(result.Exit == 0, result.ToString());
    }

    [Fact]
    public async Task A_SQLite_table_is_rebuilt_without_emptying_its_children_and_broken_references_are_refused()
    {
        var path = Path.Combine(_directory, "rebuild.db");
        _scripts.Change("0002_currency.sql", _ => """
            create table notes (id integer primary key, customer_id integer not null references customers (id) on delete cascade);
            insert into notes values (1, 1);
            create table customers_new (id integer not null, email text not null, note text, constraint customers_pkey primary key (id), constraint customers_email_key unique (email));
            insert into customers_new (id, email) select id, email from customers;
            drop table customers;
            alter table customers_new rename to customers;
            """);
        Assert.Equal(0, (await MigratorConsole.Run(path, "upgrade", "2", "--scripts", _scripts.Path)).Exit);
        Assert.Equal(1, await Scalar<int>(path, "select count(*) from notes"));

        _scripts.Change("0003_state_idx.sql", _ => "delete from customers where id = 1;");
        var refused = await MigratorConsole.Run(path, "upgrade", "--scripts", _scripts.Path);
        Assert.Equal(1, refused.Exit);
        Assert.Contains("rows of notes refer to missing rows of customers", refused.Errors);
        Assert.Equal(2, await Scalar<int>(path, "select count(*) from customers"));
    }

    [Fact]
    public async Task Downgrade_SQL_stops_if_the_database_is_at_another_revision()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_back");
        await MigratorConsole.Run(address, "upgrade", "2", "--scripts", _scripts.Path);
        var back = (await MigratorConsole.Run(address, "sql", "2:1", "--scripts", _scripts.Path)).Output;
        await MigratorConsole.Run(address, "upgrade", "4", "--scripts", _scripts.Path);

        // Revision 0002 cannot be reverted before 0003 and 0004.
        var failure = await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => Execute(address, back));
        Assert.Contains("nothing was applied", failure.Message);
    }

    [Fact]
    public async Task The_fingerprint_covers_triggers_rules_functions_views_and_row_security()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_seen");
        await MigratorConsole.Run(address, "upgrade", "--scripts", _scripts.Path);
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        var migrator = new Migrator(database, Chain.From(_scripts.Path, "postgres"), TimeProvider.System);
        var before = SchemaDescription.Fingerprint(await migrator.Describe(Ct));
        foreach (var change in new[]
        {
            "alter table orders disable trigger orders_touch", "alter function orders_touch() security definer",
            "alter view open_orders set (security_invoker = true)",
            "create rule nothing as on delete to orders do instead nothing", "alter table orders enable row level security",
            "alter table orders force row level security", "alter function orders_touch() set search_path = s",
        })
        {
            await Execute(address, change);
            var after = SchemaDescription.Fingerprint(await migrator.Describe(Ct));
            Assert.True(before != after, change);
            before = after;
        }
    }

    private static async Task Execute(string address, string sql)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync(sql);
    }

    private static async Task<T> Scalar<T>(string address, string sql)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        return (await connection.ExecuteScalarAsync<T>(sql))!;
    }

    public void Dispose()
    {
        _scripts.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
