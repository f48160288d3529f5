namespace Catalog.Bench.Load.Workloads;

/// <summary>Posts of 1,000 results each.</summary>
internal static class BulkWorkload
{
    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var database = await testBed.NewDatabase(ct);
        await using var service = await Service.Start(testBed, testBed.Postgres.ServiceUri(database), ownOrganization: true, ct);
        var table = new ResultTable(testBed, database);
        const string ServiceName = "post of 1,000, 8 clients", ReferenceName = "pgbench insert of 100, 8 clients";
        var comparison = await Comparison.Run(testBed.Options, ct,
            table.CheckLosses(
                new HttpLoad(testBed, service, ServiceName, 8, [new("POST", Requests.Results, ResultBody.Array(1000))],
                    rowsPerRequest: 1000).Candidate),
            table.CheckLosses(
                new PgbenchLoad(testBed, database, ReferenceName, 8, ResultSql.InsertMany(service.Organization, 100), rowsPerRequest: 100)
                    .Candidate));
        comparison.Print("rows", ReferenceName);
        await testBed.DropDatabase(database, ct);
        return [Goal.Minimum("bulk of 1,000 / pgbench insert of 100, rows", comparison.Ratio(ServiceName, ReferenceName), 0.75)];
    }
}
