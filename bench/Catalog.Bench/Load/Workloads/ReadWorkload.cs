namespace Catalog.Bench.Load.Workloads;

/// <summary>Reads pages of 50 results, and single results, from a table of 200,000.</summary>
internal static class ReadWorkload
{
    private const int Rows = 200_000;

    public static Task<IReadOnlyList<Goal>> List(TestBed testBed, CancellationToken ct) =>
        Run(testBed, "page of 50", Requests.Pages(Rows), "pgbench page of 50", organization =>
            ResultSql.SelectPage(organization, Rows), 0.45, ct);

    public static Task<IReadOnlyList<Goal>> Get(TestBed testBed, CancellationToken ct) =>
        Run(testBed, "get", Requests.Singles(Rows), "pgbench select by key", organization =>
            ResultSql.SelectOne(organization, Rows), 0.4, ct);

    private static async Task<IReadOnlyList<Goal>> Run(
        TestBed testBed, string name, Request[] requests, string reference, Func<string, string> statement, double target,
        CancellationToken ct)
    {
        var database = await testBed.NewDatabase(ct);
        await using var service = await Service.Start(testBed, testBed.Postgres.ServiceUri(database), ownOrganization: true, ct);
        await new ResultTable(testBed, database).Preload(service.Organization, Rows, ct);
        var (serviceName, referenceName) = ($"{name}, 32 clients", $"{reference}, 8 clients");
        var comparison = await Comparison.Run(testBed.Options, ct,
            new HttpLoad(testBed, service, $"{name}, 1 client", 1, requests).Candidate,
            new HttpLoad(testBed, service, serviceName, 32, requests).Candidate,
            new PgbenchLoad(testBed, database, referenceName, 8, statement(service.Organization)).Candidate);
        comparison.Print("requests", referenceName);
        await testBed.DropDatabase(database, ct);
        return [Goal.Minimum($"{name}, 32 clients / {reference}, 8", comparison.Ratio(serviceName, referenceName), target)];
    }
}
