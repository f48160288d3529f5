namespace Catalog.Bench.Load.Workloads;

/// <summary>Events of runs: OpenLineage events of 17 KB, and events of our own dialect beside check results.</summary>
internal static class EventsWorkload
{
    private const string Raw = "pgbench insert of the same body, 25 clients";

    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var database = await testBed.NewDatabase(ct);
        await using var service = await Service.Start(testBed, testBed.Postgres.ServiceUri(database), ownOrganization: true, ct);
        var body = LineageEventBody.Text(1, "COMPLETE");
        Console.WriteLine($"An OpenLineage event has {body.Length:N0} bytes; a run has a START and a COMPLETE.\n");
        // pgbench would read the colons of the body as variables, so the script reads the body from a table.
        await testBed.Postgres.Execute(database, $"""
            create table raw_events (id uuid primary key default gen_random_uuid(), body text not null, received_at timestamptz not null);
            create table raw_body (body text not null);
            insert into raw_body values ('{body.Replace("'", "''", StringComparison.Ordinal)}')
            """, ct);

        Candidate Post(int clients, Request[] requests, string name, string table) =>
            new ResultTable(testBed, database, table).CheckLosses(new HttpLoad(testBed, service, name, clients, requests).Candidate,
                truncate: false);
        var lineage = await Comparison.Run(testBed.Options, ct,
            Post(25, Requests.LineageEvents, "lineage event, 25 clients", "lineage_events"),
            new ResultTable(testBed, database, "raw_events").CheckLosses(new PgbenchLoad(testBed, database, Raw, 25, $"""
                \set n random(100000000000, 999999999999)
                insert into raw_events (body, received_at) select replace(body, '{Request.Sequence}', :n::text), now() from raw_body;
                """).Candidate));
        lineage.Print("events", Raw);
        Console.WriteLine();
        var runs = await Comparison.Run(testBed.Options, ct,
            Post(64, Requests.RunEvents, "run event, 64 clients", "run_events"),
            Post(64, Requests.Posts, "check result, 64 clients", "check_results"));
        runs.Print("requests", "check result, 64 clients");
        await testBed.DropDatabase(database, ct);
        return
        [
            Goal.Minimum("lineage event, 25 clients / pgbench insert of the body", lineage.Ratio("lineage event, 25 clients", Raw), 0.6),
            Goal.Maximum("lineage event, 25 clients: p95", lineage.Median("lineage event, 25 clients", sample => sample.P95), 100, "ms"),
            Goal.Minimum("run event / check result, 64 clients", runs.Ratio("run event, 64 clients", "check result, 64 clients"), 0.6),
        ];
    }
}
