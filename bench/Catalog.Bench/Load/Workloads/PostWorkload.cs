namespace Catalog.Bench.Load.Workloads;

/// <summary>Posts of one result each; the result is on disk before the 201.</summary>
internal static class PostWorkload
{
    private const string Small = "results_with_three_indexes";

    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var database = await testBed.NewDatabase(ct);
        await using var service = await Service.Start(testBed, testBed.Postgres.ServiceUri(database), ownOrganization: true, ct);
        var table = new ResultTable(testBed, database);
        Console.WriteLine($"The service and pgbench insert all columns of check_results. Its indexes: {await table.Indexes(ct)}.\n");

        Candidate Post(int clients) =>
            table.CheckLosses(new HttpLoad(testBed, service, $"post, {ClientCount(clients)}", clients, Requests.Posts).Candidate);
        Candidate Insert(int clients) =>
            table.CheckLosses(
                new PgbenchLoad(testBed, database, $"pgbench insert, {ClientCount(clients)}", clients,
                    ResultSql.InsertOne(service.Organization)).Candidate);
        await testBed.Postgres.Execute(database, ResultSql.CreateTableWithThreeIndexes(Small), ct);
        var threeIndexes = new ResultTable(testBed, database, Small).CheckLosses(
            new PgbenchLoad(testBed, database, "pgbench insert, 32 clients, three indexes", 32,
                ResultSql.InsertOne(service.Organization, Small)).Candidate);
        var comparison = await Comparison.Run(testBed.Options, ct, Post(1), Insert(1), Post(64), Post(128), Insert(32), threeIndexes);
        comparison.Print("requests", "pgbench insert, 32 clients");
        await testBed.DropDatabase(database, ct);
        return
        [
            Goal.Minimum("post, 64 clients / pgbench insert, 32", comparison.Ratio("post, 64 clients", "pgbench insert, 32 clients"), 1.7),
            Goal.Minimum("post, 64 clients / pgbench insert, 32, three indexes",
                comparison.Ratio("post, 64 clients", "pgbench insert, 32 clients, three indexes"), 1.2),
            Goal.Minimum("post, 128 clients / pgbench insert, 32", comparison.Ratio("post, 128 clients", "pgbench insert, 32 clients"),
                2.0),
            Goal.Minimum("post, 1 client / pgbench insert, 1", comparison.Ratio("post, 1 client", "pgbench insert, 1 client"), 0.6),
            Goal.Maximum("post, 64 clients: p99 / p50", comparison.Median("post, 64 clients", sample => sample.P99 / sample.P50), 10, "×"),
            Goal.Maximum("post, 64 clients: CPU time of the service per post", comparison.Median("post, 64 clients", sample =>
                sample.ServiceMicroseconds), 45, "µs"),
        ];
    }

    private static string ClientCount(int count) => count == 1 ? "1 client" : $"{count} clients";
}
