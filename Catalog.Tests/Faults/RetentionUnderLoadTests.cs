using System.Diagnostics;
using System.Globalization;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Faults;

public sealed class RetentionUnderLoadOnSqlite(SqliteTestDatabase database) : RetentionUnderLoadTests(database),
    IClassFixture<SqliteTestDatabase>
{
    protected override string Numbers => "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < @count)";
}

public sealed class RetentionUnderLoadOnPostgres(PostgresTestDatabase database) : RetentionUnderLoadTests(database),
    IClassFixture<PostgresTestDatabase>
{
    protected override string Numbers => "with numbers (n) as (select generate_series(1, @count))";
}

/// <summary>
/// Old rows are removed while clients post: every post is acknowledged, and no acknowledged row is lost.
/// </summary>
[Trait("Category", "Faults")]
[Collection(nameof(Alone))]
public abstract class RetentionUnderLoadTests(TestDatabase database)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The beginning of a statement that reads <c>numbers</c>, 1 to <c>@count</c> in its column <c>n</c>.</summary>
    protected abstract string Numbers { get; }

    [Theory]
    [InlineData(30_000, 2, 1)]
    [InlineData(200_000, 8, 4, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Clients_post_while_old_results_are_removed(int old, int before, int after)
    {
        await Seed(old);
        using var app = new CatalogApp(database);
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });
        var ledger = new Ledger();
        using var stop = new CancellationTokenSource();
        var posts = Posts(client, ledger, stop.Token);
        await Task.Delay(TimeSpan.FromSeconds(before), Ct);

        var began = Stopwatch.GetTimestamp();
        using var process = MigratorConsole.Start(
            database.Address, ["retention", "apply", "--json"], ("DATAXPIPE_RETENTION_RESULTS_DAYS", "30"));
        var result = await MigratorConsole.End(process);
        var ended = Stopwatch.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(after), Ct);
        await stop.CancelAsync();
        var sent = await posts;

        // Leave out the first seconds, in which the service warms up.
        var warm = sent[0].At + before * Stopwatch.Frequency / 2;
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{ledger}; removal {Stopwatch.GetElapsedTime(began, ended).TotalSeconds:0.0} s; without "
                + $"{Summary(sent, post => post.At >= warm && (post.At < began || post.At > ended))}; with "
                + $"{Summary(sent, post => post.At >= began && post.At <= ended)}");
        Assert.True(result.Exit == 0, result.ToString());
        Assert.Equal(old, result.Json.GetProperty("rows").GetInt64());
        Assert.All(ledger.Statuses.Keys, status => Assert.True((int)status is 200 or 201, $"{status}: {ledger}"));
        await ledger.Compare(database.Database);
        Assert.Empty(
            await database.Database.Many<string>("default", "select id from check_results where pipeline_id = 'old' limit 1", null, Ct));
        Assert.True(sent.Max(post => post.Took) < TimeSpan.FromSeconds(5), $"{sent.Max(post => post.Took)}");
    }

    private async Task Seed(int count)
    {
        database.Require();
        await using var migrations = MigrationDatabase.Open(database.Settings);
        await using (var connection = await migrations.Source.OpenConnectionAsync(Ct))
        {
            await connection.ExecuteAsync(new CommandDefinition($"""
                {Numbers}
                insert into check_results (organization_id, id, pipeline_id, check_id, run_id, status, severity, dataset, observed_value, executed_at, request_hash, created_at)
                select 'default', 'old-' || n, 'old', 'c' || n % 50, 'r' || n / 10, 'pass', 'error', 'd', '1', @at, @hash, @at
                from numbers
                """, new { count, at = TimeProvider.System.GetUtcNow().AddDays(-60), hash = new byte[32] }, commandTimeout: 300, cancellationToken: Ct));
        }

        await migrations.Analyze(Ct);
    }

    // Sends a post every 10 ms without waiting for earlier answers. Every fifth post is a run event.
    private static async Task<(long At, TimeSpan Took)[]> Posts(HttpClient client, Ledger ledger, CancellationToken stop)
    {
        var sent = new List<Task<(long, TimeSpan)>>();
        var clock = Stopwatch.StartNew();
        while (!stop.IsCancellationRequested)
        {
            sent.Add(Post(client, ledger, sent.Count));
            var wait = TimeSpan.FromMilliseconds(10 * sent.Count) - clock.Elapsed;
            await (wait > TimeSpan.Zero ? Task.Delay(wait, CancellationToken.None) : Task.CompletedTask);
        }

        return await Task.WhenAll(sent);
    }

    private static async Task<(long, TimeSpan)> Post(HttpClient client, Ledger ledger, int number)
    {
        var at = Stopwatch.GetTimestamp();
        var run = $"run-{number / 5}";
        await (number % 5 == 0
            ? ledger.Post(client, "/api/v1/runs/", run, ledger.Runs, new { id = run, pipeline_id = "load", status = "completed" })
            : ledger.Post(client, "/api/v1/checks/results", $"result-{number}", ledger.Results,
                new
                {
                    id = $"result-{number}",
                    pipeline_id = "load",
                    check_id = "c",
                    run_id = run,
                    status = number % 50 == 1
                    ? "fail" : "pass"
                }));
        return (at, Stopwatch.GetElapsedTime(at));
    }

    private static string Summary((long At, TimeSpan Took)[] sent, Func<(long At, TimeSpan Took), bool> which)
    {
        var took = sent.Where(which).Select(post => post.Took.TotalMilliseconds).Order().ToArray();
        double At(double share) => took[Math.Min(took.Length - 1, (int)(took.Length * share))];
        return string.Create(
            CultureInfo.InvariantCulture, $"{took.Length} posts p50 {At(0.5):0.0} p99 {At(0.99):0.0} longest {took[^1]:0.0} ms");
    }
}
