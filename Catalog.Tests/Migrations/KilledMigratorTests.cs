using System.Diagnostics;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Migrations;

/// <summary>Migrators that are killed or interrupted, and the half-applied scripts they leave.</summary>
[Trait("Category", "Slow")]
public sealed class KilledMigratorTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>, IDisposable
{
    private const int GateKey = 77;
    private readonly ShopMigrations _shop = new(server);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

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
        var address = await _shop.Empty();
        using var gated = new TestChain();
        gated.Change(revision + ".sql", sql =>
        {
            var statements = StatementSplitter.Statements(sql).Select(statement => statement.Sql).ToList();
            statements.Insert(point switch { "before" => 0, "inside" => 1, _ => statements.Count },
                $"select pg_advisory_xact_lock({GateKey})");
            return string.Join(";\n", statements) + ";\n";
        });
        await using var gate = await ShopMigrations.Open(address);
        await using var connection = await gate.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync($"select pg_advisory_lock({GateKey})");

        // A longer lock timeout than the test, so that the timeout does not release the lock.
        using var killed = MigratorConsole.Start(address, ["upgrade", "--scripts", gated.Path, "--lock-timeout", "600"]);
        await ShopMigrations.Until(
            connection, $"select exists (select from pg_locks where locktype = 'advisory' and not granted and objid = {GateKey} and "
                + "database = (select oid from pg_database where datname = current_database()))");
        killed.Kill();
        var clock = Stopwatch.StartNew();
        var next = await MigratorConsole.Run(address, "upgrade", "--scripts", _shop.Scripts.Path);

        Assert.True(next.Exit == 0, next.ToString());
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{revision} killed {point}: the next runner finished after {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), "The lock of a killed runner was not released.");
        await _shop.AssertClean(address);
    }

    [Fact]
    public async Task An_invalid_index_of_a_killed_runner_is_rebuilt_by_the_next_run()
    {
        var address = await _shop.Empty();
        await _shop.Upgrade(address, "2");
        await using var writer = await ShopMigrations.Open(address);
        await using var connection = await writer.Source.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await connection.ExecuteAsync("insert into orders (customer_id, state, total_minor) values (1, 'open', 1)");

        using var killed = MigratorConsole.Start(address, ["upgrade", "--scripts", _shop.Scripts.Path]);
        await using var observer = await ShopMigrations.Open(address);
        await using var observing = await observer.Source.OpenConnectionAsync(Ct);
        await ShopMigrations.Until(
            observing, "select exists (select from pg_index where indexrelid = to_regclass('orders_state_idx') and not indisvalid)");
        killed.Kill();
        await ShopMigrations.Until(
            observing, "select not exists (select from pg_stat_activity where query like '%concurrently%' and datname = "
                + "current_database() and pid <> pg_backend_pid() and state = 'active')");
        var half = await MigratorConsole.Run(address, "current", "--scripts", _shop.Scripts.Path);
        Assert.Equal((6, true), (half.Exit, half.Output.Contains("half-applied 0003_state_idx", StringComparison.Ordinal)));
        var verify = await MigratorConsole.Run(address, "verify", "--json", "--scripts", _shop.Scripts.Path);
        Assert.Contains(verify.Json.GetProperty("faults").EnumerateArray(), fault =>
            fault.GetProperty("code").GetString() == "invalid_index");

        await transaction.RollbackAsync(Ct);
        var next = await MigratorConsole.Run(address, "upgrade", "--scripts", _shop.Scripts.Path);
        Assert.True(next.Exit == 0, next.ToString());
        await _shop.AssertClean(address);
    }

    [Fact]
    public async Task A_runner_that_died_before_or_after_a_concurrent_index_is_recovered()
    {
        foreach (var built in new[] { false, true })
        {
            var address = await _shop.Empty();
            await _shop.Upgrade(address, "2");
            await ShopMigrations.Execute(
                address, "insert into schema_history (scriptname, direction, outcome, at) values ('0003_state_idx.sql', 'upgrade', "
                    + "'started', now())");
            if (built)
            {
                await ShopMigrations.Execute(address, "create index concurrently orders_state_idx on orders (state) where state = 'open'");
            }

            await _shop.Upgrade(address, "head");
            await _shop.AssertClean(address);

            await _shop.Downgrade(address, "3");
            await ShopMigrations.Execute(
                address, "insert into schema_history (scriptname, direction, outcome, at) values ('0003_state_idx.sql', 'downgrade', "
                    + "'started', now())");
            if (built)
            {
                await ShopMigrations.Execute(address, "drop index concurrently orders_state_idx");
            }

            await _shop.Downgrade(address, "2");
            await _shop.Upgrade(address, "head");
            await _shop.AssertClean(address);
        }
    }

    [Fact]
    public async Task An_unclear_half_applied_script_is_refused_until_an_operator_decides()
    {
        var address = await _shop.Empty();
        _shop.Scripts.Change("0005_backfill.sql", _ => "-- transaction: none\ncall backfill();\n").Change("down/0005_backfill.sql", _ =>
            "select 1;");
        await _shop.Upgrade(address, "4");
        await ShopMigrations.Execute(
            address, "create procedure backfill() language sql as 'update orders set total_minor = total_minor + 1'");
        await ShopMigrations.Execute(
            address, "insert into schema_history (scriptname, direction, outcome, at) values ('0005_backfill.sql', 'upgrade', "
                + "'started', now())");

        var refused = await MigratorConsole.Run(address, "upgrade", "--json", "--scripts", _shop.Scripts.Path);
        Assert.Equal((6, "half_applied"), (refused.Exit, refused.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains("stamp 0005_backfill", refused.Errors);
        Assert.Contains("upgrade --again", refused.Errors);
        Assert.Equal(6, (await MigratorConsole.Run(address, "current", "--scripts", _shop.Scripts.Path)).Exit);

        Assert.Equal(0, (await MigratorConsole.Run(address, "upgrade", "--again", "--scripts", _shop.Scripts.Path)).Exit);
        Assert.Equal(0, (await MigratorConsole.Run(address, "current", "--scripts", _shop.Scripts.Path)).Exit);
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
            foreach (var address in new[] { await _shop.Empty(), Path.Combine(directory.FullName, $"{i}.db") })
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
        var address = await _shop.Empty();
        _shop.Scripts.Change("0002_currency.sql", sql => sql + "select pg_sleep(60);\n");
        using var process = MigratorConsole.Start(address, ["upgrade", "--scripts", _shop.Scripts.Path]);
        await using var observer = await ShopMigrations.Open(address);
        await using var observing = await observer.Source.OpenConnectionAsync(Ct);
        await ShopMigrations.Until(
            observing, "select exists (select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database())");
        Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
        var result = await MigratorConsole.End(process);

        Assert.Equal(1, result.Exit);
        Assert.Contains("Interrupted", result.Errors);
        var history = await MigratorConsole.Run(address, "history", "--json", "--scripts", _shop.Scripts.Path);
        Assert.Contains(history.Json.GetProperty("attempts").EnumerateArray(), attempt =>
            attempt.GetProperty("message").GetString() == "interrupted");
        Assert.Equal("0001_shop", history.Json.GetProperty("current").GetString());
    }

    public void Dispose() => _shop.Dispose();
}
