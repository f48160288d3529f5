using System.Diagnostics;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Faults;

/// <summary>A transfer that is killed at random points, again and again, ends with what an undisturbed one would have made.</summary>
[Trait("Category", "Faults")]
public sealed class TransferKillTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(60_000, 3)]
    [InlineData(300_000, 20, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Killed_at_random_points_it_ends_with_the_same_rows(int rows, int kills)
    {
        server.Require();
        using var pair = await TransferPair.Make();
        pair.AddResults(rows);
        pair.Change("insert into pipeline_tags select distinct 'default', pipeline_id, 'tag-' || check_id from check_results");
        var clock = Stopwatch.StartNew();
        // In a process, as those that are killed: its start counts.
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
            // The first one amid the rows, the others wherever it is.
            await Task.WhenAny(output, left.Count == 0 ? Begun(pair) : Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(200, (int)whole.TotalMilliseconds)), Ct));
            if (!process.HasExited)
            {
                process.Kill();
                left.Add(await Settled(target));
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

        TestContext.Current.TestOutputHelper!.WriteLine($"undisturbed {whole.TotalSeconds:0.0} s; rows left by each kill: {string.Join(", ", left)}; ended before its kill: {ended}");
        Assert.True(resumed.Exit == 0, resumed.ToString());
        Assert.Equal(Hashes(undisturbed), Hashes(resumed));
        Assert.Equal(rows, await target.ExecuteScalarAsync<long>("select count(distinct id) from check_results"));
        Assert.Contains(left, there => there > 0 && there < rows);
    }

    private static async Task Begun(TransferPair pair)
    {
        await using var target = await pair.OpenTarget();
        while (!await target.ExecuteScalarAsync<bool>("select exists (select from check_results)"))
        {
            await Task.Delay(5, Ct);
        }
    }

    // The server notices by itself that its client is gone.
    private static async Task<long> Settled(Npgsql.NpgsqlConnection target)
    {
        while (await target.ExecuteScalarAsync<bool>("select exists (select from pg_stat_activity where application_name = 'catalog-migrations' and datname = current_database())"))
        {
            await Task.Delay(20, Ct);
        }

        return await target.ExecuteScalarAsync<long>("select count(*) from check_results");
    }

    private static IEnumerable<(string?, string?)> Hashes(ConsoleResult result) => result.Json.GetProperty("tables").EnumerateArray()
        .Select(table => (table.GetProperty("table").GetString(), table.GetProperty("target_hash").GetString()));
}
