using System.Globalization;

namespace Catalog.Bench.Load.Workloads;

/// <summary>
/// Compares one, two and four processes of the service behind one PgBouncer in transaction mode on one Postgres. The
/// total number of clients and of connections is the same for each.
/// </summary>
internal static class ScaleWorkload
{
    private const int Rows = 200_000;
    private const int Clients = 64;
    private const int Connections = 20;
    private static readonly int[] Counts = [1, 2, 4];

    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var database = await testBed.NewDatabase(ct);
        await using var pooler = await PgBouncer.Start(testBed, Connections, ct);
        var services = new List<Service>();
        try
        {
            // The processes of all candidates run from the start. Those of a candidate are idle while another one is
            // measured.
            foreach (var count in Counts)
            {
                for (var number = 0; number < count; number++)
                {
                    (string, string)[] settings =
                        [("DATAXPIPE_PGBOUNCER", "true"), ("DATAXPIPE_PG_POOL_MAX", $"{Connections / count}")];
                    services.Add(services.Count == 0
                        ? await Service.Start(testBed, pooler.Uri(database), ownOrganization: true, ct, settings)
                        : await Service.Join(testBed, pooler.Uri(database), services[0], ct, settings));
                }
            }

            var table = new ResultTable(testBed, database);
            Candidate Of(string load, int count, Request[] requests) => Together(Name(load, count),
                [.. services.Skip(Counts.TakeWhile(other => other < count).Sum()).Take(count).Select(service =>
                    new HttpLoad(testBed, service, load, Clients / count, requests).Candidate)]);
            Console.WriteLine($"{Clients} clients and {Connections} connections in total.\n");
            var posts = await Comparison.Run(testBed.Options, ct,
                [.. Counts.Select(count => table.CheckLosses(Of("post", count, Requests.Posts)))]);
            posts.Print("requests", Name("post", 1));
            await testBed.Postgres.Execute(database, "truncate check_results", ct);
            await table.Preload(services[0].Organization, Rows, ct);
            Console.WriteLine();
            var pages = await Comparison.Run(testBed.Options, ct,
                [.. Counts.Select(count => Of("page of 50", count, Requests.Pages(Rows)))]);
            pages.Print("requests", Name("page of 50", 1));
        }
        finally
        {
            foreach (var service in services)
            {
                await service.DisposeAsync();
            }
        }

        await testBed.DropDatabase(database, ct);
        return [];
    }

    private static string Name(string load, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{load}, {count} {(count == 1 ? "process" : "processes")}");

    // P50 is the mean of the medians of the processes. P95 and P99 are those of the slowest process.
    private static Candidate Together(string name, Candidate[] parts) => new(name, async (seconds, ct) =>
    {
        var samples = await Task.WhenAll(parts.Select(part => part.Run(seconds, ct)));
        var acknowledged = samples.Sum(sample => sample.Acknowledged);
        return new()
        {
            Rate = samples.Sum(sample => sample.Rate),
            P50 = samples.Average(sample => sample.P50),
            P95 = samples.Max(sample => sample.P95),
            P99 = samples.Max(sample => sample.P99),
            ServiceMicroseconds = samples.Sum(sample => sample.ServiceMicroseconds * sample.Acknowledged) / acknowledged,
            // Each sample divides the CPU time of all Postgres processes by its own requests. So each product is the
            // time of the whole server, and the products are averaged, not added.
            PostgresMicroseconds = samples.Average(sample => sample.PostgresMicroseconds * sample.Acknowledged) / acknowledged,
            Acknowledged = acknowledged,
            Failed = samples.Sum(sample => sample.Failed),
        };
    });
}
