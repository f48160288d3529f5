using System.Collections.Concurrent;
using System.Diagnostics;
using Catalog.Tests.Support;

namespace Catalog.Tests.Faults;

/// <summary>Patroni gives the lead to the other server while clients post.</summary>
[Trait("Category", "Faults")]
[Trait("Category", "Long")]
[Collection(nameof(Alone))]
public sealed class FailoverTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    [Trait("Fault", "F14")]
    public Task After_a_switchover_writes_succeed_again_and_nothing_is_lost() =>
        WritesSucceedAgain(cluster => cluster.Switchover(), TimeSpan.FromSeconds(15));

    [Fact(Explicit = true)]
    [Trait("Fault", "F13")]
    public Task After_a_killed_leader_writes_succeed_again_and_nothing_is_lost() =>
        WritesSucceedAgain(cluster => cluster.KillLeader(), TimeSpan.FromSeconds(40));

    private static async Task WritesSucceedAgain(Func<PatroniCluster, Task> fault, TimeSpan promise)
    {
        PatroniCluster.Require();
        await using var cluster = await PatroniCluster.Start();
        await TestDatabase.Migrate(cluster.Uri);
        await using var database = new DatabaseAtAddress(cluster.Uri);
        using var app = new CatalogApp(database);
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });
        var clients = new RetryingClients(() => client);
        using var stop = new CancellationTokenSource();
        var posting = clients.Run(clients: 8, stop.Token);
        var reading = Reads(client, stop.Token);
        await Task.Delay(3000, Ct);

        var clock = Stopwatch.StartNew();
        await fault(cluster);
        // Writes continue for a moment after the request for a switchover. So the longest gap between two acknowledged
        // posts is measured.
        var (gap, last, count) = (TimeSpan.Zero, clock.Elapsed, clients.Acknowledged);
        while (clock.Elapsed < promise + TimeSpan.FromSeconds(5))
        {
            await Task.Delay(20, Ct);
            if (clients.Acknowledged > count)
            {
                gap = clock.Elapsed - last > gap ? clock.Elapsed - last : gap;
                (last, count) = (clock.Elapsed, clients.Acknowledged);
            }
        }

        await stop.CancelAsync();
        await posting;
        var reads = await reading;
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"writes again after {gap.TotalSeconds:0.0} s; reads: "
                + string.Join(", ", reads.OrderBy(read => read.Key).Select(read => $"{read.Value} × {read.Key}")));
        await clients.Compare(database.Database);
        Assert.All(reads.Keys, status => Assert.True(status is 200 or 503, $"{status}"));
        Assert.True(clients.Refused > 0, clients.ToString());
        Assert.InRange(gap, TimeSpan.Zero, promise);
        Assert.True(clock.Elapsed - last < TimeSpan.FromSeconds(5), "Writes do not go on.");
    }

    private static async Task<ConcurrentDictionary<int, int>> Reads(HttpClient client, CancellationToken stop)
    {
        var statuses = new ConcurrentDictionary<int, int>();
        while (!stop.IsCancellationRequested)
        {
            using var answer = await client.GetAsync("/api/v1/runs/?limit=1", Ct);
            statuses.AddOrUpdate((int)answer.StatusCode, 1, (_, count) => count + 1);
            await Task.Delay(20, Ct);
        }

        return statuses;
    }
}
