namespace Catalog.Bench.Load.Workloads;

/// <summary>Pages of 50 results, and single results, out of many.</summary>
internal static class ReadWorkload
{
    private const int Rows = 200_000;

    public static Task<IReadOnlyList<Goal>> List(Stand stand, CancellationToken ct) =>
        Run(stand, "page of 50", Requests.Pages(Rows), "pgbench page of 50", organization => ResultSql.SelectPage(organization, Rows), 0.45, ct);

    public static Task<IReadOnlyList<Goal>> Get(Stand stand, CancellationToken ct) =>
        Run(stand, "get", Requests.Singles(Rows), "pgbench select by key", organization => ResultSql.SelectOne(organization, Rows), 0.35, ct);

    private static async Task<IReadOnlyList<Goal>> Run(
        Stand stand, string name, Request[] requests, string reference, Func<string, string> statement, double wanted, CancellationToken ct)
    {
        var database = await stand.NewDatabase(ct);
        await using var service = await Service.Start(stand, stand.Postgres.ServiceUri(database), ownOrganization: true, ct);
        await new ResultTable(stand, database).Preload(service.Organization, Rows, ct);
        var (ours, theirs) = ($"{name}, 32 clients", $"{reference}, 8 clients");
        var contest = await Contest.Hold(stand.Options, ct,
            new HttpLoad(stand, service, $"{name}, 1 client", 1, requests).Contestant,
            new HttpLoad(stand, service, ours, 32, requests).Contestant,
            new PgbenchLoad(stand, database, theirs, 8, statement(service.Organization)).Contestant);
        contest.Print("requests", theirs);
        await stand.DropDatabase(database, ct);
        return [Goal.Least($"{name}, 32 clients / {reference}, 8", contest.Ratio(ours, theirs), wanted)];
    }
}
