using System.Diagnostics;
using System.Net;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Faults;

/// <summary>Tests that load the whole machine run one at a time, after the others.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>
/// Many clients on real Postgres. The clients record the acknowledged rows, which are compared with the tables.
/// </summary>
[Trait("Category", "Faults")]
[Collection(nameof(Alone))]
[Trait("Category", "Slow")]
public sealed class LoadTests(PostgresTestDatabase database) : IClassFixture<PostgresTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(5)]
    [InlineData(30, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Thirty_two_clients_with_a_pool_of_ten_lose_no_rows(int seconds)
    {
        using var app = new CatalogApp(database.Require(), ("DATAXPIPE_PG_POOL_MAX", "10"));
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });

        var ledger = await LoadClients.Run(client, clients: 32, TimeSpan.FromSeconds(seconds));

        TestContext.Current.TestOutputHelper!.WriteLine(ledger.ToString());
        Assert.All(ledger.Statuses.Keys, status => Assert.True((int)status is 200 or 201, $"{status}: {ledger}"));
        Assert.True(ledger.Results.Count > 500 * seconds / 30, ledger.ToString());
        await ledger.Compare(database.Database);
        Assert.Empty(app.Log.At(LogLevel.Warning));
    }

    [Theory]
    [Trait("Fault", "F03")]
    [InlineData(1, 2, 7)]
    [InlineData(4, 5, 20, Explicit = true, Traits = ["Category", "Long"])]
    public async Task A_stop_of_Postgres_under_load_gives_503_until_it_is_back(int before, int stopped, int seconds)
    {
        using var server = PostgresCluster.Start(fsync: true).Require();
        await TestDatabase.Migrate(server.Uri);
        await using var database = new DatabaseAtAddress(server.Uri);
        using var app = new CatalogApp(database);
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });
        using var probes = new CancellationTokenSource();
        var health = Health(client, probes.Token);

        var posting = LoadClients.Run(client, clients: 16, TimeSpan.FromSeconds(seconds));
        await Task.Delay(TimeSpan.FromSeconds(before), Ct);
        server.Stop();
        await Task.Delay(TimeSpan.FromSeconds(stopped), Ct);
        await (await client.GetAsync("/ready", Ct)).Problem(503, "not_ready");
        await (await client.GetAsync("/api/v1/runs/", Ct)).Problem(503, "database_unavailable");
        server.Begin();
        var back = Stopwatch.StartNew();
        while ((await client.GetAsync("/api/v1/runs/?limit=1", Ct)).StatusCode != HttpStatusCode.OK)
        {
            Assert.True(back.Elapsed < TimeSpan.FromSeconds(5), "The service did not find the database again.");
            await Task.Delay(50, Ct);
        }

        var found = back.Elapsed;
        var ledger = await posting;
        await probes.CancelAsync();
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{ledger}; first success {found.TotalSeconds:0.00} s after the server accepted connections; /health {await health}");
        Assert.All(ledger.Statuses.Keys, status => Assert.True((int)status is 200 or 201 or 503, $"{status}: {ledger}"));
        Assert.True(ledger.Statuses.GetValueOrDefault(HttpStatusCode.ServiceUnavailable) > 0, ledger.ToString());
        Assert.Equal(0, ledger.WithoutRetryAfter);
        await ledger.Compare(database.Database);
        Assert.Empty(app.Log.At(LogLevel.Error));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/ready", Ct)).StatusCode);
    }

    // Counts the answered probes. Each status other than 200 fails the test.
    private static async Task<int> Health(HttpClient client, CancellationToken stop)
    {
        var count = 0;
        while (!stop.IsCancellationRequested)
        {
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health", Ct)).StatusCode);
            count++;
            await Task.Delay(100, Ct);
        }

        return count;
    }
}
