using Catalog.Data.Migrations;
using Catalog.Migrations.Doctor;
using Catalog.Migrations.Grants;
using Catalog.Tests.Support;
using Dapper;

using static Catalog.Tests.Doctor.DoctorTests;

namespace Catalog.Tests.Doctor;

/// <summary>The doctor's findings about a Postgres server that it can connect to.</summary>
[Collection(nameof(DedicatedPostgres))]
public sealed class DoctorServerTests
{
    private readonly DedicatedPostgres _server;

    public DoctorServerTests(DedicatedPostgres server) => _server = server.Require();

    private static CancellationToken Ct => DedicatedPostgres.Ct;

    [Fact]
    public async Task A_blocked_migration_is_reported_with_its_blocker_and_the_sessions_behind_it()
    {
        var address = await _server.AtHead();
        await using var holder = await DedicatedPostgres.Open(address, "a careless client");
        await using var open = await holder.BeginTransactionAsync(Ct);
        await holder.ExecuteAsync("select count(*) from runs", transaction: open);
        await using var migration = await DedicatedPostgres.Begin(
            address, "alter table runs add column password_hash text, add column other text", "catalog-migrations");
        await DedicatedPostgres.Until(address, "exists (select from pg_locks where not granted and mode = 'AccessExclusiveLock')");
        await using var read = await DedicatedPostgres.Begin(address, "select count(*) from runs");
        await DedicatedPostgres.Until(address, "(select count(*) = 2 from pg_locks where not granted)");

        var report = await Examine(address, limits: new() { Waiting = TimeSpan.Zero });

        var blocked = Code("migration_blocked", report);
        Assert.Equal(Severity.Error, blocked.Severity);
        Assert.All(new[] { $"process {migration.Pid}", "lock on runs", "alter table runs", $"process {holder.ProcessID} (a careless client",
            "idle in transaction", "select count(*) from runs" }, words => Assert.Contains(words, blocked.Message));
        Assert.Contains($"catalog-migrations kill {holder.ProcessID} --connection", blocked.Action);
        Assert.Contains($"catalog-migrations kill {migration.Pid}`", blocked.Action);
        // The read waits for the migration, and the migration waits for the client. So the finding names the client.
        Assert.Contains($"process {holder.ProcessID} ", Code("lock_wait", report).Message);
        Assert.Equal([holder.ProcessID], report.ActiveStatements.Single(statement => statement.Pid == migration.Pid).BlockedBy);
        Assert.Contains(report.Tables, table => table is { Name: "runs", Bytes: null });
        Assert.DoesNotContain(report.Findings, finding => finding.Code == "not_examined");

        await open.RollbackAsync(Ct);
        await migration.Done;
        await read.Done;
    }

    [Fact]
    public async Task A_table_locked_by_a_migration_does_not_block_the_doctor()
    {
        var address = await _server.AtHead();
        await using var migrator = await DedicatedPostgres.Open(address, "catalog-migrations");
        await using var open = await migrator.BeginTransactionAsync(Ct);
        await migrator.ExecuteAsync("lock table runs, checks in access exclusive mode", transaction: open);

        var report = await Examine(address);

        Assert.DoesNotContain(report.Findings, finding => finding.Code == "not_examined");
        Assert.Equal(["checks", "runs"], report.Tables.Where(table => table.Bytes is null).Select(table => table.Name));
    }

    [Fact]
    public async Task A_slow_migration_and_an_idle_transaction_are_reported_with_the_command_that_ends_them()
    {
        var address = await _server.AtHead();
        await using var migration = await DedicatedPostgres.Begin(address, "select pg_sleep(60), 'password=hunter2'", "catalog-migrations");
        await using var client = await DedicatedPostgres.Open(address);
        await using var open = await client.BeginTransactionAsync(Ct);
        await client.ExecuteAsync("select 'postgresql://u:hunter2@h/d'", transaction: open);
        await Task.Delay(150, Ct);

        var report = await Examine(address, limits: new() { Slow = TimeSpan.FromMilliseconds(100) });

        Assert.Contains($"catalog-migrations kill {migration.Pid}`", Code("migration_slow", report).Action);
        Assert.Contains($"catalog-migrations kill {client.ProcessID} --connection", Code("idle_in_transaction", report).Action);
        Assert.DoesNotContain((await Examine(address)).Findings, finding => finding.Code is "migration_slow" or "idle_in_transaction");
        Assert.All(report.ActiveStatements, statement => Assert.DoesNotContain("hunter2", statement.Query));
        Assert.Equal("select 'postgresql://…'", report.ActiveStatements.Single(statement => statement.Pid == client.ProcessID).Query);
    }

    [Fact]
    public async Task The_pool_size_is_checked_against_every_limit_and_the_advice_gives_sizes()
    {
        var address = await _server.AtHead();
        var login = await _server.Login("connection limit 30");
        var service = DedicatedPostgres.WithUser(address, login);

        Assert.Contains($"fits 3 replicas: the connection limit of role {login}", Code("pool_fits", await Examine(address, service))
            .Message);
        var large = Code("pool_too_large", await Examine(address, service, settings: ("DATAXPIPE_PG_POOL_MAX", "31")));
        Assert.Equal(Severity.Error, large.Severity);
        Assert.Contains("30 for one, 15 for two, 7 for four", large.Action);

        await using (await DedicatedPostgres.Open(service, "another program"))
        {
            var tight = Code("pool_too_large", await Examine(address, service, settings: ("DATAXPIPE_PG_POOL_MAX", "30")));
            Assert.Equal(Severity.Warning, tight.Severity);
            Assert.Contains("other clients use 1 now", tight.Message);
        }

        await DedicatedPostgres.Execute(address, $"alter database {new Uri(address).AbsolutePath[1..]} connection limit 20");
        Assert.Contains("the database's connection limit allows 20",
            Code("pool_too_large", await Examine(address, service, settings: ("DATAXPIPE_PG_POOL_MAX", "25"))).Message);
        // For a superuser only the server's limit applies.
        Assert.Contains("max_connections minus 0 reserved allows 300",
            Code("pool_too_large", await Examine(address, settings: ("DATAXPIPE_PG_POOL_MAX", "301"))).Message);
    }

    [Fact]
    public async Task Each_way_for_a_role_to_bypass_row_level_security_is_a_warning()
    {
        var address = await _server.AtHead();
        var (role, login) = (DedicatedPostgres.Name("r"), await _server.Login());
        var service = DedicatedPostgres.WithUser(address, login);
        async Task<Finding> Found(string code) => Code(code, await Examine(address, service, role));

        Assert.Equal(Severity.Warning, (await Found("app_role_missing")).Severity);
        await DedicatedPostgres.Execute(address, $"create role {role} superuser");
        Assert.Contains("is a superuser", (await Found("app_role_bypasses_row_security")).Message);
        await DedicatedPostgres.Execute(address, $"alter role {role} nosuperuser bypassrls");
        Assert.Contains("has BYPASSRLS", (await Found("app_role_bypasses_row_security")).Message);
        await DedicatedPostgres.Execute(address, $"alter role {role} nobypassrls", $"alter table runs owner to {role}");
        Assert.Contains("owns the Catalog's tables", (await Found("app_role_bypasses_row_security")).Message);
        await DedicatedPostgres.Execute(address, "alter table runs owner to postgres", $"revoke all on runs from {role}");
        Assert.Matches(" [0-9]+ tables", (await Found("app_role_not_granted")).Message);
        Assert.Contains($"catalog-migrations grant --member {login}", (await Found("app_role_not_assumable")).Action);
        Assert.Equal(Severity.Error, (await Found("service_not_permitted")).Severity);

        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await PostgresRoleGrant.Run(database, role, login, Ct);
        Assert.DoesNotContain((await Examine(address, service, role)).Findings, finding => finding.Severity != Severity.Note);
    }

    [Fact]
    public async Task Tables_with_many_dead_rows_and_unused_or_invalid_indexes_are_reported()
    {
        var address = await _server.AtHead();
        await DedicatedPostgres.Execute(address,
            "create table heap (id int) with (autovacuum_enabled = false)", "insert into heap select generate_series(1, 40000)",
            "create index heap_unused on heap (id)", "create index heap_invalid on heap (id)", "delete from heap where id <= 20000",
            "update pg_index set indisvalid = false where indexrelid = 'heap_invalid'::regclass");
        await DedicatedPostgres.Until(address, "(select n_dead_tup > 15000 from pg_stat_user_tables where relname = 'heap')");

        var report = await Examine(address, limits: new() { UnusedFor = TimeSpan.Zero, UnusedBytes = 100_000 });

        Assert.Contains("20,000 dead and 20,000 live rows and was never vacuumed", Code("vacuum_behind", report).Message);
        Assert.Contains("reindex index concurrently heap_invalid", Code("invalid_index", report).Action);
        Assert.Contains("heap_unused", Code("unused_index", report).Message);
        Assert.Equal(["heap_invalid", "heap_unused"], report.Indexes.Select(index => index.Name).Order());
        Assert.Contains(report.Tables, table => table is { Name: "heap", DeadRows: 20_000, LastVacuum: null });
        Assert.DoesNotContain((await Examine(address)).Findings, finding => finding.Code == "unused_index");

        await DedicatedPostgres.Execute(address, "vacuum heap");
        await DedicatedPostgres.Until(address, "(select n_dead_tup = 0 from pg_stat_user_tables where relname = 'heap')");
        Assert.DoesNotContain((await Examine(address)).Findings, finding => finding.Code == "vacuum_behind");
    }

    [Fact]
    public async Task Replication_slots_prepared_transactions_and_wraparound_are_reported()
    {
        var address = await _server.AtHead();
        await DedicatedPostgres.Execute(address, "select pg_create_physical_replication_slot('idle_slot', true)");
        await DedicatedPostgres.Execute(address, "begin; create table gone (id int); prepare transaction 'left behind'");
        try
        {
            // Simulate 1.5 billion transactions since the oldest row.
            await DedicatedPostgres.Execute(
                address, "update pg_database set datfrozenxid = ((pg_current_xact_id()::text::bigint + 4294967296 - 1500000000) % "
                    + "4294967296)::text::xid where datname = current_database()");

            var report = await Examine(address, limits: new() { SlotBytes = -1, Slow = TimeSpan.Zero });

            Assert.Contains("pg_drop_replication_slot('idle_slot')", Code("replication_slot_behind", report).Action);
            Assert.Contains("commit prepared 'left behind'", Code("prepared_transaction", report).Action);
            Assert.Contains("1,500,000,0", Code("wraparound_near", report).Message);
            Assert.DoesNotContain((await Examine(address)).Findings, finding =>
                finding.Code is "replication_slot_behind" or "prepared_transaction");
        }
        finally
        {
            await DedicatedPostgres.Execute(address, "rollback prepared 'left behind'", "select pg_drop_replication_slot('idle_slot')");
        }
    }

    [Fact]
    public async Task The_slowest_statements_are_read_from_any_schema_of_the_extension()
    {
        var address = await _server.AtHead();
        Assert.Contains("create extension", Code("pg_stat_statements_missing", await Examine(address)).Action);

        await DedicatedPostgres.Execute(address, "create schema \"Odd one\"", "create extension pg_stat_statements schema \"Odd one\"",
            "-- DoctorServerTests\nselect pg_sleep(0.3)");
        var report = await Examine(address);

        Assert.Equal("-- DoctorServerTests select pg_sleep($1)", report.SlowestStatements![0].Query);
        Assert.True(report.SlowestStatements[0] is { Calls: 1, MeanMilliseconds: >= 300, TotalSeconds: >= 0.3 });
        Assert.DoesNotContain(report.Findings, finding => finding.Code.StartsWith("pg_stat_statements", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_extension_without_its_loaded_library_is_a_note()
    {
        var address = await PostgresTestDatabase.Empty("catalog_empty", superuser: true);
        Assert.SkipWhen(
            await DedicatedPostgres.Scalar<bool>(address, "select exists (select from pg_settings where name = 'pg_stat_statements.max')"),
            "This server has loaded the library.");
        await DedicatedPostgres.Execute(address, "create extension pg_stat_statements");

        Assert.Contains("shared_preload_libraries", Code("pg_stat_statements_not_loaded", await Examine(address)).Action);
    }

    [Fact]
    public async Task A_plain_login_can_run_the_doctor_and_sees_what_is_hidden_from_it()
    {
        var address = await _server.AtHead();
        var login = await _server.Login();
        await using var other = await DedicatedPostgres.Open(address);

        var report = await Examine(DedicatedPostgres.WithUser(address, login));

        Assert.Contains($"grant pg_read_all_stats to \"{login}\"", Code("statistics_hidden", report).Action);
        Assert.Empty(report.ActiveStatements);
        // Only the owner may read the journal, so the doctor reports that it did not examine it.
        Assert.Contains("DATAXPIPE_MIGRATIONS_DB", Code("not_examined", report).Action);
        Assert.NotEmpty(report.Tables);
    }

    [Fact]
    public async Task The_doctors_statements_cannot_write_and_have_a_time_limit()
    {
        var address = await _server.Empty();
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await database.Reads.OpenConnectionAsync(Ct);
        var report = new DoctorReport();

        await EngineDoctor.For(database).RunCheck(connection, "A", () => connection.ExecuteAsync("create table t (id int)"), report, Ct);
        await EngineDoctor.For(database).RunCheck(connection, "B", async () =>
            Assert.Equal("5s", await connection.ExecuteScalarAsync<string>("show statement_timeout")), report, Ct);
        await EngineDoctor.For(database).RunCheck(connection, "C", () =>
            connection.ExecuteAsync("set local statement_timeout = 50; select pg_sleep(5)"), report, Ct);

        Assert.Collection(report.Findings, write => Assert.Contains("25006", write.Message), late =>
            Assert.Contains("57014", late.Message));
        Assert.Equal("0", await connection.ExecuteScalarAsync<string>("show statement_timeout"));
    }

    [Fact]
    public async Task The_console_exits_1_for_a_warning_and_prints_the_whole_report_as_JSON()
    {
        var address = await _server.AtHead();
        await using var other = await DedicatedPostgres.Open(address, "batch");
        await using var open = await other.BeginTransactionAsync(Ct);
        await other.ExecuteAsync("select 1", transaction: open);
        (string, string)[] settings = [("DATAXPIPE_APP_ROLE", DedicatedPostgres.Name("r"))];

        var run = await MigratorConsole.Run(address, settings, "doctor", "--json");
        var text = await MigratorConsole.Run(address, settings, "doctor");

        Assert.Equal((1, 1), (run.Exit, text.Exit));
        var finding = run.Json.GetProperty("findings").EnumerateArray().First();
        Assert.Equal(
            ("app_role_missing", "warning"), (finding.GetProperty("code").GetString(), finding.GetProperty("severity").GetString()));
        var statement = Assert.Single(run.Json.GetProperty("active_statements").EnumerateArray());
        Assert.Equal((other.ProcessID, "batch", "idle in transaction", "select 1"),
            (statement.GetProperty("pid").GetInt32(), statement.GetProperty("application").GetString(), statement.GetProperty("state")
                .GetString(), statement.GetProperty("query").GetString()));
        Assert.True(run.Json.GetProperty("tables")[0].GetProperty("bytes").GetInt64() > 8192);
        Assert.Contains("warning: app_role_missing", text.Output);
        Assert.Matches(@"(?m)^ *\d+  postgres batch +idle in tx +\d+\.\d s  select 1$", text.Output);
    }
}
