using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Catalog.Bench.Load.Workloads;

/// <summary>
/// Downstream graphs of pseudo-random datasets: three hops deep, and as deep as the limit of 10,000 datasets allows. Then
/// the readiness of the same datasets with five hops upstream.
/// </summary>
internal static class LineageWorkload
{
    private const int Starts = 200;

    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var database = await testBed.NewDatabase(ct);
        await using var service = await Service.Start(testBed, testBed.Postgres.ServiceUri(database), ownOrganization: true, ct);
        // There are 3.4 edges for each dataset.
        var datasets = Math.Max(1000, testBed.Options.Edges * 10 / 34);
        await testBed.Postgres.Execute(database, Graph(service.Organization, datasets, testBed.Options.Edges), ct);
        await testBed.Postgres.Execute(database, Facts(service.Organization), ct);
        await testBed.Postgres.Execute(database, "vacuum analyze datasets, lineage_edges, runs, run_datasets, check_states", ct);
        await testBed.Postgres.Execute(database, "checkpoint", ct);
        var edges = await testBed.Postgres.Scalar<long>(database, "select count(*) from lineage_edges", ct);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{datasets:N0} datasets, {edges:N0} edges; one client, {Starts} start datasets; each is requested once before "
                    + $"the measurement.\n"));

        Console.WriteLine("| | p50 ms | p95 ms | p99 ms | datasets, median | datasets, maximum | KiB, median | service µs | Postgres µs |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        string[] starts = [.. Enumerable.Range(1, Starts).Select(number => Name($"{1 + (number * 7919L * 104729 % datasets)}"))];
        var near = await Measure(testBed, service, "depth 3", Downstream(3), Nodes, ct);
        var far = await Measure(testBed, service, "depth 20", Downstream(20), Nodes, ct);
        var ready = await Measure(testBed, service, "readiness, depth 5",
            [.. starts.Select(name => $"/api/v1/datasets/{name}/readiness?depth=5")],
            answer => answer.GetProperty("datasets").GetInt32(), ct);
        await testBed.DropDatabase(database, ct);
        return
        [
            Goal.Maximum("lineage, depth 3: p95", near.P95, 3, "ms"), Goal.Maximum("lineage, depth 20: p95", far.P95, 80, "ms"),
            Goal.Maximum("readiness, depth 5: p99", ready.P99, 20, "ms"),
        ];

        string[] Downstream(int depth) => [.. starts.Select(name => $"/api/v1/lineage/{name}?direction=downstream&depth={depth}")];
        static int Nodes(JsonElement answer) => answer.GetProperty("nodes").GetArrayLength();
    }

    private static async Task<(double P95, double P99)> Measure(TestBed testBed, Service service, string name, string[] paths,
        Func<JsonElement, int> datasetsOf, CancellationToken ct)
    {
        var (reached, sizes, times) = (new List<double>(), new List<double>(), new List<double>());
        foreach (var path in paths)
        {
            var body = await service.Get(path, ct);
            using var graph = JsonDocument.Parse(body);
            reached.Add(datasetsOf(graph.RootElement));
            sizes.Add(body.Length / 1024.0);
        }

        var (serviceMicroseconds, postgresMicroseconds) = (
            ProcessUsage.CpuSeconds(service.ProcessId), ProcessUsage.CpuSecondsWithChildren(testBed.Postgres.ProcessId));
        // Each path is requested at least once. More rounds begin for at most a minute.
        var limit = Stopwatch.StartNew();
        for (var round = 0; round == 0 || (round < testBed.Options.Rounds && limit.Elapsed.TotalSeconds < 60); round++)
        {
            foreach (var path in paths)
            {
                var watch = Stopwatch.StartNew();
                await service.Get(path, ct);
                times.Add(watch.Elapsed.TotalMilliseconds);
            }
        }

        serviceMicroseconds = (ProcessUsage.CpuSeconds(service.ProcessId) - serviceMicroseconds) / times.Count * 1e6;
        postgresMicroseconds = (ProcessUsage.CpuSecondsWithChildren(testBed.Postgres.ProcessId) - postgresMicroseconds) / times.Count * 1e6;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {Statistics.Median(times):0.00} | {Statistics.Percentile(times, 0.95):0.00} | "
                + $"{Statistics.Percentile(times, 0.99):0.00} | {Statistics.Median(reached):N0} | {reached.Max():N0} | "
                + $"{Statistics.Median(sizes):N0} | {serviceMicroseconds:N0} | {postgresMicroseconds:N0} |"));
        return (Statistics.Percentile(times, 0.95), Statistics.Percentile(times, 0.99));
    }

    private static string Name(string number) => $"bench.table_{number}";

    // Each dataset was written by a completed run of its own and has a check that passed.
    private static string Facts(string organization) => $"""
        create temporary table written as
            select id, name, 'run-' || name as run_id, 'daily_orders_' || (row_number() over (order by id) % {ResultBody.Pipelines}) as pipeline_id
            from datasets where organization_id = '{organization}';
        insert into runs (organization_id, id, pipeline_id, status, reported_status, started_at, completed_at, created_at, updated_at)
            select '{organization}', run_id, pipeline_id, 'completed', 'completed', now(), now(), now(), now() from written;
        insert into run_datasets (organization_id, run_id, direction, dataset, first_at, last_at)
            select '{organization}', run_id, 'output', id, now(), now() from written;
        insert into check_states (organization_id, pipeline_id, check_id, result_id, status, severity, rank, executed_at, dataset, run_id)
            select '{organization}', pipeline_id, 'not_empty ' || name, run_id, 'pass', 'error', 0, now(), name, run_id from written;
        """;

    // The upstream dataset of an edge is a close earlier one (90 %), any earlier one (9 %), or a later one (1 %), which
    // creates cycles.
    private static string Graph(string organization, int datasets, int edges) => $"""
        select setseed(0.25);
        create temporary table keys as
            select n, substring(encode(sha256('\x00'::bytea || convert_to('{Name("")}' || n, 'UTF8')), 'hex') for 32)::uuid as id
            from generate_series(1, {datasets}) as n;
        create unique index on keys (n);
        analyze keys;
        insert into datasets (organization_id, id, namespace, name, created_at)
            select '{organization}', id, '', '{Name("")}' || n, now() from keys;
        insert into lineage_edges (organization_id, upstream, downstream, pipeline_id, valid_from)
            select '{organization}', upstream.id, downstream.id, 'daily_orders_' || (downstream.n % {ResultBody.Pipelines}),
                timestamptz '2026-01-01 00:00:00+00'
            from (
                select child, case when kind < 0.9 then child - 1 - floor(place * 500)
                                   when kind < 0.99 then 1 + floor(place * (child - 1))
                                   else child + 1 + floor(place * 1000) end as parent
                from (select 2 + floor(random() * ({datasets} - 2)) as child, random() as kind, random() as place from generate_series(1,
                    {edges})) as drawn
            ) as edges
            join keys as upstream on upstream.n = greatest(1, least({datasets}, edges.parent))
            join keys as downstream on downstream.n = edges.child
            where upstream.n <> downstream.n
            on conflict do nothing
        """;
}
