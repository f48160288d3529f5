namespace Catalog.Bench.Load.Workloads;

/// <summary>
/// What row-level security and keys that are looked up cost: two services over one database, one with both, one with neither (a role
/// that does not exist cannot be assumed, and the platform's key is looked up nowhere).
/// </summary>
internal static class IsolationWorkload
{
    private const int Rows = 100_000;

    public static async Task<IReadOnlyList<Goal>> Run(Stand stand, CancellationToken ct)
    {
        var database = await stand.NewDatabase(ct);
        await using var on = await Service.Start(stand, stand.Postgres.ServiceUri(database), ownOrganization: true, ct);
        // As the owner, because a login that owns nothing sees nothing without a context.
        await using var off = await Service.Start(stand, stand.Postgres.Uri(database), ownOrganization: false, ct, ("DATAXPIPE_APP_ROLE", "bench_no_such_role"));
        var table = new ResultTable(stand, database);
        await table.Preload(off.Organization, Rows, ct);
        if (on.Organization != off.Organization)
        {
            await table.Preload(on.Organization, Rows, ct);
        }

        Contestant Read(Service service, string name, Request[] requests) => new HttpLoad(stand, service, name, 32, requests).Contestant;
        var reads = await Contest.Hold(stand.Options, ct,
            Read(on, "page of 50, on", Requests.Pages(Rows)), Read(off, "page of 50, off", Requests.Pages(Rows)),
            Read(on, "get, on", Requests.Singles(Rows)), Read(off, "get, off", Requests.Singles(Rows)));
        reads.Print("requests");
        Console.WriteLine();
        Contestant Post(Service service, string name) => table.Watch(new HttpLoad(stand, service, name, 64, Requests.Posts).Contestant);
        var posts = await Contest.Hold(stand.Options, ct, Post(on, "post, 64 clients, on"), Post(off, "post, 64 clients, off"));
        posts.Print("requests", "post, 64 clients, off");
        await stand.DropDatabase(database, ct);
        return
        [
            Goal.Least("isolation on / off, page of 50", reads.Ratio("page of 50, on", "page of 50, off"), 0.85),
            Goal.Least("isolation on / off, get", reads.Ratio("get, on", "get, off"), 0.85),
            Goal.Least("isolation on / off, post", posts.Ratio("post, 64 clients, on", "post, 64 clients, off"), 0.8),
        ];
    }
}
