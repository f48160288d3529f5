using System.Globalization;

namespace Catalog.Bench.Load.Workloads;

/// <summary>A table that has grown beside one that has not.</summary>
internal static class GrowthWorkload
{
    // Enough for pages; the rest comes from the posts.
    private const int Few = 1000;

    public static async Task<IReadOnlyList<Goal>> Run(Stand stand, CancellationToken ct)
    {
        var (small, large) = (await stand.NewDatabase(ct), await stand.NewDatabase(ct));
        await using var young = await Service.Start(stand, stand.Postgres.ServiceUri(small), ownOrganization: true, ct);
        await using var old = await Service.Start(stand, stand.Postgres.ServiceUri(large), ownOrganization: true, ct);
        var (few, many) = (new ResultTable(stand, small), new ResultTable(stand, large));
        await few.Preload(young.Organization, Few, ct);
        await many.Preload(old.Organization, stand.Options.GrowthRows, ct);
        var size = await stand.Postgres.Scalar<string>(large, "select pg_size_pretty(pg_table_size('check_results')) || ' and indexes of ' || pg_size_pretty(pg_indexes_size('check_results'))", ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{stand.Options.GrowthRows:N0} results, {size}, beside {Few:N0}.\n"));

        Contestant Post(Service service, ResultTable table, string name) => table.Watch(new HttpLoad(stand, service, name, 64, Requests.Posts).Contestant, emptied: false);
        Contestant Page(Service service, string name) => new HttpLoad(stand, service, name, 32, Requests.RecentPage).Contestant;
        var contest = await Contest.Hold(stand.Options, ct,
            Post(old, many, "post, large table"), Post(young, few, "post, small table"), Page(old, "recent page, large table"), Page(young, "recent page, small table"));
        contest.Print("requests");
        await stand.DropDatabase(large, ct);
        await stand.DropDatabase(small, ct);
        return
        [
            Goal.Least("growth, post, large / small table", contest.Ratio("post, large table", "post, small table"), 0.9),
            Goal.Least("growth, recent page, large / small table", contest.Ratio("recent page, large table", "recent page, small table"), 0.75),
        ];
    }
}
