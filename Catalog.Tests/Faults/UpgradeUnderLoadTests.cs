using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Catalog.Tests.Support;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Faults;

/// <summary>
/// A script needs an exclusive lock while clients post and a long reader blocks it. Posts wait for the lock timeout at
/// most, not for the reader.
/// </summary>
[Trait("Category", "Faults")]
[Collection(nameof(Alone))]
[Trait("Category", "Slow")]
public sealed class UpgradeUnderLoadTests(PostgresTestDatabase database) : IClassFixture<PostgresTestDatabase>, IDisposable
{
    private readonly string _scripts = Directory.CreateTempSubdirectory("catalog-scripts-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Fault", "F29")]
    public async Task A_hundred_posts_a_second_during_an_upgrade_are_all_acknowledged()
    {
        database.Require();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(ConventionTests.Root, "sql"), "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(_scripts, Path.GetRelativePath(Path.Combine(ConventionTests.Root, "sql"), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        await File.WriteAllTextAsync(
            Path.Combine(
                _scripts, "postgres",
                "0099_note.sql".Replace("0099", $"{Directory.GetFiles(Path.Combine(_scripts, "postgres"), "*.sql").Length + 1:0000}",
                    StringComparison.Ordinal)),
            "alter table check_results add column note text;\nalter table runs add column note text;\n", Ct);
        using var app = new CatalogApp(database);
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "load" });

        using var stop = new CancellationTokenSource();
        var posts = Posts(client, stop.Token);
        await Task.Delay(2000, Ct);
        await using var reader = new NpgsqlConnection(Data.Database.PostgresUri.Parse("x", database.Address).ConnectionString);
        await reader.OpenAsync(Ct);
        var transaction = await reader.BeginTransactionAsync(Ct);
        await reader.ExecuteAsync("select count(*) from check_results");
        var clock = Stopwatch.StartNew();
        using var upgrade = MigratorConsole.Start(database.Address, ["upgrade", "--scripts", _scripts]);
        var ended = MigratorConsole.End(upgrade);
        await Task.Delay(TimeSpan.FromSeconds(7), Ct);
        Assert.False(ended.IsCompleted, "The upgrade should wait for the reader.");
        await transaction.RollbackAsync(Ct);
        var result = await ended;
        var took = clock.Elapsed;
        await Task.Delay(1000, Ct);
        await stop.CancelAsync();
        var (statuses, longest, count) = await posts;

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{count} posts, longest {longest.TotalSeconds:0.00} s; upgrade {took.TotalSeconds:0.0} s with a reader of 7 s; "
                + $"{result.Errors.Split('\n').Count(line => line.Contains("attempt", StringComparison.Ordinal))} further attempts");
        Assert.True(result.Exit == 0, result.ToString());
        Assert.Equal([HttpStatusCode.Created], statuses);
        Assert.Equal(
            count, (await database.Database.Many<string>("default", "select id from check_results where pipeline_id = 'load'", null, Ct))
                .Count);
        // Posts that wait for the reader would take about seven seconds.
        Assert.True(longest < TimeSpan.FromSeconds(4), $"{longest}");
    }

    // Sends a post every 10 ms without waiting for earlier answers.
    private static async Task<(HttpStatusCode[] Statuses, TimeSpan Longest, int Count)> Posts(HttpClient client, CancellationToken stop)
    {
        var sent = new List<Task<(HttpStatusCode Status, TimeSpan Took)>>();
        var clock = Stopwatch.StartNew();
        while (!stop.IsCancellationRequested)
        {
            sent.Add(Post(client, sent.Count));
            var wait = TimeSpan.FromMilliseconds(10 * sent.Count) - clock.Elapsed;
            await (wait > TimeSpan.Zero ? Task.Delay(wait, CancellationToken.None) : Task.CompletedTask);
        }

        var answers = await Task.WhenAll(sent);
        return ([.. answers.Select(answer => answer.Status).Distinct()], answers.Max(answer => answer.Took), answers.Length);
    }

    private static async Task<(HttpStatusCode, TimeSpan)> Post(HttpClient client, int number)
    {
        var clock = Stopwatch.StartNew();
        using var answer = await client.PostAsJsonAsync(
            "/api/v1/checks/results", new { id = $"result-{number}", pipeline_id = "load", check_id = "check", status = "pass" });
        return (answer.StatusCode, clock.Elapsed);
    }

    public void Dispose() => Directory.Delete(_scripts, recursive: true);
}
