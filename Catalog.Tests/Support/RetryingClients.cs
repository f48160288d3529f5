using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using Catalog.Data.Database;

namespace Catalog.Tests.Support;

/// <summary>
/// Clients that repeat each post, with the same key or id, until it is acknowledged. Half of the posts are results with an
/// Idempotency-Key, the other half are run events. Answers other than 200, 201 and 503 with Retry-After are unexpected.
/// </summary>
/// <param name="service">The service at this moment; null while it is down.</param>
public sealed class RetryingClients(Func<HttpClient?> service)
{
    private readonly string _prefix = $"post-{Guid.NewGuid():N}-";
    private readonly ConcurrentDictionary<string, bool> _acknowledged = new(StringComparer.Ordinal);
    private int _refused;
    private int _unknown;
    private long _longestTicks;

    /// <summary>The number of acknowledged posts.</summary>
    public int Acknowledged => _acknowledged.Count;

    /// <summary>The number of answers 503.</summary>
    public int Refused => _refused;

    /// <summary>The number of requests without an answer.</summary>
    public int Unknown => _unknown;

    /// <summary>Acknowledged posts without a row. <see cref="Compare"/> counts them.</summary>
    public int Lost { get; private set; }

    /// <summary>Posts with more than one row. <see cref="Compare"/> counts them.</summary>
    public int Duplicated { get; private set; }

    /// <summary>The answers other than 200, 201 and 503 with Retry-After.</summary>
    public ConcurrentBag<string> Unexpected { get; } = [];

    /// <summary>The longest time to an answer.</summary>
    public TimeSpan Longest => new(Volatile.Read(ref _longestTicks));

    /// <summary>Posts until the token is cancelled. Posts that are not acknowledged then are repeated up to 30 s more.</summary>
    public Task Run(int clients, CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(async () =>
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var name = $"{_prefix}{client}-{i}";
            for (long giveUp = long.MaxValue; Environment.TickCount64 < giveUp && !await Post(name, isResult: i % 2 == 0);)
            {
                giveUp = stop.IsCancellationRequested && giveUp == long.MaxValue ? Environment.TickCount64 + 30_000 : giveUp;
                await Task.Delay(20, CancellationToken.None);
            }
        }
    })));

    /// <summary>Posts for a time: see <see cref="Run(int, CancellationToken)"/>.</summary>
    public async Task Run(int clients, TimeSpan duration)
    {
        using var stop = new CancellationTokenSource(duration);
        await Run(clients, stop.Token);
    }

    /// <summary>Counts the rows of each post, and asserts that every acknowledged one is stored once.</summary>
    public async Task Compare(CatalogDatabase database)
    {
        var ct = TestContext.Current.CancellationToken;
        var results = await database.Many<string>(
            "default", "select message from check_results where organization_id = 'default' and message like @mine",
            new { mine = _prefix + '%' }, ct);
        var events = await database.Many<string>(
            "default", "select run_id from run_events where organization_id = 'default' and run_id like @mine",
            new { mine = _prefix + '%' }, ct);
        string[] stored = [.. results, .. events];
        Lost = _acknowledged.Keys.Except(stored, StringComparer.Ordinal).Count();
        Duplicated = stored.Length - stored.Distinct(StringComparer.Ordinal).Count();
        TestContext.Current.TestOutputHelper!.WriteLine(ToString());
        Assert.Empty(Unexpected);
        Assert.Equal((0, 0), (Lost, Duplicated));
    }

    public override string ToString() =>
        $"{Acknowledged} acknowledged, {Refused} refused, {Unknown} unknown, {Lost} lost, {Duplicated} duplicated; longest answer "
            + $"{Longest.TotalSeconds:0.0} s";

    private async Task<bool> Post(string name, bool isResult)
    {
        if (service() is not { } client)
        {
            return false;
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, isResult ? "/api/v1/checks/results" : "/api/v1/runs/")
        {
            Content = isResult
                ? JsonContent.Create(new { pipeline_id = "load", check_id = "c", status = "pass", message = name })
                : JsonContent.Create(new { id = name, pipeline_id = "load", status = "running" }),
        };
        request.Headers.TryAddWithoutValidation("X-API-KEY", CatalogApp.Key);
        if (isResult)
        {
            request.Headers.Add("Idempotency-Key", name);
        }

        var clock = Stopwatch.StartNew();
        try
        {
            using var answer = await client.SendAsync(request);
            RecordTime(clock.Elapsed);
            if ((int)answer.StatusCode is 200 or 201)
            {
                return _acknowledged[name] = true;
            }

            Interlocked.Increment(ref _refused);
            if ((int)answer.StatusCode != 503 || answer.Headers.RetryAfter is null)
            {
                Unexpected.Add($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            }
        }
        catch (Exception cut) when (cut is HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            Interlocked.Increment(ref _unknown);
        }

        return false;
    }

    private void RecordTime(TimeSpan time)
    {
        for (var longest = Volatile.Read(ref _longestTicks); time.Ticks > longest;)
        {
            var seen = Interlocked.CompareExchange(ref _longestTicks, time.Ticks, longest);
            if (seen == longest)
            {
                return;
            }

            longest = seen;
        }
    }
}
