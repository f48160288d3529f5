using System.Diagnostics;
using Catalog.Tests.Support;

namespace Catalog.Tests.Faults;

/// <summary>The network between the service and Postgres is slow, silent or cut while clients post.</summary>
[Trait("Category", "Faults")]
[Collection(nameof(Alone))]
[Trait("Category", "Slow")]
public sealed class NetworkFaultTests(PostgresTestDatabase database) : IClassFixture<PostgresTestDatabase>
{
    private readonly TestDatabase _database = database.Require();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static ITestOutputHelper Output => TestContext.Current.TestOutputHelper!;

    [Theory]
    [Trait("Fault", "F07")]
    [InlineData(4)]
    [InlineData(30, Explicit = true, Traits = ["Category", "Long"])]
    public async Task A_connection_cut_between_the_commit_and_its_answer_duplicates_nothing(int seconds)
    {
        using var proxy = new FaultProxy(_database.ServiceAddress);
        using var app = new CatalogApp(new DatabaseAtAddress(proxy.Address));
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });
        var clients = new RetryingClients(() => client);

        // The service repeats a batch once by itself. With two cuts in a row the client gets 503.
        proxy.CutShare = 0.5;
        await clients.Run(clients: 16, TimeSpan.FromSeconds(seconds));

        Output.WriteLine($"{proxy.Cuts} commits cut");
        await clients.Compare(_database.Database);
        Assert.True(proxy.Cuts > 10 && clients.Refused > 0 && clients.Acknowledged > 50, $"{proxy.Cuts} cuts, {clients}");
    }

    [Theory]
    [Trait("Fault", "F06")]
    [InlineData(7)]
    [InlineData(30, Explicit = true, Traits = ["Category", "Long"])]
    public async Task A_silent_partition_gives_503_in_time_and_the_pool_is_usable_after_it(int seconds)
    {
        using var proxy = new FaultProxy(_database.ServiceAddress);
        using var app = new CatalogApp(new DatabaseAtAddress(proxy.Address));
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });
        var clients = new RetryingClients(() => client);
        using var stop = new CancellationTokenSource();
        var posting = clients.Run(clients: 16, stop.Token);
        await Task.Delay(1000, Ct);

        proxy.Partition();
        var clock = Stopwatch.StartNew();
        var (slowestProbe, notReadyAfter) = (TimeSpan.Zero, TimeSpan.Zero);
        while (clock.Elapsed < TimeSpan.FromSeconds(seconds))
        {
            var probe = Stopwatch.StartNew();
            using var health = await client.GetAsync("/health", Ct);
            slowestProbe = probe.Elapsed > slowestProbe ? probe.Elapsed : slowestProbe;
            Assert.Equal(200, (int)health.StatusCode);
            using var ready = await client.GetAsync("/ready", Ct);
            notReadyAfter = notReadyAfter == TimeSpan.Zero && (int)ready.StatusCode == 503 ? clock.Elapsed : notReadyAfter;
            await Task.Delay(100, Ct);
        }

        var (acknowledged, refused, connections) = (clients.Acknowledged, clients.Refused, proxy.Connections);
        proxy.Heal();
        var back = Stopwatch.StartNew();
        while (clients.Acknowledged == acknowledged)
        {
            Assert.True(back.Elapsed < TimeSpan.FromSeconds(15), "No post succeeds after the partition.");
            await Task.Delay(20, Ct);
        }

        back.Stop();
        await Task.Delay(500, Ct);
        await stop.CancelAsync();
        await posting;
        Output.WriteLine(
            $"partition of {seconds} s: {refused} posts answered 503, slowest /health {slowestProbe.TotalMilliseconds:0} ms, /ready 503 "
                + $"after {notReadyAfter.TotalSeconds:0.0} s, {connections} connections; first post acknowledged "
                + $"{back.Elapsed.TotalSeconds:0.0} s after it");
        await clients.Compare(_database.Database);
        Assert.True(refused > 0);
        // The limits are 5 s for a request and 2.5 s for readiness; the test machine may be busy.
        Assert.InRange(clients.Longest, TimeSpan.Zero, TimeSpan.FromSeconds(8));
        Assert.InRange(notReadyAfter, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(6));
        // The pool has 10 connections and tries to replace them, and each check of readiness opens its own connection.
        // So the number of connections grows with the time and not with the refused requests.
        Assert.InRange(connections, 0, 10 + (3 * seconds));
    }

    [Theory]
    [Trait("Fault", "F08")]
    [InlineData(50)]
    [InlineData(200)]
    [InlineData(1000)]
    public async Task A_slow_network_delays_answers_at_most_until_the_limit(int milliseconds)
    {
        using var proxy = new FaultProxy(_database.ServiceAddress);
        using var app = new CatalogApp(new DatabaseAtAddress(proxy.Address));
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });
        await client.GetJson("/api/v1/runs/?limit=1");
        var clients = new RetryingClients(() => client);

        proxy.Delay = TimeSpan.FromMilliseconds(milliseconds);
        var posting = clients.Run(clients: 16, TimeSpan.FromSeconds(3));
        var clock = Stopwatch.StartNew();
        var reads = await Task.WhenAll(Enumerable.Range(0, 32).Select(async _ =>
        {
            using var answer = await client.GetAsync("/api/v1/runs/?limit=1", Ct);
            return (int)answer.StatusCode;
        }));
        var slowestRead = clock.Elapsed;
        await posting;

        Output.WriteLine($"{milliseconds} ms: reads {reads.Count(status => status == 200)} × 200, {reads.Count(status => status == 503)} × "
            + $"503, slowest {slowestRead.TotalSeconds:0.0} s");
        proxy.Delay = TimeSpan.Zero;
        await clients.Compare(_database.Database);
        Assert.All(reads, status => Assert.True(status is 200 or 503, $"{status}"));
        // With a second for each packet, opening a connection alone can exceed the limit of two seconds.
        Assert.True(clients.Acknowledged > 0 || milliseconds == 1000);
        // Twice the limit of an answer: the tests beside this one use the same cores.
        Assert.InRange(clients.Longest, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.InRange(slowestRead, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    [Trait("Fault", "F11")]
    public async Task A_restarted_pooler_loses_nothing_and_writes_succeed_soon()
    {
        Pooler.Require();
        using var pooler = new Pooler("transaction", poolSize: 4);
        using var app = new CatalogApp(new DatabaseAtAddress(pooler.Through(_database.Address)));
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });
        var clients = new RetryingClients(() => client);
        using var stop = new CancellationTokenSource();
        var posting = clients.Run(clients: 16, stop.Token);
        var worst = TimeSpan.Zero;
        for (var restart = 0; restart < 3; restart++)
        {
            await Task.Delay(700, Ct);
            pooler.Restart();
            var back = Stopwatch.StartNew();
            for (var before = clients.Acknowledged; clients.Acknowledged < before + 50;)
            {
                Assert.True(back.Elapsed < TimeSpan.FromSeconds(10), $"No post succeeds after a restart: {pooler.Log}");
                await Task.Delay(10, Ct);
            }

            worst = back.Elapsed > worst ? back.Elapsed : worst;
        }

        await stop.CancelAsync();
        await posting;
        Output.WriteLine($"3 restarts; 50 posts acknowledged after {worst.TotalSeconds:0.0} s at most");
        await clients.Compare(_database.Database);
    }
}
