namespace Catalog.Bench.Load.Workloads;

/// <summary>
/// The cost of row-level security and of the look-up of API keys: two services on one database, one with both and one
/// with neither. The second uses a role that does not exist, and the platform key, which needs no look-up.
/// </summary>
internal static class IsolationWorkload
{
    private const int Rows = 100_000;

    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var database = await testBed.NewDatabase(ct);
        await using var on = await Service.Start(testBed, testBed.Postgres.ServiceUri(database), ownOrganization: true, ct);
        // This service has the owner's login. It does not set the role and the organization of row-level security, and
        // without them another login sees no rows.
        await using var off = await Service.Start(testBed, testBed.Postgres.Uri(database), ownOrganization: false, ct,
            ("DATAXPIPE_APP_ROLE", "bench_no_such_role"));
        var table = new ResultTable(testBed, database);
        await table.Preload(off.Organization, Rows, ct);
        if (on.Organization != off.Organization)
        {
            await table.Preload(on.Organization, Rows, ct);
        }

        Candidate Read(Service service, string name, Request[] requests) => new HttpLoad(testBed, service, name, 32, requests).Candidate;
        var reads = await Comparison.Run(testBed.Options, ct,
            Read(on, "page of 50, on", Requests.Pages(Rows)), Read(off, "page of 50, off", Requests.Pages(Rows)),
            Read(on, "get, on", Requests.Singles(Rows)), Read(off, "get, off", Requests.Singles(Rows)));
        reads.Print("requests");
        Console.WriteLine();
        Candidate Post(Service service, string name) =>
            table.CheckLosses(new HttpLoad(testBed, service, name, 64, Requests.Posts).Candidate);
        var posts = await Comparison.Run(testBed.Options, ct, Post(on, "post, 64 clients, on"), Post(off, "post, 64 clients, off"));
        posts.Print("requests", "post, 64 clients, off");
        await testBed.DropDatabase(database, ct);
        return
        [
            Goal.Minimum("isolation on / off, page of 50", reads.Ratio("page of 50, on", "page of 50, off"), 0.9),
            Goal.Minimum("isolation on / off, get", reads.Ratio("get, on", "get, off"), 0.9),
            Goal.Minimum("isolation on / off, post", posts.Ratio("post, 64 clients, on", "post, 64 clients, off"), 0.9),
        ];
    }
}
