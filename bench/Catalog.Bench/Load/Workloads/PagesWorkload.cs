using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Catalog.Bench.Load.Workloads;

/// <summary>
/// The pages for people, one reader, with 5,000 pipelines, 1,000,000 runs, 50,000 checks and a run of 900 stages.
/// </summary>
internal static partial class PagesWorkload
{
    private const int Pipelines = 5_000;
    private const int Runs = 1_000_000;
    private const int ChecksOfPipeline = 10;
    private const int Warmup = 20;
    private const int Requests = 200;

    private static readonly string[] Paths =
    [
        "/ui", "/ui/pipelines", "/ui/pipelines/p_17", "/ui/runs", "/ui/runs?status=failed&ended_since=24h&sort=ended_at", "/ui/runs/big",
        "/ui/checks", "/ui/checks/check_3?pipeline_id=p_17", "/ui/datasets", "/ui/lineage?dataset=table_17", "/ui/search?q=table_4",
    ];

    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var database = await testBed.NewDatabase(ct);
        await using var service = await Service.Start(testBed, testBed.Postgres.ServiceUri(database), ownOrganization: true, ct);
        await testBed.Postgres.Execute(database, Data(service.Organization), ct);
        await testBed.Postgres.Execute(database, "vacuum analyze", ct);
        await testBed.Postgres.Execute(database, "checkpoint", ct);

        using var reader = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            CookieContainer = new(),
            AutomaticDecompression = DecompressionMethods.None,
        })
        { BaseAddress = service.Address };
        reader.DefaultRequestHeaders.Add("Accept-Encoding", "br");
        await SignIn(reader, service.Key, ct);

        Console.WriteLine("| page | p50 ms | p95 ms | KiB transferred |");
        Console.WriteLine("|---|---|---|---|");
        var goals = new List<Goal>();
        foreach (var path in Paths)
        {
            var (p95, size) = await Measure(reader, path, ct);
            if (path == "/ui")
            {
                goals.Add(Goal.Maximum("first page: p95", p95, 50, "ms"));
                goals.Add(Goal.Maximum("first page: transferred", size, 150, "KiB"));
            }

            if (path == "/ui/runs/big")
            {
                goals.Add(Goal.Maximum("run of 900 stages: p95", p95, 100, "ms"));
            }
        }

        await testBed.DropDatabase(database, ct);
        return goals;
    }

    private static async Task<(double P95, double Size)> Measure(HttpClient reader, string path, CancellationToken ct)
    {
        var times = new List<double>();
        double size = 0;
        for (var request = 0; request < Warmup + Requests; request++)
        {
            var watch = Stopwatch.StartNew();
            using var answer = await reader.GetAsync(new Uri(path, UriKind.Relative), ct);
            var body = await answer.Content.ReadAsByteArrayAsync(ct);
            if (!answer.IsSuccessStatusCode)
            {
                throw new BenchException($"{path} answered {(int)answer.StatusCode}.");
            }

            size = body.Length / 1024.0;
            if (request >= Warmup)
            {
                times.Add(watch.Elapsed.TotalMilliseconds);
            }
        }

        var p95 = Statistics.Percentile(times, 0.95);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"| `{path}` | {Statistics.Median(times):0.0} | {p95:0.0} | {size:0.0} |"));
        return (p95, size);
    }

    private static async Task SignIn(HttpClient reader, string key, CancellationToken ct)
    {
        using var plain = new HttpRequestMessage(HttpMethod.Get, new Uri("/ui/sign-in", UriKind.Relative));
        plain.Headers.Add("Accept-Encoding", "identity");
        using var page = await reader.SendAsync(plain, ct);
        var token = Token().Match(await page.Content.ReadAsStringAsync(ct)).Groups["token"].Value;
        using var form = new FormUrlEncodedContent(
            [new("__RequestVerificationToken", token), new("key", key), new("next", "/ui/runs?limit=1")]);
        using var answer = await reader.PostAsync(new Uri("/ui/sign-in", UriKind.Relative), form, ct);
        if (!answer.IsSuccessStatusCode)
        {
            throw new BenchException($"Sign-in answered {(int)answer.StatusCode}.");
        }
    }

    // Runs start at even intervals over 30 days. 4 % of them failed, and a few still run. Pipeline p_n has one version,
    // checks with results, and the edges to dataset table_n.
    private static string Data(string organization) => $"""
        insert into pipelines (organization_id, id, current_version, owner, schedule, search_key, created_at, updated_at)
            select '{organization}', 'p_' || n, '1', 'team_' || n % 40, '0 * * * *', 'p_' || n, now() - n * interval '1 s', now()
            from generate_series(1, {Pipelines}) as n;
        insert into pipeline_versions (organization_id, pipeline_id, version, body, body_hash, created_at)
            select '{organization}', 'p_' || n, '1', '{"{\"name\":\"p_"}' || n || '{"\",\"version\":\"1\"}"}', sha256(('p_' || n)::bytea), now()
            from generate_series(1, {Pipelines}) as n;
        insert into runs (organization_id, id, pipeline_id, status, reported_status, started_at, completed_at, records_processed, created_at,
                updated_at, error_message)
            select '{organization}', 'r_' || n, 'p_' || (1 + n % {Pipelines}), status, status, at, case when status = 'running' then null else
                at + (60 + n % 600) * interval '1 s' end, n, at, at, case when status = 'failed' then 'Stage load failed: time-out' end
            from (select n, now() - n * interval '30 d' / {Runs} as at,
                    case when n % 25 = 0 then 'failed' when n % 20011 = 0 then 'running' else 'completed' end as status
                  from generate_series(1, {Runs}) as n) as drawn;
        insert into runs (organization_id, id, pipeline_id, status, reported_status, started_at, completed_at, created_at, updated_at)
            values ('{organization}', 'big', 'p_17', 'completed', 'completed', now() - interval '3 h', now() - interval '1 h', now(), now());
        insert into run_stages (organization_id, run_id, stage_name, status, started_at, completed_at, records_processed)
            select '{organization}', 'big', 'stage_' || n, case when n % 90 = 0 then 'failed' else 'completed' end,
                now() - interval '3 h' + n * interval '7 s', now() - interval '3 h' + n * interval '8 s', n
            from generate_series(1, 900) as n;
        insert into checks (organization_id, pipeline_id, id, severity, definition, created_at, updated_at)
            select '{organization}', 'p_' || n, 'check_' || c, 'error', '{"{}"}', now(), now()
            from generate_series(1, {Pipelines}) as n, generate_series(1, {ChecksOfPipeline}) as c;
        insert into check_results (organization_id, id, pipeline_id, check_id, status, severity, observed_value, observed_number, executed_at,
                request_hash, created_at)
            select '{organization}', 'x_' || n || '_' || c || '_' || d, 'p_' || n, 'check_' || c,
                case when (n + c + d) % 40 = 0 then 'fail' else 'pass' end, 'error', d::text, d, now() - d * interval '8 h' - n * interval '1 s',
                sha256('x'::bytea), now()
            from generate_series(1, {Pipelines}) as n, generate_series(1, {ChecksOfPipeline}) as c, generate_series(0, 9) as d;
        insert into check_states (organization_id, pipeline_id, check_id, result_id, status, severity, rank, observed_number, executed_at)
            select organization_id, pipeline_id, check_id, id, status, severity, case status when 'fail' then 4 else 0 end, observed_number,
                executed_at
            from check_results where organization_id = '{organization}' and id like '%\_0';
        insert into datasets (organization_id, id, namespace, name, created_at)
            select '{organization}', substring(encode(sha256('\x00'::bytea || convert_to('table_' || n, 'UTF8')), 'hex') for 32)::uuid, '',
                'table_' || n, now() - n * interval '1 s'
            from generate_series(1, {Pipelines}) as n;
        insert into lineage_edges (organization_id, upstream, downstream, pipeline_id, valid_from)
            select '{organization}', upstream.id, downstream.id, 'p_' || n, now()
            from generate_series(2, {Pipelines}) as n
            join datasets as upstream on upstream.organization_id = '{organization}' and upstream.name = 'table_' || greatest(1, n / 3)
            join datasets as downstream on downstream.organization_id = '{organization}' and downstream.name = 'table_' || n
            on conflict do nothing
        """;

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"(?<token>[^\"]+)\"")]
    private static partial Regex Token();
}
