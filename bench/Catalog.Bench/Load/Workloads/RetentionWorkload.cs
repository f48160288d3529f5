using System.Globalization;

namespace Catalog.Bench.Load.Workloads;

/// <summary>Posts while <c>catalog-migrations retention apply</c> removes old results from the same table, beside posts that have it for themselves.</summary>
internal static class RetentionWorkload
{
    private const int Old = 2_000_000;
    private const string Alone = "post, 64 clients", Beside = "post beside retention";

    // Preloaded results were executed in the weeks from 2026-01-01 on, posted ones now.
    private const string Posted = "executed_at >= '2026-03-01'";

    public static async Task<IReadOnlyList<Goal>> Run(Stand stand, CancellationToken ct)
    {
        var database = await stand.NewDatabase(ct);
        await using var service = await Service.Start(stand, stand.Postgres.ServiceUri(database), ownOrganization: true, ct);
        var table = new ResultTable(stand, database);
        await table.Preload(service.Organization, Old, ct);

        Contestant Post(string name) => table.Watch(new HttpLoad(stand, service, name, 64, Requests.Posts).Contestant, emptied: false, counted: Posted);
        var beside = Post(Beside);
        var contest = await Contest.Hold(stand.Options, ct, Post(Alone), beside with
        {
            Run = async (seconds, token) =>
            {
                using var end = CancellationTokenSource.CreateLinkedTokenSource(token);
                var removing = Remove(stand, database, end.Token);
                var sample = await beside.Run(seconds, token);
                await end.CancelAsync();
                await removing;
                return sample;
            },
        });
        contest.Print("requests", Alone);
        var left = await stand.Postgres.Scalar<long>(database, $"select count(*) from check_results where not {Posted}", ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\n{Old - left:N0} of {Old:N0} old results were removed in {stand.Options.Rounds + 1} turns; p99 beside it {Numbers.Ratio(contest.RatioOf(Beside, Alone, sample => sample.P99!.Value))} of p99 alone."));
        await stand.DropDatabase(database, ct);
        return [];
    }

    // It may be interrupted at any time, and goes on when it is run again.
    private static async Task Remove(Stand stand, string database, CancellationToken ct)
    {
        try
        {
            await stand.Migrations(stand.Postgres.Uri(database), new() { ["DATAXPIPE_RETENTION_RESULTS_DAYS"] = "30" }, ["retention", "apply"], ct);
        }
        catch (OperationCanceledException)
        {
        }
    }
}
