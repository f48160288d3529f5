using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Catalog.Tests.Database;

/// <summary>
/// An administrator, a provider or a pooler changes or ends the service's sessions. Statements keep their meaning, and
/// the service recovers without a restart.
/// </summary>
public sealed class PostgresSessionTests(PostgresTestDatabase database) : IClassFixture<PostgresTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Settings_of_the_role_do_not_affect_the_services_statements()
    {
        var login = await Login(
            "search_path = elsewhere", "quote_all_identifiers = on", "synchronous_commit = off", "statement_timeout = '900ms'",
            "row_security = off",
            "default_transaction_isolation = serializable", "lock_timeout = '1ms'", "transform_null_equals = on", "datestyle = 'SQL, DMY'",
            "client_min_messages = debug5", "idle_session_timeout = '100ms'", "timezone = 'Asia/Tokyo'", "extra_float_digits = '-10'");
        using var app = new CatalogApp(new At(login));
        using var client = app.Client();

        Assert.Equal(200, (int)(await client.GetAsync("/ready", Ct)).StatusCode);
        await AssertReadsAndWrites(client);
        Assert.DoesNotContain(app.Log.At(LogLevel.Warning), line => line.Contains("by SQL conditions only", StringComparison.Ordinal));
        await using var pool = new PostgresPool(Builder(login), new(DatabaseSettings.DefaultSchema));
        await using var connection = await pool.OpenConnectionAsync(Ct);
        Assert.Equal("on", await connection.ExecuteScalarAsync<string>("show synchronous_commit"));
        Assert.Equal("read committed", await connection.ExecuteScalarAsync<string>("show transaction_isolation"));
        Assert.Equal("6s", await connection.ExecuteScalarAsync<string>("show statement_timeout"));
    }

    [Theory]
    [InlineData("endpoint%3Dep-cool", "endpoint=ep-cool")]
    [InlineData("-c%20no_such_setting%3D1", "\"no_such_setting\"")]
    [InlineData("-c%20work_mem%3Dmuch", "\"work_mem\"")]
    [InlineData("-c%20log_min_messages%3Dpanic", "\"log_min_messages\"")]
    public async Task An_option_refused_by_the_server_is_reported_and_the_service_keeps_running(string option, string expected)
    {
        var login = await Login();
        using var app = new CatalogApp(new At($"{login}?options={option}"));
        using var client = app.Client();

        Assert.Contains(app.Log.At(LogLevel.Warning), line => line.StartsWith("Not ready: DATAXPIPE_DB, user ", StringComparison.Ordinal)
            && line.Contains(expected, StringComparison.Ordinal) && line.Contains("options", StringComparison.Ordinal));
        var migrator = await MigratorConsole.Run($"{login}?options={option}", "current", "--json");
        Assert.Equal((7, "session_refused"), (migrator.Exit, migrator.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains(expected, migrator.Errors, StringComparison.Ordinal);
        Assert.Contains("options", migrator.Errors, StringComparison.Ordinal);
        var ready = await (await client.GetAsync("/ready", Ct)).Problem(503, "not_ready");
        Assert.Contains("options", ready.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await (await client.GetAsync("/api/v1/pipelines/", Ct)).Problem(503, "database_unavailable");
        Assert.Equal(200, (int)(await client.GetAsync("/health", Ct)).StatusCode);
    }

    // The driver reads the server's types before the service can change the session's settings. So a short timeout of
    // the role prevents every session.
    [Fact]
    public async Task A_statement_timeout_of_the_role_that_prevents_sessions_is_reported()
    {
        var login = await Login("statement_timeout = '1ms'");
        using var app = new CatalogApp(new At(login));
        using var client = app.Client();
        var expected = $"alter role \"{Builder(login).Username}\" reset statement_timeout";

        Assert.Contains(app.Log.At(LogLevel.Warning), line => line.StartsWith("Not ready: ", StringComparison.Ordinal)
            && line.Contains(expected, StringComparison.Ordinal));
        await (await client.GetAsync("/ready", Ct)).Problem(503, "not_ready");
        var migrator = await MigratorConsole.Run(login, "current");
        Assert.Equal(7, migrator.Exit);
        Assert.Contains(expected, migrator.Errors, StringComparison.Ordinal);
        Assert.Contains("statement_timeout", migrator.Errors, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Fault", "F11")]
    public async Task A_pooler_without_its_setting_is_detected()
    {
        database.Require();
        Pooler.Require();
        using var pooler = new Pooler("transaction", poolSize: 3);
        using var app = new CatalogApp(new At(pooler.Through(database.Address)));
        using var client = app.Client();
        await AssertReadsAndWrites(client);

        var statuses = await Task.WhenAll(Enumerable.Range(0, 300).Select(async i => (int)(i % 2 == 0
            ? await client.PostJson("/api/v1/checks/results", new { pipeline_id = "p", check_id = "c", status = "pass" })
            : await client.GetAsync("/api/v1/runs/?limit=2", Ct)).StatusCode));

        Assert.All(statuses, status => Assert.InRange(status, 200, 201));
        Assert.Contains(app.Log.At(LogLevel.Warning), line => line.Contains("DATAXPIPE_PGBOUNCER=true", StringComparison.Ordinal));
    }

    // The setting says that there is no pooler, so the service does not compare process ids. It detects the pooler by
    // the first prepared statement that is missing.
    [Fact]
    public async Task A_missing_prepared_statement_turns_off_preparing()
    {
        database.Require();
        Pooler.Require();
        using var pooler = new Pooler("transaction", poolSize: 3);
        using var app = new CatalogApp(new At(pooler.Through(database.Address)), ("DATAXPIPE_PGBOUNCER", "false"));
        using var client = app.Client();
        var statuses = new List<int>();
        for (var round = 0; round < 5; round++)
        {
            statuses.AddRange(
                await Task.WhenAll(
                    Enumerable.Range(0, 60).Select(async _ => (int)(await client.GetAsync("/api/v1/runs/?limit=2", Ct)).StatusCode)));
        }

        Assert.DoesNotContain(500, statuses);
        Assert.All(statuses[^60..], status => Assert.Equal(200, status));
    }

    [Fact]
    public async Task Writes_succeed_soon_after_a_read_only_mode_ends()
    {
        var login = await Login("default_transaction_read_only = on");
        using var app = new CatalogApp(new At(login));
        using var client = app.Client();
        var refused = await (await client.GetAsync("/ready", Ct)).Problem(503, "not_ready");
        Assert.Contains("is read-only", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(503, (int)(await client.PostJson("/api/v1/pipelines/", new { name = "p" })).StatusCode);
        Assert.Equal(200, (int)(await client.GetAsync("/api/v1/pipelines/", Ct)).StatusCode);

        await PostgresTestDatabase.Execute($"alter role {Builder(login).Username} reset default_transaction_read_only");
        await Task.Delay(1100, Ct);

        await AssertReadsAndWrites(client);
        Assert.Equal(200, (int)(await client.GetAsync("/ready", Ct)).StatusCode);
    }

    [Fact]
    [Trait("Fault", "F11")]
    public async Task Dead_connections_in_the_pool_fail_no_request()
    {
        var login = await Login();
        using var app = new CatalogApp(new At(login));
        using var client = app.Client();
        await AssertReadsAndWrites(client);
        for (var round = 0; round < 3; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => client.GetAsync("/api/v1/runs/", Ct)));
            await PostgresTestDatabase.Execute(
                $"select pg_terminate_backend(pid) from pg_stat_activity where usename = '{Builder(login).Username}' and "
                    + "application_name = 'catalog'");
            await Task.Delay(50, Ct);
            Assert.Equal(
                201, (int)(await client.PostJson("/api/v1/checks/results", new { pipeline_id = "p", check_id = "c", status = "pass" }))
                    .StatusCode);
            Assert.Equal(200, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);
            Assert.Equal(200, (int)(await client.PostJson("/api/v1/pipelines/", new { name = "p", version = "1" })).StatusCode);
        }
    }

    [Fact]
    public async Task The_tables_may_be_in_another_schema()
    {
        database.Require();
        var address = await PostgresTestDatabase.Empty("catalog_schema");
        (string, string) schema = ("DATAXPIPE_PG_SCHEMA", "dataxpipe");
        foreach (var arguments in new string[][] { ["upgrade"], ["grant"], ["verify"], ["current"],
            ["downgrade", "-1", "--yes", "--database", new Uri(address).AbsolutePath.Trim('/')], ["upgrade"] })
        {
            var result = await MigratorConsole.Run(address, [schema], arguments);
            Assert.True(result.Exit == 0, result.ToString());
        }

        using var app = new CatalogApp(new At(address), schema, ("DATAXPIPE_REQUIRE_RLS", "true"));
        using var client = app.Client();
        await AssertReadsAndWrites(client);
        Assert.Equal(200, (int)(await client.GetAsync("/ready", Ct)).StatusCode);
        await using var connection = new NpgsqlConnection(Builder(address).ConnectionString);
        Assert.Equal(["dataxpipe"], await connection.QueryAsync<string>(
            "select distinct table_schema from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema')"));
        // The address may also name the schema, in the form of other tools.
        using var same = new CatalogApp(new At($"{address}?options=-csearch_path%3Ddataxpipe"));
        using var other = same.Client();
        Assert.Equal(200, (int)(await other.GetAsync("/ready", Ct)).StatusCode);
    }

    [Fact]
    public async Task A_table_of_another_program_in_the_schema_affects_no_request()
    {
        var login = await Login();
        await using (var superuser = new NpgsqlConnection(Builder(database.SuperuserAddress).ConnectionString))
        {
            await superuser.ExecuteAsync("create table mine (id integer)");
        }

        using var app = new CatalogApp(new At(login), ("DATAXPIPE_REQUIRE_RLS", "true"));
        using var client = app.Client();

        Assert.Equal(200, (int)(await client.GetAsync("/ready", Ct)).StatusCode);
        await AssertReadsAndWrites(client);
    }

    private static async Task AssertReadsAndWrites(HttpClient client)
    {
        Assert.InRange((int)(await client.PostJson("/api/v1/pipelines/", new { name = "p", version = "1" })).StatusCode, 200, 201);
        Assert.Equal(201, (int)(await client.PostJson("/api/v1/checks/results", new { pipeline_id = "p", check_id = "c", status = "pass" }))
            .StatusCode);
        Assert.Equal(
            201, (int)(await client.PostJson("/api/v1/runs/", new { id = $"r{Guid.NewGuid():N}", pipeline_id = "p", status = "running" }))
                .StatusCode);
        Assert.Equal(200, (int)(await client.GetAsync("/api/v1/pipelines/p", Ct)).StatusCode);
    }

    // Creates a login as in production: it owns nothing and may assume the service's role.
    private async Task<string> Login(params string[] settings)
    {
        database.Require();
        var name = $"catalog_session_{Guid.NewGuid():N}"[..40];
        await PostgresTestDatabase.Execute(
            $"create role {name} login password '{name}'; grant {DatabaseSettings.DefaultAppRole} to {name}");
        foreach (var setting in settings)
        {
            await PostgresTestDatabase.Execute($"alter role {name} set {setting}");
        }

        return DedicatedPostgres.WithUser(database.Address, name, name);
    }

    private static NpgsqlConnectionStringBuilder Builder(string address) => PostgresUri.Parse("address", address);

    /// <summary>An address for the service; another fixture owns the database.</summary>
    private sealed class At(string address) : TestDatabase
    {
        public override string Address => address;

        public override ValueTask InitializeAsync() => ValueTask.CompletedTask;
    }
}
