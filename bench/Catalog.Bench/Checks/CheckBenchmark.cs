using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Catalog.Bench.Load;
using Catalog.Data.Checks;
using Catalog.Data.Executions;
using Catalog.Data.Warehouses;
using DuckDB.NET.Data;

namespace Catalog.Bench.Checks;

/// <summary>
/// Runs twenty checks on one table of DuckDB and of Postgres. Three ways take turns: the way of the service, one
/// statement written by hand, and the checks one by one.
/// </summary>
internal static class CheckBenchmark
{
    private const string Columns = """
        {0} as id, {0} % 100000 as customer_id, cast({0} % 5000 as double precision) / 10 as amount, {0} % 40 + 1 as quantity,
        cast({0} % 1000 as double precision) / 100 as discount, case {0} % 4 when 0 then 'new' when 1 then 'paid' when 2 then 'sent'
        else 'done' end as status, case {0} % 3 when 0 then 'DE' when 1 then 'FR' else 'IT' end as country,
        'user' || cast({0} % 100000 as varchar) || '@example.com' as email, timestamp '2026-01-01 00:00:00' + {1} as created_at,
        timestamp '2026-01-02 00:00:00' + {1} as shipped_at, case when {0} % 1000 = 0 then null else 'note' end as note
        """;

    private static readonly (string Kind, string Column, string Parameters)[] Checks =
    [
        ("row_count", "", """{"min":1}"""), ("not_null", "id", "{}"), ("not_null", "customer_id", "{}"), ("not_null", "email", "{}"),
        ("not_null", "note", "{}"), ("not_null", "created_at", "{}"),
        ("accepted_values", "status", """{"values":["new","paid","sent","done"]}"""),
        ("accepted_values", "country", """{"values":["DE","FR","IT"]}"""), ("forbidden_values", "quantity", """{"values":[0,-1]}"""),
        ("range", "amount", """{"min":0,"max":1000}"""), ("range", "quantity", """{"min":1,"max":100}"""),
        ("range", "discount", """{"min":0,"max":10}"""), ("length", "country", """{"min":2,"max":2}"""),
        ("pattern", "email", """{"like":"%@%"}"""), ("avg", "amount", """{"min":0}"""), ("sum", "quantity", """{"min":0}"""),
        ("stddev", "discount", """{"min":0}"""), ("max", "amount", """{"max":1000}"""), ("distinct_count", "customer_id", """{"min":1}"""),
        ("compare_columns", "", """{"operator":"<"}"""),
    ];

    // The statement that an engineer writes by hand for all twenty checks. It reads the table once.
    private static readonly string ByHand = """
        select count(*), count(*) - count(id), count(*) - count(customer_id), count(*) - count(email), count(*) - count(note),
            count(*) - count(created_at), count(*) filter (where status not in ('new', 'paid', 'sent', 'done')),
            count(*) filter (where country not in ('DE', 'FR', 'IT')), count(*) filter (where quantity in (0, -1)),
            count(*) filter (where amount < 0 or amount > 1000), count(*) filter (where quantity < 1 or quantity > 100),
            count(*) filter (where discount < 0 or discount > 10),
            count(*) filter (where length(country) < 2 or length(country) > 2), count(*) filter (where email not like '%@%'),
            count(status), count(country), count(quantity), count(amount), count(discount), count(email),
            avg(amount), sum(quantity), stddev_samp(discount), max(amount), count(distinct customer_id),
            count(*) filter (where not (created_at < shipped_at)),
            count(*) filter (where created_at is not null and shipped_at is not null)
        from orders
        """;

    public static async Task<int> Run(string[] arguments)
    {
        var (duckRows, postgresRows, rounds) = arguments.Length == 3
            ? (Number(arguments[0]), Number(arguments[1]), (int)Number(arguments[2])) : (10_000_000, 1_000_000, 5);
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            stop.Cancel();
        };
        var folder = Directory.CreateTempSubdirectory("catalog-bench-").FullName;
        // Postgres may run as another user, which must be able to enter the folder.
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode All = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            File.SetUnixFileMode(folder, All);
        }

        try
        {
            await DuckDb(folder, duckRows, rounds, stop.Token);
            await OnPostgres(folder, postgresRows, rounds, stop.Token);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task DuckDb(string folder, long rows, int rounds, CancellationToken ct)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "default")).FullName, "orders.duckdb");
        await using (var connection = new DuckDBConnection($"DataSource={path}"))
        {
            await connection.OpenAsync(ct);
            await using var command = connection.CreateCommand();
            command.CommandText = $"create table orders as select {Select("i", "to_seconds(i % 86400)")} from range({rows}) as t(i)";
            await command.ExecuteNonQueryAsync(ct);
        }

        var warehouse = new WarehouseFactory(new(true), new(folder), null)
            .Create("default", new() { Type = "duckdb", Path = "orders.duckdb" });
        await Compare($"DuckDB, {rows:N0} rows", warehouse, rounds, ct);
    }

    private static async Task OnPostgres(string folder, long rows, int rounds, CancellationToken ct)
    {
        await using var server = await Postgres.Start(Path.Combine(folder, "pg"), ct);
        await server.Execute("postgres",
            $"create table orders as select {Select("i", "make_interval(secs => i % 86400)")} from generate_series(0, {rows - 1}) as t(i)", ct);
        await server.Execute("postgres", "vacuum analyze orders", ct);
        var warehouse = new WarehouseFactory(new(true), new(folder), null)
            .Create("default", new() { Type = "postgres", Dsn = server.Uri("postgres") });
        await Compare($"Postgres, {rows:N0} rows", warehouse, rounds, ct);
    }

    private static async Task Compare(string title, Warehouse warehouse, int rounds, CancellationToken ct)
    {
        await using var owned = warehouse;
        var checks = Checks.Select((check, number) => New(number, check)).ToList();
        List<double> ours = [], byHand = [], oneByOne = [];
        var statements = 0;
        // The first round fills the caches and is not counted.
        for (var round = 0; round <= rounds; round++)
        {
            var together = await Time(async () => statements = await RunChecks(warehouse, checks, ct));
            var hand = await Time(async () =>
            {
                await using var session = await warehouse.Open(new(), ct);
                await session.Query(ByHand, ct);
            });
            var single = await Time(async () =>
            {
                foreach (var check in checks)
                {
                    await RunChecks(warehouse, [check], ct);
                }
            });
            if (round > 0)
            {
                ours.Add(together);
                byHand.Add(hand);
                oneByOne.Add(single);
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"""

            {title}: 20 checks, {statements} statement(s), {rounds} rounds in turns, medians
            | | ms | relative to the statement by hand |
            |---|---|---|
            | one statement by hand | {Statistics.Median(byHand):0} | 1.00 |
            | the 20 checks together | {Statistics.Median(ours):0} | {Ratio(ours, byHand)} (goal: at most 1.2) |
            | the 20 checks one by one | {Statistics.Median(oneByOne):0} | {Ratio(oneByOne, byHand)} |
            """));
    }

    private static string Ratio(List<double> times, List<double> reference) =>
        Statistics.Ratio(Statistics.Median(times.Zip(reference, (time, other) => time / other)));

    private static async Task<int> RunChecks(Warehouse warehouse, IReadOnlyList<Check> checks, CancellationToken ct)
    {
        WarehouseSession? opened = null;
        List<CheckVerdict> verdicts = [];
        await CheckRunner.Run(checks, new()
        {
            Open = async (_, token) => opened = await warehouse.Open(new(), token),
            History = (_, _, _) => Task.FromResult<IReadOnlyList<HistoryPoint>>([]),
            PiiColumns = (_, _, _) => Task.FromResult<IReadOnlySet<string>>(new HashSet<string>()),
            Time = TimeProvider.System,
        }, verdict =>
        {
            verdicts.Add(verdict);
            return Task.CompletedTask;
        }, ct);
        return verdicts.Find(verdict => verdict.Status == CheckStatus.Error) is { } error ? throw new BenchException(error.Message)
            : opened!.Statements;
    }

    private static async Task<double> Time(Func<Task> work)
    {
        var clock = Stopwatch.StartNew();
        await work();
        return clock.Elapsed.TotalMilliseconds;
    }

    private static Check New(int number, (string Kind, string Column, string Parameters) check)
    {
        var definition = new JsonObject { ["kind"] = check.Kind, ["params"] = JsonNode.Parse(check.Parameters) };
        if (check.Column.Length > 0)
        {
            definition["column"] = check.Column;
        }
        else
        {
            definition["columns"] = new JsonArray("created_at", "shipped_at");
        }

        return new()
        {
            Id = $"check-{number}",
            PipelineId = "",
            Dataset = "orders",
            ConnectionId = "bench",
            Kind = check.Kind,
            Severity = CheckSeverity.Error,
            Definition = definition.ToJsonString(),
            CreatedAt = default,
            UpdatedAt = default,
        };
    }

    private static string Select(string number, string interval) =>
        Columns.Replace("{0}", number, StringComparison.Ordinal).Replace("{1}", interval, StringComparison.Ordinal);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
