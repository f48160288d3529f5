using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Catalog.Data.Database;

namespace Catalog.Tests.Support;

/// <summary>
/// Clients that post run events and check results one after the other without a pause, and record the answers in a
/// ledger.
/// </summary>
public static class LoadClients
{
    /// <param name="client">The service.</param>
    /// <param name="clients">The number of clients that post at the same time.</param>
    /// <param name="duration">The time until the last post begins.</param>
    /// <param name="ledger">A ledger that several groups of clients share. Null: a new ledger.</param>
    /// <param name="name">The prefix of all ids, so that groups of clients post different ids.</param>
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
                    4 => ledger.Post(client, "/api/v1/runs/", run, ledger.Runs,
                        new { id = run, pipeline_id = "load", status = "completed", records_processed = i }),
                    _ => ledger.Post(client, "/api/v1/checks/results", $"{name}result-{number}-{i}", ledger.Results,
                        new
                        {
                            id = $"{name}result-{number}-{i}",
                            pipeline_id = "load",
                            check_id = $"check-{i % 5}",
                            run_id = run,
                            status = i % 50 == 1 ? "fail" : "pass"
                        }),
                };
                await post;
            }
        })));
        return ledger;
    }
}

/// <summary>The answers that clients received.</summary>
public sealed class Ledger
{
    /// <summary>Ids of acknowledged results.</summary>
    public ConcurrentDictionary<string, bool> Results { get; } = new();

    /// <summary>Ids of runs with an acknowledged event.</summary>
    public ConcurrentDictionary<string, bool> Runs { get; } = new();

    public ConcurrentDictionary<HttpStatusCode, int> Statuses { get; } = new();

    public int WithoutRetryAfter => _withoutRetryAfter;

    /// <summary>The longest time to an answer.</summary>
    public TimeSpan LongestResponse { get; private set; }

    private readonly Lock _longestLock = new();
    private readonly ConcurrentDictionary<string, bool> _refused = new();
    private int _withoutRetryAfter;

    internal async Task Post(HttpClient client, string path, string id, ConcurrentDictionary<string, bool> acknowledged, object body)
    {
        var clock = Stopwatch.StartNew();
        using var answer = await client.PostAsJsonAsync(path, body);
        lock (_longestLock)
        {
            LongestResponse = clock.Elapsed > LongestResponse ? clock.Elapsed : LongestResponse;
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

            // A real client would wait for Retry-After. This client waits 20 ms, so that many requests meet the fault.
            await Task.Delay(20);
        }
    }

    /// <summary>
    /// Asserts that every acknowledged row exists once, and that every other row belongs to a request without success.
    /// </summary>
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
        $"{Results.Count} results and {Runs.Count} runs acknowledged; answers: "
            + $"{string.Join(", ", Statuses.OrderBy(status => status.Key).Select(status => $"{(int)status.Key} × {status.Value}"))}; "
            + $"longest {LongestResponse.TotalSeconds:0.0} s";
}
