using System.Diagnostics;
using Catalog.Data.Database;
using Catalog.Tests.Support;

namespace Catalog.Tests.Faults;

[Trait("Fault", "F01")]
public sealed class ServiceKillsOnPostgres(PostgresTestDatabase database) : ServiceKillTests(database), IClassFixture<PostgresTestDatabase>;

[Trait("Fault", "F20")]
public sealed class ServiceKillsOnSqlite(SqliteTestDatabase database) : ServiceKillTests(database), IClassFixture<SqliteTestDatabase>
{
    protected override async Task CheckIntegrity() =>
        Assert.Equal("ok", await Database.One<string>("default", "pragma integrity_check", null, TestContext.Current.CancellationToken));
}

/// <summary>The service is killed while clients post, and started again on the same database.</summary>
[Trait("Category", "Faults")]
[Trait("Category", "Slow")]
public abstract class ServiceKillTests(TestDatabase database)
{
    private readonly TestDatabase _database = database.Require();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected CatalogDatabase Database => _database.Database;

    [Theory]
    [InlineData(2, 20)]
    [InlineData(20, 1000, Explicit = true, Traits = ["Category", "Long"])]
    [InlineData(50, 20, Explicit = true, Traits = ["Category", "Long"])]
    public async Task A_killed_service_loses_and_duplicates_nothing(int kills, int postsBetween)
    {
        HttpClient? current = null;
        var clients = new RetryingClients(() => current);
        using var stop = new CancellationTokenSource();
        var posting = Task.CompletedTask;
        var slowest = TimeSpan.Zero;
        for (var kill = 0; kill <= kills; kill++)
        {
            var clock = Stopwatch.StartNew();
            using var service = new ServiceProcess(_database.ServiceAddress);
            using var client = await service.Client();
            client.DefaultRequestHeaders.Add("X-API-KEY", CatalogApp.Key);
            while ((int)(await client.GetAsync("/ready", Ct)).StatusCode != 200)
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), string.Join('\n', service.Log));
                await Task.Delay(20, Ct);
            }

            slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
            if (kill == 0)
            {
                await client.PostJson("/api/v1/pipelines/", new { name = "load" });
                posting = clients.Run(clients: 8, stop.Token);
            }

            // A kill comes at a random moment, but after some posts.
            var before = clients.Acknowledged;
            current = client;
            await Task.Delay(Random.Shared.Next(200, 1000), Ct);
            while (clients.Acknowledged < before + postsBetween)
            {
                await Task.Delay(10, Ct);
            }

            if (kill == kills)
            {
                await stop.CancelAsync();
                await posting;
            }

            current = null;
            service.Dispose();
            await CheckIntegrity();
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{kills} kills; ready after {slowest.TotalSeconds:0.0} s at most");
        await clients.Compare(Database);
        Assert.True(clients.Unknown > 0, clients.ToString());
    }

    protected virtual Task CheckIntegrity() => Task.CompletedTask;
}
