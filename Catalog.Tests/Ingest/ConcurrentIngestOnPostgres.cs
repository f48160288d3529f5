using System.Net;
using System.Net.Http.Json;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Ingest;

public sealed class ConcurrentIngestOnPostgres(PostgresTestDatabase database) : ConcurrentIngestTests(database),
    IClassFixture<PostgresTestDatabase>
{
    private readonly PostgresTestDatabase _database = database;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Fault", "F22")]
    public async Task Each_id_sent_to_two_replicas_is_stored_once()
    {
        using var first = new CatalogApp(_database, ("DATAXPIPE_INGEST_WRITERS", "2"));
        using var second = new CatalogApp(_database);
        using var firstClient = first.Client();
        using var secondClient = second.Client();
        await Register(firstClient);

        await OnceEach([firstClient, secondClient]);

        Assert.Empty(first.Log.At(LogLevel.Warning).Concat(second.Log.At(LogLevel.Warning)));
    }

    [Fact]
    public async Task Organizations_in_one_batch_stay_isolated_over_one_pooled_connection()
    {
        Pooler.Require();
        using var pooler = new Pooler("transaction", poolSize: 1);
        await using var pooled = new PooledDatabase(pooler.Through(_database.Address));
        using var app = new CatalogApp(pooled, ("DATAXPIPE_PGBOUNCER", "true"), ("DATAXPIPE_REQUIRE_RLS", "true"));
        using var operatorClient = app.Client();
        var clients = new Dictionary<string, HttpClient>();
        foreach (var organization in new[] { "apart-a", "apart-b" })
        {
            var created = await (
                await operatorClient.PostJson(
                    "/api/v1/organizations/", new { id = organization, name = organization, plan = "self_hosted" })).Json();
            clients[organization] = app.Anonymous();
            clients[organization].DefaultRequestHeaders.Add("X-API-KEY", created.GetProperty("api_key").GetProperty("key").GetString());
            await clients[organization].PostJson("/api/v1/pipelines/", new { name = organization });
        }

        await Parallel.ForEachAsync(Enumerable.Range(0, 2000), new ParallelOptions { MaxDegreeOfParallelism = 48, CancellationToken = Ct },
            async (i, ct) =>
        {
            var (organization, client) = clients.ElementAt(i % 2);
            using var answer = (i % 4) switch
            {
                0 or 1 => await client.PostAsJsonAsync(
                    "/api/v1/checks/results", new
                    {
                        id = $"r{i / 2}",
                        pipeline_id = organization,
                        check_id = "c",
                        run_id = $"run{i % 40 / 4}",
                        status = i % 20 < 2 ? "fail" : "pass"
                    }, ct),
                _ => await client.PostAsJsonAsync(
                    "/api/v1/runs/", new { id = $"run{i % 40 / 4}", pipeline_id = organization, status = "running", records_processed = i },
                    ct),
            };
            Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK, await answer.Content.ReadAsStringAsync(ct));
        });

        async Task<long> Count(string sql) => await DedicatedPostgres.Scalar<long>(_database.Address, "select count(*) from " + sql);
        Assert.Equal(0, await Count("check_results where organization_id like 'apart-%' and organization_id <> pipeline_id"));
        Assert.Equal(0, await Count("runs where organization_id like 'apart-%' and organization_id <> pipeline_id"));
        Assert.Equal(500, await Count("check_results where organization_id = 'apart-a'"));
        Assert.Equal(500, await Count("check_results where organization_id = 'apart-b'"));
        Assert.Equal(500, await Count("run_events where organization_id = 'apart-a'"));
        // The connection is returned in its original state.
        Assert.Equal("|" + PostgresServer.Shared.Superuser, await DedicatedPostgres.Scalar<string>(
            pooled.Address, "select coalesce(current_setting('app.organization_id', true), '') || '|' || current_user"));
        Assert.Empty(app.Log.At(LogLevel.Warning));
        clients.Values.ToList().ForEach(client => client.Dispose());
    }

    private sealed class PooledDatabase(string address) : TestDatabase
    {
        public override string Address => address;

        public override ValueTask InitializeAsync() => ValueTask.CompletedTask;
    }
}
