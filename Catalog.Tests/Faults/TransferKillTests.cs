using System.Diagnostics;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Faults;

/// <summary>
/// A transfer that is killed repeatedly at random points ends with the same rows as one without kills.
/// </summary>
[Trait("Category", "Faults")]
[Trait("Fault", "F33")]
[Trait("Category", "Slow")]
public sealed class TransferKillTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(60_000, 3)]
    [InlineData(300_000, 20, Explicit = true, Traits = ["Category", "Long"])]
    public async Task A_transfer_killed_at_random_points_ends_with_the_same_rows(int rows, int kills)
    {
        server.Require();
        using var pair = await TransferPair.Make();
        pair.AddResults(rows);
        pair.Change("insert into pipeline_tags select distinct 'default', pipeline_id, 'tag-' || check_id from check_results");
        var clock = Stopwatch.StartNew();
        // Run it as a process, like the killed ones, because the time includes the start of the process.
        var undisturbed = await MigratorConsole.RunProcess(pair.Target, [], "transfer", "--from", pair.Source, "--json");
        var whole = clock.Elapsed;
        Assert.Equal(0, undisturbed.Exit);
        await using var target = await pair.OpenTarget();
        var left = new List<long>();
        var ended = 0;
        while (left.Count < kills)
        {
            if (left.Count % 5 == 0)
            {
                await target.ExecuteAsync("truncate check_results, pipeline_tags");
            }

            using var process = MigratorConsole.Start(pair.Target, ["transfer", "--from", pair.Source, "--json"]);
            var output = MigratorConsole.End(process);
            // The first kill happens while rows are copied, the others at a random time.
            await Task.WhenAny(output, left.Count == 0
                ? UntilFirstRows(pair) : Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(200, (int)whole.TotalMilliseconds)), Ct));
            if (!process.HasExited)
            {
                process.Kill();
                left.Add(await RowsAfterKill(target));
            }

            var result = await output;
            if (result.Exit == 0)
            {
                ended++;
                await target.ExecuteAsync("truncate check_results, pipeline_tags");
            }
            else
            {
                Assert.Equal(137, result.Exit);
            }
        }

        var resumed = await pair.Transfer("--json");

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"undisturbed {whole.TotalSeconds:0.0} s; rows left by each kill: {string.Join(", ", left)}; ended before the kill: {ended}");
        Assert.True(resumed.Exit == 0, resumed.ToString());
        Assert.Equal(Hashes(undisturbed), Hashes(resumed));
        Assert.Equal(rows, await target.ExecuteScalarAsync<long>("select count(distinct id) from check_results"));
        Assert.Contains(left, count => count > 0 && count < rows);
    }

    private static async Task UntilFirstRows(TransferPair pair)
    {
        await using var target = await pair.OpenTarget();
        while (!await target.ExecuteScalarAsync<bool>("select exists (select from check_results)"))
        {
            await Task.Delay(5, Ct);
        }
    }

    // Waits until the server has noticed that its client is gone, and returns the number of rows.
    private static async Task<long> RowsAfterKill(Npgsql.NpgsqlConnection target)
    {
        while (await target.ExecuteScalarAsync<bool>(
            "select exists (select from pg_stat_activity where application_name = 'catalog-migrations' and datname = current_database())"))
        {
            await Task.Delay(20, Ct);
        }

        return await target.ExecuteScalarAsync<long>("select count(*) from check_results");
    }

    private static IEnumerable<(string?, string?)> Hashes(ConsoleResult result) => result.Json.GetProperty("tables").EnumerateArray()
        .Select(table => (table.GetProperty("table").GetString(), table.GetProperty("target_hash").GetString()));
}
