using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Catalog.Tests.Ingest;

public sealed class ConcurrentIngestOnSqlite(SqliteTestDatabase database)
    : ConcurrentIngestTests(database), IClassFixture<SqliteTestDatabase>;

/// <summary>Answers to many concurrent clients, and the rows that are stored afterwards.</summary>
public abstract class ConcurrentIngestTests(TestDatabase database)
{
    private const string Path = "/api/v1/checks/results";
    private readonly TestDatabase _database = database.Require();
    private readonly string _pipeline = $"n{Guid.NewGuid():N}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_queue_is_503_with_Retry_After_and_retries_are_stored_once()
    {
        using var app = new CatalogApp(_database, ("DATAXPIPE_INGEST_QUEUE", "2"));
        using var client = app.Client();
        await Register(client);
        var refused = 0;

        await Parallel.ForEachAsync(Enumerable.Range(0, 400), new ParallelOptions { MaxDegreeOfParallelism = 100, CancellationToken = Ct },
            async (i, ct) =>
        {
            while (true)
            {
                using var answer = await Post(client, $"{_pipeline}-{i}");
                if (answer.StatusCode == HttpStatusCode.Created)
                {
                    return;
                }

                await answer.Problem(503, "ingest_queue_full");
                Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta);
                Interlocked.Increment(ref refused);
                await Task.Delay(20, ct);
            }
        });

        Assert.True(refused > 0);
        Assert.Equal(400, (await Stored()).Count);
    }

    [Fact]
    [Trait("Fault", "F02")]
    public async Task A_service_stopped_under_load_has_stored_every_acknowledged_result()
    {
        var app = new CatalogApp(_database);
        using var client = app.Client();
        await Register(client);
        var acknowledged = new ConcurrentBag<string>();
        var stopping = Task.Delay(TimeSpan.FromSeconds(2), Ct)
            .ContinueWith(_ => app.Services.GetRequiredService<IHost>().StopAsync(Ct), TaskScheduler.Default).Unwrap();

        await Task.WhenAll(Enumerable.Range(0, 32).Select(async number =>
        {
            for (var i = 0; !stopping.IsCompleted; i++)
            {
                var id = $"{_pipeline}-{number}-{i}";
                try
                {
                    using var answer = await Post(client, id);
                    Assert.True((int)answer.StatusCode is 201 or 503, answer.StatusCode.ToString());
                    if (answer.StatusCode == HttpStatusCode.Created)
                    {
                        acknowledged.Add(id);
                    }
                }
                catch (HttpRequestException)
                {
                    // The service no longer listens.
                    return;
                }
            }
        }));
        await stopping;
        await app.DisposeAsync();

        Assert.True(acknowledged.Count > 50, $"{acknowledged.Count}");
        Assert.Empty(acknowledged.Except(await Stored(), StringComparer.Ordinal));
    }

    [Fact]
    [Trait("Fault", "F22")]
    public async Task Each_id_sent_by_sixty_four_clients_is_stored_once()
    {
        using var app = new CatalogApp(_database, ("DATAXPIPE_INGEST_WRITERS", "4"));
        using var client = app.Client();
        await Register(client);

        await OnceEach([client]);
    }

    /// <summary>
    /// Clients of several replicas send the same ids: each id is answered with 201 once and with 200 otherwise.
    /// </summary>
    protected async Task OnceEach(HttpClient[] replicas)
    {
        const int Ids = 60;
        var answers = new ConcurrentDictionary<int, ConcurrentBag<HttpStatusCode>>();
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async number =>
        {
            foreach (var id in Enumerable.Range(0, Ids).Select(i => number % 2 == 0 ? i : Ids - 1 - i))
            {
                using var answer = await Post(replicas[number % replicas.Length], $"{_pipeline}-{id}", id % 5 == 0 ? "fail" : "pass");
                answers.GetOrAdd(id, _ => []).Add(answer.StatusCode);
            }
        }));

        Assert.All(answers.Values, statuses =>
            Assert.Equal([.. Enumerable.Repeat(HttpStatusCode.OK, 63), HttpStatusCode.Created], statuses.Order()));
        Assert.Equal(Ids, (await Stored()).Count);
    }

    protected Task<HttpResponseMessage> Register(HttpClient client) => client.PostJson("/api/v1/pipelines/", new { name = _pipeline });

    private Task<HttpResponseMessage> Post(HttpClient client, string id, string status = "pass") =>
        client.PostAsJsonAsync(Path, new { id, pipeline_id = _pipeline, check_id = "c", run_id = $"{_pipeline}-r", status }, Ct);

    private Task<List<string>> Stored() =>
        _database.Database.Many<string>(
            "default", "select id from check_results where organization_id = 'default' and pipeline_id = @pipeline",
            new { pipeline = _pipeline }, Ct);
}
