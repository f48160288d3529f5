namespace Catalog.Bench.Load.Workloads;

/// <summary>A thousand results a request.</summary>
internal static class BulkWorkload
{
    public static async Task<IReadOnlyList<Goal>> Run(Stand stand, CancellationToken ct)
    {
        var database = await stand.NewDatabase(ct);
        await using var service = await Service.Start(stand, stand.Postgres.ServiceUri(database), ownOrganization: true, ct);
        var table = new ResultTable(stand, database);
        const string Ours = "post of 1,000, 8 clients", Theirs = "pgbench insert of 100, 8 clients";
        var contest = await Contest.Hold(stand.Options, ct,
            table.Watch(new HttpLoad(stand, service, Ours, 8, [new("POST", Requests.Results, ResultBody.Many(1000))], each: 1000).Contestant),
            table.Watch(new PgbenchLoad(stand, database, Theirs, 8, ResultSql.InsertMany(service.Organization, 100), each: 100).Contestant));
        contest.Print("rows", Theirs);
        await stand.DropDatabase(database, ct);
        return [Goal.Least("bulk of 1,000 / pgbench insert of 100, rows", contest.Ratio(Ours, Theirs), 0.6)];
    }
}
