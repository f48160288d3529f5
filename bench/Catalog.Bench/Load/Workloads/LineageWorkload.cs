using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Catalog.Bench.Load.Workloads;

/// <summary>Downstream graphs around datasets taken at random: three hops, and as far as the budget of 10,000 datasets reaches.</summary>
internal static class LineageWorkload
{
    private const int Starts = 200;

    public static async Task<IReadOnlyList<Goal>> Run(Stand stand, CancellationToken ct)
    {
        var database = await stand.NewDatabase(ct);
        await using var service = await Service.Start(stand, stand.Postgres.ServiceUri(database), ownOrganization: true, ct);
        // 3.4 edges a dataset.
        var datasets = Math.Max(1000, stand.Options.Edges * 10 / 34);
        await stand.Postgres.Execute(database, Graph(service.Organization, datasets, stand.Options.Edges), ct);
        await stand.Postgres.Execute(database, "vacuum analyze datasets, lineage_edges", ct);
        await stand.Postgres.Execute(database, "checkpoint", ct);
        var edges = await stand.Postgres.Scalar<long>(database, "select count(*) from lineage_edges", ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{datasets:N0} datasets, {edges:N0} edges; one client, {Starts} starts, each asked for once before it is measured.\n"));

        Console.WriteLine("| | p50 ms | p95 ms | p99 ms | datasets, median | datasets, most | KiB, median | service µs | Postgres µs |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        var near = await Measure(stand, service, datasets, 3, ct);
        var far = await Measure(stand, service, datasets, 20, ct);
        await stand.DropDatabase(database, ct);
        return [Goal.Most("lineage, depth 3: p95", near, 5, "ms"), Goal.Most("lineage, depth 20: p95", far, 100, "ms")];
    }

    private static async Task<double> Measure(Stand stand, Service service, int datasets, int depth, CancellationToken ct)
    {
        string[] paths = [.. Enumerable.Range(1, Starts).Select(number => $"/api/v1/lineage/{Name($"{1 + (number * 7919L * 104729 % datasets)}")}?direction=downstream&depth={depth}")];
        var (reached, sizes, times) = (new List<double>(), new List<double>(), new List<double>());
        foreach (var path in paths)
        {
            var body = await service.Get(path, ct);
            using var graph = JsonDocument.Parse(body);
            reached.Add(graph.RootElement.GetProperty("nodes").GetArrayLength());
            sizes.Add(body.Length / 1024.0);
        }

        var (ours, theirs) = (ProcessClock.Seconds(service.ProcessId), ProcessClock.SecondsOfFamily(stand.Postgres.ProcessId));
        // At least once each; then as long as a contest would last.
        var limit = Stopwatch.StartNew();
        for (var round = 0; round == 0 || (round < stand.Options.Rounds && limit.Elapsed.TotalSeconds < 60); round++)
        {
            foreach (var path in paths)
            {
                var watch = Stopwatch.StartNew();
                await service.Get(path, ct);
                times.Add(watch.Elapsed.TotalMilliseconds);
            }
        }

        ours = (ProcessClock.Seconds(service.ProcessId) - ours) / times.Count * 1e6;
        theirs = (ProcessClock.SecondsOfFamily(stand.Postgres.ProcessId) - theirs) / times.Count * 1e6;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| depth {depth} | {Numbers.Median(times):0.00} | {Numbers.Percentile(times, 0.95):0.00} | {Numbers.Percentile(times, 0.99):0.00} | {Numbers.Median(reached):N0} | {reached.Max():N0} | {Numbers.Median(sizes):N0} | {ours:N0} | {theirs:N0} |"));
        return Numbers.Percentile(times, 0.95);
    }

    private static string Name(string number) => $"bench.table_{number}";

    // Nine of ten edges come from a dataset near by, one of eleven from any earlier one, one of a hundred from a later one: cycles.
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
            select '{organization}', upstream.id, downstream.id, 'daily_orders_' || (downstream.n % {ResultBody.Pipelines}), timestamptz '2026-01-01 00:00:00+00'
            from (
                select child, case when kind < 0.9 then child - 1 - floor(place * 500)
                                   when kind < 0.99 then 1 + floor(place * (child - 1))
                                   else child + 1 + floor(place * 1000) end as parent
                from (select 2 + floor(random() * ({datasets} - 2)) as child, random() as kind, random() as place from generate_series(1, {edges})) as drawn
            ) as edges
            join keys as upstream on upstream.n = greatest(1, least({datasets}, edges.parent))
            join keys as downstream on downstream.n = edges.child
            where upstream.n <> downstream.n
            on conflict do nothing
        """;
}
