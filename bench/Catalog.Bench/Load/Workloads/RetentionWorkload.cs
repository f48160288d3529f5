using System.Globalization;

namespace Catalog.Bench.Load.Workloads;

/// <summary>
/// Compares posts while <c>catalog-migrations retention apply</c> deletes old results from the same table with posts
/// alone.
/// </summary>
internal static class RetentionWorkload
{
    private const int OldRows = 2_000_000;
    private const string Alone = "post, 64 clients", DuringRetention = "post during retention";

    // Preloaded results start at 2026-01-01, one second apart; posted results are executed now.
    private const string Posted = "executed_at >= '2026-03-01'";

    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var database = await testBed.NewDatabase(ct);
        await using var service = await Service.Start(testBed, testBed.Postgres.ServiceUri(database), ownOrganization: true, ct);
        var table = new ResultTable(testBed, database);
        await table.Preload(service.Organization, OldRows, ct);

        Candidate Post(string name) =>
            table.CheckLosses(new HttpLoad(testBed, service, name, 64, Requests.Posts).Candidate, truncate: false, condition: Posted);
        var duringRetention = Post(DuringRetention);
        var comparison = await Comparison.Run(testBed.Options, ct, Post(Alone), duringRetention with
        {
            Run = async (seconds, token) =>
            {
                using var end = CancellationTokenSource.CreateLinkedTokenSource(token);
                var removing = Remove(testBed, database, end.Token);
                var sample = await duringRetention.Run(seconds, token);
                await end.CancelAsync();
                await removing;
                return sample;
            },
        });
        comparison.Print("requests", Alone);
        var remaining = await testBed.Postgres.Scalar<long>(database, $"select count(*) from check_results where not {Posted}", ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\n{OldRows - remaining:N0} of {OldRows:N0} old results were removed in {testBed.Options.Rounds + 1} turns; p99 during "
                + $"retention is {Statistics.Ratio(comparison.RatioOf(DuringRetention, Alone, sample => sample.P99!.Value))} of p99 "
                + $"alone."));
        await testBed.DropDatabase(database, ct);
        return [];
    }

    // The next run of retention continues an interrupted run, so it may be cancelled at any time.
    private static async Task Remove(TestBed testBed, string database, CancellationToken ct)
    {
        try
        {
            await testBed.Migrations(testBed.Postgres.Uri(database), new() { ["DATAXPIPE_RETENTION_RESULTS_DAYS"] = "30" },
                ["retention", "apply"], ct);
        }
        catch (OperationCanceledException)
        {
        }
    }
}
