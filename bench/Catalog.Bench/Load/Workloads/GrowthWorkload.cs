using System.Globalization;

namespace Catalog.Bench.Load.Workloads;

/// <summary>Compares a large table with a small one.</summary>
internal static class GrowthWorkload
{
    // Enough rows for full pages.
    private const int SmallRows = 1000;

    private const string SizesSql = """
        select 'table ' || pg_size_pretty(pg_table_size('check_results')) || ', ' || string_agg(
            replace(indexrelname, 'check_results_', '') || ' ' || pg_size_pretty(pg_relation_size(indexrelid)), ', ' order by indexrelname)
        from pg_stat_user_indexes
        where relname = 'check_results'
        """;

    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var (small, large) = (await testBed.NewDatabase(ct), await testBed.NewDatabase(ct));
        await using var smallService = await Service.Start(testBed, testBed.Postgres.ServiceUri(small), ownOrganization: true, ct);
        await using var largeService = await Service.Start(testBed, testBed.Postgres.ServiceUri(large), ownOrganization: true, ct);
        var (smallTable, largeTable) = (new ResultTable(testBed, small), new ResultTable(testBed, large));
        await smallTable.Preload(smallService.Organization, SmallRows, ct);
        await largeTable.Preload(largeService.Organization, testBed.Options.GrowthRows, ct);
        var bytes = await testBed.Postgres.Scalar<long>(large, "select pg_total_relation_size('check_results')", ct);
        var sizes = await testBed.Postgres.Scalar<string>(large, SizesSql, ct);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture, $"{testBed.Options.GrowthRows:N0} results compared with {SmallRows:N0}. Sizes: {sizes}.\n"));

        Candidate Post(Service service, ResultTable table, string name) =>
            table.CheckLosses(new HttpLoad(testBed, service, name, 64, Requests.Posts).Candidate, truncate: false);
        Candidate Page(Service service, string name) => new HttpLoad(testBed, service, name, 32, Requests.RecentPage).Candidate;
        var comparison = await Comparison.Run(testBed.Options, ct,
            Post(largeService, largeTable, "post, large table"), Post(smallService, smallTable, "post, small table"),
            Page(largeService, "recent page, large table"), Page(smallService, "recent page, small table"));
        comparison.Print("requests");
        await testBed.DropDatabase(large, ct);
        await testBed.DropDatabase(small, ct);
        return
        [
            Goal.Maximum("growth, disk for each result, with indexes", (double)bytes / testBed.Options.GrowthRows, 800, "bytes"),
            Goal.Minimum("growth, post, large / small table", comparison.Ratio("post, large table", "post, small table"), 0.95),
            Goal.Minimum(
                "growth, recent page, large / small table", comparison.Ratio("recent page, large table", "recent page, small table"), 0.95),
        ];
    }
}
