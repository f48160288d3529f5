namespace Catalog.Bench.Load.Workloads;

/// <summary>One result a request, each on disk before its 201.</summary>
internal static class PostWorkload
{
    public static async Task<IReadOnlyList<Goal>> Run(Stand stand, CancellationToken ct)
    {
        var database = await stand.NewDatabase(ct);
        await using var service = await Service.Start(stand, stand.Postgres.ServiceUri(database), ownOrganization: true, ct);
        var table = new ResultTable(stand, database);
        Console.WriteLine($"Both insert every column of check_results; its indexes: {await table.Indexes(ct)}.\n");

        Contestant Post(int clients) => table.Watch(new HttpLoad(stand, service, $"post, {Clients(clients)}", clients, Requests.Posts).Contestant);
        Contestant Insert(int clients) => table.Watch(new PgbenchLoad(stand, database, $"pgbench insert, {Clients(clients)}", clients, ResultSql.InsertOne(service.Organization)).Contestant);
        var contest = await Contest.Hold(stand.Options, ct, Post(1), Insert(1), Post(64), Post(128), Insert(32));
        contest.Print("requests", "pgbench insert, 32 clients");
        await stand.DropDatabase(database, ct);
        return
        [
            Goal.Least("post, 64 clients / pgbench insert, 32", contest.Ratio("post, 64 clients", "pgbench insert, 32 clients"), 1.5),
            Goal.Least("post, 128 clients / pgbench insert, 32", contest.Ratio("post, 128 clients", "pgbench insert, 32 clients"), 2.0),
            Goal.Least("post, 1 client / pgbench insert, 1", contest.Ratio("post, 1 client", "pgbench insert, 1 client"), 0.6),
            Goal.Most("post, 64 clients: p99 / p50", contest.Median("post, 64 clients", sample => sample.P99 / sample.P50), 10, "×"),
            Goal.Most("post, 64 clients: processor of the service a post", contest.Median("post, 64 clients", sample => sample.ServiceMicroseconds), 45, "µs"),
        ];
    }

    private static string Clients(int count) => count == 1 ? "1 client" : $"{count} clients";
}
