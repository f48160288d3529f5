using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Catalog.Data.Database;

namespace Catalog.Tests.Support;

/// <summary>Clients that post run events and check results as fast as they are answered, each keeping a ledger of what was acknowledged.</summary>
public static class Crowd
{
    /// <param name="client">The service.</param>
    /// <param name="clients">How many post at the same time.</param>
    /// <param name="duration">How long.</param>
    /// <param name="ledger">Is written by several crowds together; null: a new one.</param>
    /// <param name="name">Begins the ids, so that several crowds post different ones.</param>
    public static async Task<Ledger> Run(HttpClient client, int clients, TimeSpan duration, Ledger? ledger = null, string name = "")
    {
        ledger ??= new Ledger();
        var until = Environment.TickCount64 + (long)duration.TotalMilliseconds;
        await Task.WhenAll(Enumerable.Range(0, clients).Select(number => Task.Run(async () =>
        {
            for (var i = 0; Environment.TickCount64 < until; i++)
            {
                var run = $"{name}run-{number}-{i / 5}";
                var post = (i % 5) switch
                {
                    0 => ledger.Post(client, "/api/v1/runs/", run, ledger.Runs, new { id = run, pipeline_id = "load", status = "running" }),
                    4 => ledger.Post(client, "/api/v1/runs/", run, ledger.Runs, new { id = run, pipeline_id = "load", status = "completed", records_processed = i }),
                    _ => ledger.Post(client, "/api/v1/checks/results", $"{name}result-{number}-{i}", ledger.Results,
                        new { id = $"{name}result-{number}-{i}", pipeline_id = "load", check_id = $"check-{i % 5}", run_id = run, status = i % 50 == 1 ? "fail" : "pass" }),
                };
                await post;
            }
        })));
        return ledger;
    }
}

/// <summary>What clients were told.</summary>
public sealed class Ledger
{
    /// <summary>Ids of acknowledged results, each once.</summary>
    public ConcurrentDictionary<string, bool> Results { get; } = new();

    /// <summary>Ids of runs with an acknowledged event.</summary>
    public ConcurrentDictionary<string, bool> Runs { get; } = new();

    public ConcurrentDictionary<HttpStatusCode, int> Statuses { get; } = new();

    public int WithoutRetryAfter => _withoutRetryAfter;

    /// <summary>The longest that an answer took.</summary>
    public TimeSpan Longest { get; private set; }

    private readonly Lock _turn = new();
    private readonly ConcurrentDictionary<string, bool> _refused = new();
    private int _withoutRetryAfter;

    internal async Task Post(HttpClient client, string path, string id, ConcurrentDictionary<string, bool> acknowledged, object body)
    {
        var clock = Stopwatch.StartNew();
        using var answer = await client.PostAsJsonAsync(path, body);
        lock (_turn)
        {
            Longest = clock.Elapsed > Longest ? clock.Elapsed : Longest;
        }

        Statuses.AddOrUpdate(answer.StatusCode, 1, (_, count) => count + 1);
        if (answer.IsSuccessStatusCode)
        {
            acknowledged[id] = true;
        }
        else
        {
            _refused[id] = true;
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable && answer.Headers.RetryAfter is null)
            {
                Interlocked.Increment(ref _withoutRetryAfter);
            }

            // A client would wait as long as it is told; this one waits a little, so that the fault is met by many requests.
            await Task.Delay(20);
        }
    }

    /// <summary>Asserts that every acknowledged row is there once, and that nothing is there that was neither acknowledged nor left unknown by a 503.</summary>
    public async Task Compare(CatalogDatabase database)
    {
        var ct = TestContext.Current.CancellationToken;
        var results = await database.Many<string>("default", "select id from check_results where pipeline_id = 'load'", null, ct);
        var runs = await database.Many<string>("default", "select id from runs where pipeline_id = 'load'", null, ct);
        Assert.Equal(results.Count, results.Distinct(StringComparer.Ordinal).Count());
        Assert.Empty(Results.Keys.Except(results, StringComparer.Ordinal));
        Assert.Empty(Runs.Keys.Except(runs, StringComparer.Ordinal));
        Assert.Empty(results.Except(Results.Keys, StringComparer.Ordinal).Except(_refused.Keys, StringComparer.Ordinal));
    }

    public override string ToString() =>
        $"{Results.Count} results and {Runs.Count} runs acknowledged; answers: {string.Join(", ", Statuses.OrderBy(status => status.Key).Select(status => $"{(int)status.Key} × {status.Value}"))}; longest {Longest.TotalSeconds:0.0} s";
}
