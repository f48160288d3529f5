using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Migrations;

/// <summary>Concurrent migrators: real processes on real Postgres.</summary>
[Trait("Category", "Slow")]
public sealed class ConcurrentMigratorTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>, IDisposable
{
    private readonly ShopMigrations _shop = new(server);

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

    [Fact]
    [Trait("Fault", "F26")]
    public async Task A_locked_table_is_retried_and_then_reported_with_its_own_code()
    {
        var address = await _shop.Empty();
        await _shop.Upgrade(address, "1");
        await using var reader = await ShopMigrations.Open(address);
        await using var connection = await reader.Source.OpenConnectionAsync(Ct);
        var transaction = await connection.BeginTransactionAsync(Ct);
        await connection.ExecuteAsync("select * from orders");

        var refused = await MigratorConsole.Run(address, "upgrade", "--lock-timeout", "0.2", "--attempts", "2", "--json", "--scripts",
            _shop.Scripts.Path);
        Assert.Equal((5, "lock_not_obtained"), (refused.Exit, refused.Json.GetProperty("error").GetProperty("code").GetString()));

        var retrying = MigratorConsole.Run(address, "upgrade", "--lock-timeout", "0.2", "--scripts", _shop.Scripts.Path);
        await Task.Delay(1500, Ct);
        await transaction.RollbackAsync(Ct);
        var result = await retrying;
        Assert.True(result.Exit == 0, result.ToString());
        Assert.Contains("a table is locked by other clients; attempt 2 of 10", result.Errors);
        await _shop.AssertClean(address);
    }

    [Fact]
    public async Task A_runner_that_waits_too_long_reports_the_lock_holder()
    {
        var address = await _shop.Empty();
        await using var busy = await ShopMigrations.Open(address);
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
            var address = await _shop.Empty();
            var processes = Enumerable.Range(0, 20)
                .Select(_ => MigratorConsole.Start(address, ["upgrade", "--scripts", _shop.Scripts.Path])).ToList();
            var results = await Task.WhenAll(processes.Select(MigratorConsole.End));
            Assert.All(results, result => Assert.True(result.Exit == 0, result.ToString()));
            Assert.Equal(
                ShopMigrations.Revisions.Length,
                results.Sum(result => result.Output.Split('\n').Count(line => line.StartsWith("applied ", StringComparison.Ordinal))));
            Assert.Equal(ShopMigrations.Revisions,
                (await _shop.Look(address)).Applied.Select(row => Path.GetFileNameWithoutExtension(row.ScriptName)));
            processes.ForEach(process => process.Dispose());
        }
    }

    private async Task WaitBesideConcurrentIndex(int rounds)
    {
        var address = await _shop.Empty();
        await _shop.Upgrade(address, "2");
        var deadlocks = await Deadlocks(address);
        for (var round = 0; round < rounds; round++)
        {
            await using var writer = await ShopMigrations.Open(address);
            await using var connection = await writer.Source.OpenConnectionAsync(Ct);
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            await connection.ExecuteAsync("insert into orders (customer_id, state, total_minor) values (1, 'open', 1)");
            await using var observer = await ShopMigrations.Open(address);
            await using var observing = await observer.Source.OpenConnectionAsync(Ct);

            var builder = _shop.Upgrade(address, "3");
            await ShopMigrations.Until(
                observing, "select exists (select from pg_index where indexrelid = to_regclass('orders_state_idx') and not indisvalid)");
            var waiting = Enumerable.Range(0, 5).Select(_ => _shop.Upgrade(address, "3")).ToList();
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
            await _shop.Downgrade(address, "2");
        }

        Assert.Equal(deadlocks, await Deadlocks(address));
    }

    private static async Task<long> Deadlocks(string address)
    {
        await using var database = await ShopMigrations.Open(address);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        return await connection.ExecuteScalarAsync<long>("select deadlocks from pg_stat_database where datname = current_database()");
    }

    public void Dispose() => _shop.Dispose();
}
