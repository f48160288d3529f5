using System.Diagnostics;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Migrations;

/// <summary>Concurrent and killed migrators: real processes on real Postgres.</summary>
[Trait("Category", "Slow")]
public sealed class ConcurrentMigratorTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>, IDisposable
{
    private const int GateKey = 77;
    private static readonly string[] Revisions = ["0001_shop", "0002_currency", "0003_state_idx", "0004_touch"];
    private readonly TestChain _scripts = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Fault", "F27")]
    public Task Twenty_concurrent_runners_succeed_and_record_each_revision_once() => Race(rounds: 1);

    [Fact(Explicit = true)]
    [Trait("Fault", "F27")]
    [Trait("Category", "Long")]
    public Task Twenty_concurrent_runners_fifty_times() => Race(rounds: 50);

    [Fact]
    public Task Waiting_runners_and_an_index_built_concurrently_do_not_deadlock() => WaitBesideConcurrentIndex(rounds: 2);

    [Fact(Explicit = true)]
    [Trait("Category", "Long")]
    public Task Waiting_runners_and_an_index_built_concurrently_fifty_times() => WaitBesideConcurrentIndex(rounds: 50);

    [Theory]
    [Trait("Fault", "F28")]
    [InlineData("0001_shop", "before", Explicit = true, Traits = ["Category", "Long"])]
    [InlineData("0001_shop", "inside")]
    [InlineData("0001_shop", "after", Explicit = true, Traits = ["Category", "Long"])]
    [InlineData("0002_currency", "before", Explicit = true, Traits = ["Category", "Long"])]
    [InlineData("0002_currency", "inside")]
    [InlineData("0002_currency", "after", Explicit = true, Traits = ["Category", "Long"])]
    [InlineData("0004_touch", "before")]
    [InlineData("0004_touch", "inside", Explicit = true, Traits = ["Category", "Long"])]
    [InlineData("0004_touch", "after")]
    public async Task A_killed_runner_releases_its_lock_and_leaves_no_changes(string revision, string point)
    {
        var address = await Empty();
        using var gated = new TestChain();
        gated.Change(revision + ".sql", sql =>
        {
            var statements = SqlText.Statements(sql).Select(statement => statement.Sql).ToList();
            statements.Insert(point switch { "before" => 0, "inside" => 1, _ => statements.Count },
                $"select pg_advisory_xact_lock({GateKey})");
            return string.Join(";\n", statements) + ";\n";
        });
        await using var gate = await Open(address);
        await using var connection = await gate.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync($"select pg_advisory_lock({GateKey})");

        // A longer lock timeout than the test, so that the timeout does not release the lock.
        using var killed = MigratorConsole.Start(address, ["upgrade", "--scripts", gated.Path, "--lock-timeout", "600"]);
        await Until(
            connection, $"select exists (select from pg_locks where locktype = 'advisory' and not granted and objid = {GateKey} and "
                + "database = (select oid from pg_database where datname = current_database()))");
        killed.Kill();
        var clock = Stopwatch.StartNew();
        var next = await MigratorConsole.Run(address, "upgrade", "--scripts", _scripts.Path);

        Assert.True(next.Exit == 0, next.ToString());
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{revision} killed {point}: the next runner finished after {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), "The lock of a killed runner was not released.");
        await AssertClean(address);
    }

    [Fact]
    public async Task An_invalid_index_of_a_killed_runner_is_rebuilt_by_the_next_run()
    {
        var address = await Empty();
        await Upgrade(address, "2");
        await using var writer = await Open(address);
        await using var connection = await writer.Source.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await connection.ExecuteAsync("insert into orders (customer_id, state, total_minor) values (1, 'open', 1)");

        using var killed = MigratorConsole.Start(address, ["upgrade", "--scripts", _scripts.Path]);
        await using var observer = await Open(address);
        await using var observing = await observer.Source.OpenConnectionAsync(Ct);
        await Until(
            observing, "select exists (select from pg_index where indexrelid = to_regclass('orders_state_idx') and not indisvalid)");
        killed.Kill();
        await Until(
            observing, "select not exists (select from pg_stat_activity where query like '%concurrently%' and datname = "
                + "current_database() and pid <> pg_backend_pid() and state = 'active')");
        var half = await MigratorConsole.Run(address, "current", "--scripts", _scripts.Path);
        Assert.Equal((6, true), (half.Exit, half.Output.Contains("half-applied 0003_state_idx", StringComparison.Ordinal)));
        var verify = await MigratorConsole.Run(address, "verify", "--json", "--scripts", _scripts.Path);
        Assert.Contains(verify.Json.GetProperty("faults").EnumerateArray(), fault =>
            fault.GetProperty("code").GetString() == "invalid_index");

        await transaction.RollbackAsync(Ct);
        var next = await MigratorConsole.Run(address, "upgrade", "--scripts", _scripts.Path);
        Assert.True(next.Exit == 0, next.ToString());
        await AssertClean(address);
    }

    [Fact]
    public async Task A_runner_that_died_before_or_after_a_concurrent_index_is_recovered()
    {
        foreach (var built in new[] { false, true })
        {
            var address = await Empty();
            await Upgrade(address, "2");
            await Execute(
                address, "insert into schema_history (scriptname, direction, outcome, at) values ('0003_state_idx.sql', 'upgrade', "
                    + "'started', now())");
            if (built)
            {
                await Execute(address, "create index concurrently orders_state_idx on orders (state) where state = 'open'");
            }

            await Upgrade(address, "head");
            await AssertClean(address);

            await Downgrade(address, "3");
            await Execute(
                address, "insert into schema_history (scriptname, direction, outcome, at) values ('0003_state_idx.sql', 'downgrade', "
                    + "'started', now())");
            if (built)
            {
                await Execute(address, "drop index concurrently orders_state_idx");
            }

            await Downgrade(address, "2");
            await Upgrade(address, "head");
            await AssertClean(address);
        }
    }

    [Fact]
    public async Task An_unclear_half_applied_script_is_refused_until_an_operator_decides()
    {
        var address = await Empty();
        _scripts.Change("0005_backfill.sql", _ => "-- transaction: none\ncall backfill();\n").Change("down/0005_backfill.sql", _ =>
            "select 1;");
        await Upgrade(address, "4");
        await Execute(address, "create procedure backfill() language sql as 'update orders set total_minor = total_minor + 1'");
        await Execute(
            address, "insert into schema_history (scriptname, direction, outcome, at) values ('0005_backfill.sql', 'upgrade', "
                + "'started', now())");

        var refused = await MigratorConsole.Run(address, "upgrade", "--json", "--scripts", _scripts.Path);
        Assert.Equal((6, "half_applied"), (refused.Exit, refused.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains("stamp 0005_backfill", refused.Errors);
        Assert.Contains("upgrade --again", refused.Errors);
        Assert.Equal(6, (await MigratorConsole.Run(address, "current", "--scripts", _scripts.Path)).Exit);

        Assert.Equal(0, (await MigratorConsole.Run(address, "upgrade", "--again", "--scripts", _scripts.Path)).Exit);
        Assert.Equal(0, (await MigratorConsole.Run(address, "current", "--scripts", _scripts.Path)).Exit);
    }

    [Theory]
    [Trait("Fault", "F28")]
    [InlineData(2)]
    [InlineData(10, Explicit = true, Traits = ["Category", "Long"])]
    public async Task An_upgrade_after_a_kill_at_any_time_reaches_the_same_schema(int kills)
    {
        server.Require();
        var directory = Directory.CreateTempSubdirectory("catalog-killed-");
        var random = new Random(4);
        for (var i = 0; i < kills; i++)
        {
            foreach (var address in new[] { await Empty(), Path.Combine(directory.FullName, $"{i}.db") })
            {
                using var killed = MigratorConsole.Start(address, ["upgrade"]);
                await Task.Delay(random.Next(100, 450), Ct);
                killed.Kill();
                await killed.WaitForExitAsync(Ct);
                var next = await MigratorConsole.Run(address, "upgrade");
                Assert.True(next.Exit == 0, next.ToString());
                await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
                var chain = Chain.BuiltIn(database.Dialect.Folder);
                Assert.Empty(
                    SchemaDescription.Compare(chain.Scripts[^1].Fingerprint!, await new Migrator(database, chain, TimeProvider.System)
                        .Describe(Ct)));
            }
        }

        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task An_interrupted_runner_rolls_back_its_script_and_reports_it()
    {
        var address = await Empty();
        _scripts.Change("0002_currency.sql", sql => sql + "select pg_sleep(60);\n");
        using var process = MigratorConsole.Start(address, ["upgrade", "--scripts", _scripts.Path]);
        await using var observer = await Open(address);
        await using var observing = await observer.Source.OpenConnectionAsync(Ct);
        await Until(
            observing, "select exists (select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database())");
        Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
        var result = await MigratorConsole.End(process);

        Assert.Equal(1, result.Exit);
        Assert.Contains("Interrupted", result.Errors);
        var history = await MigratorConsole.Run(address, "history", "--json", "--scripts", _scripts.Path);
        Assert.Contains(history.Json.GetProperty("attempts").EnumerateArray(), attempt =>
            attempt.GetProperty("message").GetString() == "interrupted");
        Assert.Equal("0001_shop", history.Json.GetProperty("current").GetString());
    }

    [Fact]
    [Trait("Fault", "F26")]
    public async Task A_locked_table_is_retried_and_then_reported_with_its_own_code()
    {
        var address = await Empty();
        await Upgrade(address, "1");
        await using var reader = await Open(address);
        await using var connection = await reader.Source.OpenConnectionAsync(Ct);
        var transaction = await connection.BeginTransactionAsync(Ct);
        await connection.ExecuteAsync("select * from orders");

        var refused = await MigratorConsole.Run(address, "upgrade", "--lock-timeout", "0.2", "--attempts", "2", "--json", "--scripts",
            _scripts.Path);
        Assert.Equal((5, "lock_not_obtained"), (refused.Exit, refused.Json.GetProperty("error").GetProperty("code").GetString()));

        var retrying = MigratorConsole.Run(address, "upgrade", "--lock-timeout", "0.2", "--scripts", _scripts.Path);
        await Task.Delay(1500, Ct);
        await transaction.RollbackAsync(Ct);
        var result = await retrying;
        Assert.True(result.Exit == 0, result.ToString());
        Assert.Contains("a table is locked by other clients; attempt 2 of 10", result.Errors);
        await AssertClean(address);
    }

    [Fact]
    public async Task A_runner_that_waits_too_long_reports_the_lock_holder()
    {
        var address = await Empty();
        await using var busy = await Open(address);
        await using var connection = await busy.Source.OpenConnectionAsync(Ct);
        await using var held = await busy.Dialect.Lock(connection, TimeSpan.Zero, _ => { }, Ct);

        var refused = await MigratorConsole.Run(address, "upgrade", "--wait", "0.5");

        var process = await connection.ExecuteScalarAsync<int>("select pg_backend_pid()");
        Assert.Equal(5, refused.Exit);
        Assert.Contains($"waiting for migrator with server process {process}", refused.Errors);
        Assert.Contains("catalog-migrations kill", refused.Errors);
    }

    private async Task Race(int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            var address = await Empty();
            var processes = Enumerable.Range(0, 20).Select(_ => MigratorConsole.Start(address, ["upgrade", "--scripts", _scripts.Path]))
                .ToList();
            var results = await Task.WhenAll(processes.Select(MigratorConsole.End));
            Assert.All(results, result => Assert.True(result.Exit == 0, result.ToString()));
            Assert.Equal(
                Revisions.Length,
                results.Sum(result => result.Output.Split('\n').Count(line => line.StartsWith("applied ", StringComparison.Ordinal))));
            Assert.Equal(Revisions, (await Look(address)).Applied.Select(row => Path.GetFileNameWithoutExtension(row.ScriptName)));
            processes.ForEach(process => process.Dispose());
        }
    }

    private async Task WaitBesideConcurrentIndex(int rounds)
    {
        var address = await Empty();
        await Upgrade(address, "2");
        var deadlocks = await Deadlocks(address);
        for (var round = 0; round < rounds; round++)
        {
            await using var writer = await Open(address);
            await using var connection = await writer.Source.OpenConnectionAsync(Ct);
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            await connection.ExecuteAsync("insert into orders (customer_id, state, total_minor) values (1, 'open', 1)");
            await using var observer = await Open(address);
            await using var observing = await observer.Source.OpenConnectionAsync(Ct);

            var builder = Upgrade(address, "3");
            await Until(
                observing, "select exists (select from pg_index where indexrelid = to_regclass('orders_state_idx') and not indisvalid)");
            var waiting = Enumerable.Range(0, 5).Select(_ => Upgrade(address, "3")).ToList();
            for (var sample = 0; sample < 3; sample++)
            {
                await Task.Delay(100, Ct);
                Assert.Equal(
                    0, await observing.ExecuteScalarAsync<int>(
                        "select count(*)::int from pg_stat_activity where datname = current_database() and query like "
                            + "'%pg_try_advisory_lock(%' and pid <> pg_backend_pid() and (state = 'idle in transaction' or (state = "
                            + "'active' and now() - query_start > interval '1 second'))"));
            }

            await transaction.CommitAsync(Ct);
            Assert.Single(await builder);
            Assert.All(await Task.WhenAll(waiting), Assert.Empty);
            await Downgrade(address, "2");
        }

        Assert.Equal(deadlocks, await Deadlocks(address));
    }

    private static async Task<long> Deadlocks(string address)
    {
        await using var database = await Open(address);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        return await connection.ExecuteScalarAsync<long>("select deadlocks from pg_stat_database where datname = current_database()");
    }

    private async Task AssertClean(string address)
    {
        var clean = await Empty();
        await Upgrade(clean, "head");
        Assert.Equal(await Describe(clean), await Describe(address));
        Assert.Equal(Revisions, (await Look(address)).Applied.Select(row => Path.GetFileNameWithoutExtension(row.ScriptName)));
        Assert.Empty((await Look(address)).HalfApplied);
        // Each script is applied once: a second update by 0002 would change the e-mail address again.
        Assert.Equal(
            2, await Count(address, "select count(*)::int from customers where email in ('a;b@example.com.', 'it''s -- no comment')"));
    }

    private async Task<string> Empty()
    {
        server.Require();
        return await PostgresTestDatabase.Empty("catalog_runner");
    }

    private static Task<MigrationDatabase> Open(string address) => Task.FromResult(MigrationDatabase.Open(TestDatabase.Read(address)));

    private async Task<T> With<T>(string address, Func<Migrator, Task<T>> work)
    {
        await using var database = await Open(address);
        return await work(new Migrator(database, Chain.From(_scripts.Path, "postgres"), TimeProvider.System));
    }

    private Task<List<MigrationStep>> Upgrade(string address, string target) =>
        With(address, migrator => migrator.Upgrade(target, again: false, Ct));

    private Task<List<MigrationStep>> Downgrade(string address, string target) =>
        With(address, migrator => migrator.Downgrade(target, again: false, Ct));

    private Task<IReadOnlyList<string>> Describe(string address) => With(address, migrator => migrator.Describe(Ct));

    private Task<SchemaStatus> Look(string address) => With(address, migrator => migrator.ReadStatus(Ct));

    private static async Task Execute(string address, string sql)
    {
        await using var database = await Open(address);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync(sql);
    }

    private static async Task<int> Count(string address, string sql)
    {
        await using var database = await Open(address);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        return await connection.ExecuteScalarAsync<int>(sql);
    }

    private static async Task Until(System.Data.Common.DbConnection connection, string condition)
    {
        var clock = Stopwatch.StartNew();
        while (!await connection.ExecuteScalarAsync<bool>(condition))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"Not true within 20 seconds: {condition}");
            await Task.Delay(20, Ct);
        }
    }

    public void Dispose() => _scripts.Dispose();
}
