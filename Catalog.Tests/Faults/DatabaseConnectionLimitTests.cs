using System.Diagnostics;
using Catalog.Data.Database;
using Catalog.Tests.Support;
using Npgsql;

namespace Catalog.Tests.Faults;

/// <summary>The pool, the server's connections or a table are taken by others.</summary>
[Trait("Category", "Faults")]
[Collection(nameof(Alone))]
public sealed class DatabaseConnectionLimitTests(PostgresTestDatabase database) : IClassFixture<PostgresTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static ITestOutputHelper Output => TestContext.Current.TestOutputHelper!;

    [Fact]
    [Trait("Fault", "F09")]
    [Trait("Fault", "F26")]
    [Trait("Fault", "F37")]
    public async Task Two_hundred_requests_with_a_pool_of_five_and_a_locked_table_end_in_time_and_probes_answer()
    {
        using var app = new CatalogApp(database.Require(), ("DATAXPIPE_PG_POOL_MAX", "5"), ("DATAXPIPE_PG_POOL_TIMEOUT", "1"));
        using var client = app.Client();
        var unlocked = await Answers(client, 200);
        await using var locker = await DedicatedPostgres.Open(database.SuperuserAddress);
        await using (var transaction = await locker.BeginTransactionAsync(Ct))
        {
            await using var take = new NpgsqlCommand("lock table pipelines in access exclusive mode", locker);
            await take.ExecuteNonQueryAsync(Ct);
            var locked = Answers(client, 200);
            var probes = 0;
            var slowest = new Dictionary<string, TimeSpan> { ["/health"] = TimeSpan.Zero, ["/ready"] = TimeSpan.Zero };
            while (!locked.IsCompleted)
            {
                foreach (var path in new[] { "/health", "/ready" })
                {
                    var clock = Stopwatch.StartNew();
                    using var probe = await client.GetAsync(path, Ct);
                    // Readiness has its own connection, and its check does not read the locked table.
                    Assert.True((int)probe.StatusCode == 200, $"{path}: {probe.StatusCode}");
                    slowest[path] = clock.Elapsed > slowest[path] ? clock.Elapsed : slowest[path];
                    probes++;
                }
            }

            var times = (await locked).Where(answer => answer.Status == 503).Select(answer => answer.Time).Order().ToList();
            Output.WriteLine(
                $"without the lock: {Counted(unlocked)}; with it: {Counted(await locked)}; the median 503 after "
                    + $"{times[times.Count / 2].TotalSeconds:0.0} s, the last after {times[^1].TotalSeconds:0.0} s; {probes} probes "
                    + $"answered 200, the slowest {string.Join(", ", slowest.Select(probe => $"{probe.Key} {probe.Value.TotalMilliseconds:0} ms"))}");
            Assert.All(await locked, answer => Assert.Equal(503, answer.Status));
            // A request waits 1 s for a connection; the few that got one wait 4 s for the table.
            Assert.InRange(times[times.Count / 2], TimeSpan.Zero, TimeSpan.FromSeconds(3));
            Assert.InRange(times[^1], TimeSpan.Zero, TimeSpan.FromSeconds(8));
        }

        var back = Stopwatch.StartNew();
        while ((await Answers(client, 1))[0].Status != 200)
        {
            Assert.True(back.Elapsed < TimeSpan.FromSeconds(5), "The pool is not usable after the lock.");
        }

        Output.WriteLine($"first 200 after {back.Elapsed.TotalSeconds:0.00} s");
        Assert.All(unlocked, answer => Assert.True(answer.Status is 200 or 503, $"{answer.Status}"));
    }

    [Fact]
    [Trait("Fault", "F10")]
    public async Task A_server_without_free_connections_gives_503_and_the_service_recovers_by_itself()
    {
        using var server = PostgresCluster.Start(fsync: false, "max_connections=20").Require();
        await using var migrated = new DatabaseAtAddress(await DatabaseAtAddress.MigratedWithLogin(server));
        using var app = new CatalogApp(migrated, ("DATAXPIPE_PG_POOL_MIN", "0"), ("DATAXPIPE_PG_POOL_MAX", "15"));
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });
        // Ends the sessions of the service, so that others can take their places.
        await DedicatedPostgres.Execute(
            server.Uri, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'service'");
        var others = await TakeAll(migrated.Address);
        var clients = new RetryingClients(() => client);
        using var stop = new CancellationTokenSource();
        var posting = clients.Run(clients: 16, stop.Token);
        await Task.Delay(2000, Ct);
        using var health = await client.GetAsync("/health", Ct);
        var (acknowledged, refused) = (clients.Acknowledged, clients.Refused);

        foreach (var connection in others)
        {
            await connection.DisposeAsync();
        }

        var back = Stopwatch.StartNew();
        while (clients.Acknowledged == acknowledged)
        {
            Assert.True(back.Elapsed < TimeSpan.FromSeconds(10), "The service does not find the free connections.");
            await Task.Delay(20, Ct);
        }

        back.Stop();
        await Task.Delay(1000, Ct);
        await stop.CancelAsync();
        await posting;
        Output.WriteLine($"{others.Count} connections taken; {refused} × 503 meanwhile; first post acknowledged "
            + $"{back.Elapsed.TotalSeconds:0.00} s after they ended");
        await clients.Compare(migrated.Database);
        Assert.Equal(200, (int)health.StatusCode);
        Assert.True(refused > 0);
    }

    // Opens connections until the server refuses one.
    private static async Task<List<NpgsqlConnection>> TakeAll(string address)
    {
        var settings = PostgresUri.Parse("address", address);
        settings.Pooling = false;
        var connections = new List<NpgsqlConnection>();
        for (var refusals = 0; refusals < 10;)
        {
            var connection = new NpgsqlConnection(settings.ConnectionString);
            try
            {
                await connection.OpenAsync(Ct);
                connections.Add(connection);
            }
            catch (PostgresException full) when (full.SqlState == "53300")
            {
                // The service may still close a connection, so this tries again.
                await connection.DisposeAsync();
                await Task.Delay(50, Ct);
                refusals++;
            }
        }

        return connections;
    }

    private static Task<(int Status, TimeSpan Time)[]> Answers(HttpClient client, int count) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(async _ =>
        {
            var clock = Stopwatch.StartNew();
            using var answer = await client.GetAsync("/api/v1/pipelines/?limit=1", Ct);
            return ((int)answer.StatusCode, clock.Elapsed);
        }));

    private static string Counted(IEnumerable<(int Status, TimeSpan Time)> answers) =>
        string.Join(", ", answers.GroupBy(answer => answer.Status).Select(group => $"{group.Count()} × {group.Key}"));
}
